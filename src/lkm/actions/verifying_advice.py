"""What to do about a module whose signature no keyring takes: commands, ready to paste."""

import shlex
from typing import TYPE_CHECKING

from lkm.rules.signature_policy import SignatureState

if TYPE_CHECKING:
    from lkm.actions.verifying_kernel import VerifyingKernel
    from lkm.rules.signature_answer import SignatureAnswer

__all__ = ["next_steps"]

_SIGN = "lkm sign --key KEY --certificate CERT"
_ENROL = "lkm mok enrol CERT.der"


def next_steps(found: "SignatureAnswer", path: str, kernel: "VerifyingKernel") -> tuple[str, ...]:
    """Give the commands that come next.

    :param path: of the module
    :returns: none where a keyring takes it
    """
    if found.is_accepted:
        return ()
    file = shlex.quote(path)
    look = () if kernel.release is None else (_check(file, kernel),)
    return (*_mending(found, file), *look)


def _mending(found: "SignatureAnswer", file: str) -> tuple[str, ...]:
    match SignatureState[found.state]:
        case SignatureState.UNSIGNED:
            return (f"{_SIGN} {file}",)
        case SignatureState.UNKNOWN_KEY if found.can_be_enrolled:
            return ("lkm keys", _ENROL, f"{_SIGN} --replace {file}")
        case SignatureState.REJECTED if found.is_untouched:  # so it is the key, or the module, that is revoked
            return ("lkm keys", f"{_SIGN} --replace {file}")
        case SignatureState.UNSUPPORTED:
            return (f"{_SIGN} --replace --hash sha256 {file}",)
    owner = (f"dpkg -S {file}  # tells the package to install again",) if "/lib/modules/" in file else ()
    return (*owner, f"{_SIGN} --replace {file}")


def _check(file: str, kernel: "VerifyingKernel") -> str:
    words = ["lkm check", *kernel.words, file]
    return " ".join(words)
