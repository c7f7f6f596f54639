"""What to do about a module whose signature no keyring takes: commands, ready to paste where there are any."""

import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING

from lkm.rules.signatures.policy import SignatureState

if TYPE_CHECKING:
    from lkm.actions.verifying.kernel import VerifyingKernel
    from lkm.rules.signatures.answer import SignatureAnswer

__all__ = ["next_steps"]

_SIGN = "lkm sign --key KEY --certificate CERT"
_ENROL = "sudo lkm mok enrol CERT.der"
_DAMAGED = "build or install it again: it is damaged, and can't be signed as it is"
_OF_A_SYSTEM = ("--root", "--release", "--kernel")


def next_steps(found: "SignatureAnswer", path: str, kernel: "VerifyingKernel") -> tuple[str, ...]:
    """Give the commands that come next, or say what is to be done where there is none.

    :param path: of the module
    :returns: none where a keyring takes it
    """
    if found.is_accepted:
        return ()
    file = shlex.quote(path)
    if kernel.release is None:
        return _by_certificates(found, file, kernel)
    return (*_by_kernel(found, file, path, kernel), _call("check", kernel.words, file))


def _by_certificates(found: "SignatureAnswer", file: str, kernel: "VerifyingKernel") -> tuple[str, ...]:
    """Without a kernel the first thing to know is whether one takes it."""
    if SignatureState[found.state] is SignatureState.UNKNOWN_KEY:
        return (_call("verify", kernel.words, file),)
    return _signing(found, file)


def _by_kernel(found: "SignatureAnswer", file: str, path: str, kernel: "VerifyingKernel") -> tuple[str, ...]:
    keys = _call("keys", kernel.words)
    match SignatureState[found.state]:
        case SignatureState.UNKNOWN_KEY if found.is_owners:
            return (_call("mok status", _of_the_system(kernel.words)),)
        case SignatureState.UNKNOWN_KEY if kernel.may_hold_key(found):
            return (_call("verify", _of_the_system(kernel.words), "--kernel-image", "VMLINUZ", file),)
        case SignatureState.UNKNOWN_KEY if kernel.secure_boot is False:
            return (keys,)  # the kernel takes no keys of the owner's then
        case SignatureState.UNKNOWN_KEY if found.can_be_enrolled:
            return (keys, _ENROL, *_signing(found, file))
        case SignatureState.REJECTED if found.is_untouched:  # so it is the key, or the module, that is revoked
            return (keys, *_signing(found, file))
        case SignatureState.UNSIGNED | SignatureState.UNSUPPORTED:
            return _signing(found, file)
    return (*_package(path, kernel), *_signing(found, file))


def _signing(found: "SignatureAnswer", file: str) -> tuple[str, ...]:
    if not found.can_be_signed:
        return (_DAMAGED,)
    if not found.is_signed:
        return (f"{_SIGN} {file}",)
    digest = "--hash sha256 " if SignatureState[found.state] is SignatureState.UNSUPPORTED else ""
    return (f"{_SIGN} --replace {digest}{file}",)


def _package(path: str, kernel: "VerifyingKernel") -> tuple[str, ...]:
    """Ask for the package of a module of a kernel's own tree: it is to be installed again."""
    if f"/lib/modules/{kernel.release}/" not in path:
        return ()
    name = PurePath(path).name.partition(".ko")[0]
    return (
        _call("explain", _of_the_system(kernel.words), f"{shlex.quote(name)}  # names the package to install again"),
    )


def _of_the_system(words: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the options that every verb has."""
    pairs = zip(words[::2], words[1::2], strict=True)
    return tuple(word for pair in pairs if pair[0] in _OF_A_SYSTEM for word in pair)


def _call(verb: str, words: tuple[str, ...], *rest: str) -> str:
    return " ".join(("lkm", verb, *words, *rest))
