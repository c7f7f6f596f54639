"""``sign-file``: sign a module as a kernel's build does.

Facts: scripts/sign-file.c (6.1 and 7.2). What this one does besides: it takes keys in DER and PKCS#12, reads the first
two files before it writes, replaces files at once, and leaves a module that it replaces its permissions.
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from lkm.errors import FormatError, KeyMismatch, LkmError, UsageError
from lkm.formats.module_signature import append
from lkm.interfaces.compat.getopt import Grammar, parse
from lkm.interfaces.compat.messages import Messages
from lkm.interfaces.messages import printable
from lkm.system.atomic import write_atomically
from lkm.system.root import Root

if TYPE_CHECKING:
    from lkm.actions.signing.signatory import Signatory

__all__ = ["main"]

_GRAMMAR = Grammar("sdpk", {})
_USAGE = (
    "Usage: scripts/sign-file [-dp] <hash algo> <key> <x509> <module> [<dest>]\n"
    "       scripts/sign-file -s <raw sig> <hash algo> <x509> <module> [<dest>]\n"
)
_SHORTEST_CERTIFICATE = 2  # bytes: what is needed to tell DER from PEM
_USUAL_MODE = 0o666  # less the umask, as fopen(3) does


class _Call(NamedTuple):
    """What is to be done.

    :param raw: the first operand is a file with a signature, to be appended
    :param save: write the signature to a file of its own
    :param only: write nothing else
    :param by_key_id: name the certificate by its key identifier
    :param operands: hash, key, certificate, module and perhaps destination, as they were given
    """

    raw: bool
    save: bool
    only: bool
    by_key_id: bool
    operands: tuple[str, ...]

    @property
    def module(self) -> str:
        return self.operands[3]

    @property
    def destination(self) -> str:
        return self.operands[-1]


class _Failed(Exception):
    """Carries what sign-file would name as the place of a failure, and the error; it never leaves this file."""

    def __init__(self, place: str, error: Exception | None = None) -> None:
        super().__init__(place)
        self.place = place
        self.error = error


def main(argv: Sequence[str]) -> int:
    """Run ``sign-file``.

    :param argv: the arguments
    :returns: the exit status
    """
    messages = Messages("sign-file")
    parsed = parse(_GRAMMAR, argv, in_order="POSIXLY_CORRECT" in os.environ)
    if parsed.error:
        is_long = parsed.error.startswith("unrecognized option")  # getopt(3) knows no long ones
        messages.plain("invalid option -- '-'" if is_long else parsed.error)
    if parsed.error or len(parsed.operands) not in {4, 5}:
        sys.stderr.write(_USAGE)
        return 2
    letters = {letter for letter, _ in parsed.options}
    call = _Call("s" in letters, not letters.isdisjoint("dp"), "d" in letters, "k" in letters, parsed.operands)
    try:
        _run(call)
    except _Failed as failure:
        _report(messages, failure)
        return 1
    return 0


def _run(call: _Call) -> None:
    contents = _read(call.module)
    if call.raw:
        signature = _read(call.operands[0])
    else:
        signature = _sign(call, contents)
        if call.save:
            _write(f"{call.module}.p7s", signature, keeps_links=True)
        if call.only:
            return
    try:
        signed = append(contents, signature)
    except FormatError as error:
        raise _Failed(call.operands[0], error) from error
    _write(call.destination, signed, keeps_links=call.destination != call.module)


def _sign(call: _Call, contents: bytes) -> bytes:
    from lkm.formats.cms_writer import DIGESTS  # noqa: PLC0415  a wrong call needs none

    hash_name, key, certificate = call.operands[:3]
    signatory = _signatory(key, certificate)
    digest = _digest(hash_name)
    if digest not in DIGESTS:
        error = UsageError(
            f"no kernel verifies signatures over {hash_name}", hint=f"choose one of {', '.join(DIGESTS)}"
        )
        raise _Failed("EVP_get_digestbyname", error)
    try:
        return signatory.sign(contents, digest=digest, by_key_id=call.by_key_id)
    except LkmError as error:
        raise _Failed("CMS_add1_signer", error) from error


def _digest(name: str) -> str:
    """Give the name that the kernel has for a hash that OpenSSL knows by some (crypto/objects/objects.txt)."""
    lower = name.lower().removeprefix("rsa-")
    for prefix in ("sha2-", "sha-"):
        if lower.startswith(prefix):
            return f"sha{lower[len(prefix) :]}"
    return lower


def _signatory(key: str, certificate: str) -> "Signatory":
    from lkm.actions.signing.signatory import open_signatory  # noqa: PLC0415  dear, and a wrong call needs none

    # sign-file takes the key first, and it is what is named if neither can be read; but a pipe is read once only.
    is_elsewhere = key.startswith("pkcs11:") or (os.path.exists(key) and not os.path.isdir(key))  # noqa: PTH110, PTH112
    if not is_elsewhere:
        _read(key)
    if len(_read(certificate)) < _SHORTEST_CERTIFICATE:
        raise _Failed(f"{certificate}: Short read")
    try:
        return open_signatory(key, certificate)
    except KeyMismatch as error:
        raise _Failed("CMS_add1_signer", error) from error
    except LkmError as error:
        raise _Failed(error.where or key, error) from error


def _read(path: str) -> bytes:
    try:
        return Root().read_bytes(os.path.abspath(path))  # noqa: PTH100  pathlib is dear at start-up
    except LkmError as error:
        raise _Failed(path, error) from error


def _write(path: str, data: bytes, *, keeps_links: bool) -> None:
    """Write a file at once; what is no file, as /dev/stdout, is written to as it is."""
    place = os.path.realpath(path) if keeps_links else path
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113
            with open(path, "wb") as stream:  # noqa: PTH123  as above
                stream.write(data)
        else:
            write_atomically(place, data, mode=_USUAL_MODE & ~_umask())
    except OSError as error:
        raise _Failed(path, error) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _report(messages: Messages, failure: _Failed) -> None:
    """Say where it failed, in sign-file's words but for OpenSSL's own lines, and then why and what to do."""
    if failure.place.endswith(": Short read"):
        sys.stderr.write(f"{printable(failure.place)}\n")
        return
    messages.plain(failure.place)
    error = failure.error
    if isinstance(error, OSError):
        messages.hint((error.strerror or str(error)).lower())
    elif isinstance(error, LkmError):
        messages.hint(error.what)
        if error.hint:
            messages.hint(error.hint)
