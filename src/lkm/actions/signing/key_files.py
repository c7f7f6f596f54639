"""Private keys and certificates out of files: PEM, DER and PKCS#12, encrypted or not."""

from __future__ import annotations

import shlex
import warnings
from typing import TYPE_CHECKING, NamedTuple

from lkm.actions.certificate_files import read_key_data
from lkm.errors import FormatError, UsageError
from lkm.formats.certificate_bundle import BEGIN, CERTIFICATES, is_pkcs12, load_certificate, pem_blocks
from lkm.system.located import located

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates

    PassPhrase = Callable[[], bytes]

__all__ = ["KeyFile", "read_key_file"]

_PRIVATE_KEYS = (b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY", b"DSA PRIVATE KEY")
_OPENSSH = b"OPENSSH PRIVATE KEY"
_OPENSSH_PUBLIC = (b"ssh-", b"ecdsa-sha2-")
_OTHER = (
    "kernels know RSA, curves of NIST and ML-DSA: lkm keys new; an old encryption goes by openssl pkey -out NEW.pem"
)


class KeyFile(NamedTuple):
    """What a file of keys holds.

    :param key: the private key
    :param certificates: those beside it, in order
    """

    key: PrivateKeyTypes
    certificates: tuple[x509.Certificate, ...]


def read_key_file(path: str, pass_phrase: PassPhrase, *, wants_certificate: bool = False) -> KeyFile:
    """Read a private key, and the certificates that the file holds too.

    :param path: of the host; PEM, DER (PKCS#8, PKCS#1, SEC 1) or PKCS#12
    :param pass_phrase: asked at most once, and only for an encrypted file
    :param wants_certificate: without one nobody needs to be asked
    :raises Unreadable: the file can't be read
    :raises FormatError: it holds no private key that can be read
    :raises UsageError: the pass phrase is wrong, or there is no certificate; also what ``pass_phrase`` raises
    """
    data = read_key_data(path)
    if is_pkcs12(data):
        return _from_pkcs12(data, path, pass_phrase)
    is_pem = BEGIN in data
    key, certificates = _parted(data, path) if is_pem else (data, ())
    if wants_certificate and not certificates:
        raise UsageError(
            "the key's file holds no certificate", where=path, hint="name the file of its certificate, too"
        )
    return KeyFile(_private_key(key, path, pass_phrase, is_pem=is_pem), certificates)


def _parted(data: bytes, path: str) -> tuple[bytes, tuple[x509.Certificate, ...]]:
    """Give the private key of a PEM file, still as PEM, and the certificates."""
    blocks = list(pem_blocks(data))
    labels = {label for label, _ in blocks}
    key = next((block for label, block in blocks if label in _PRIVATE_KEYS), None)
    if key is None:
        if _OPENSSH in labels:
            hint = f"have it rewritten, best a copy: ssh-keygen -p -m PKCS8 -f {shlex.quote(path)}"
            raise FormatError("a key of OpenSSH", where=path, hint=hint)
        raise FormatError("holds no private key", where=path, hint=_what_instead(labels))
    with located(path):
        return key, tuple([load_certificate(block) for label, block in blocks if label in CERTIFICATES])


def _what_instead(labels: set[bytes]) -> str:
    if not labels.isdisjoint(CERTIFICATES):
        return "it holds a certificate: name the file of its private key"
    if any(label.endswith(b"PUBLIC KEY") for label in labels):
        return "it holds a public key: name the file of the private one"
    return "a private key is PEM, DER or PKCS#12"


def _private_key(data: bytes, path: str, pass_phrase: PassPhrase, *, is_pem: bool) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  dear, and only what signs needs it

    load = serialization.load_pem_private_key if is_pem else serialization.load_der_private_key

    # Checking that the numbers of an RSA key fit each other takes 0.3 s; each signature is verified instead.
    def decode(phrase: bytes | None) -> PrivateKeyTypes:
        return load(data, phrase, unsafe_skip_rsa_key_validation=True)

    try:
        return _decoded(decode, None, path, data)
    except TypeError:  # so the library says that the key is encrypted
        pass
    phrase = pass_phrase()
    if not phrase:  # which the library takes for none
        raise _wrong_pass_phrase(path)
    try:
        return _decoded(decode, phrase, path, data)
    except FormatError as error:
        raise _wrong_pass_phrase(path) from error


def _decoded(
    decode: Callable[[bytes | None], PrivateKeyTypes], phrase: bytes | None, path: str, data: bytes
) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  as above

    try:
        return decode(phrase)
    except UnsupportedAlgorithm as error:
        raise UsageError(f"a private key of a kind that can't be read: {error}", where=path, hint=_OTHER) from error
    except ValueError as error:
        labels = _labels_instead(data)
        if labels:
            raise FormatError("holds no private key", where=path, hint=_what_instead(labels)) from error
        hint = f"have openssl write it anew: openssl pkey -in {shlex.quote(path)} -out key.pem"
        raise FormatError("holds no private key that can be read", where=path, hint=hint) from error


def _labels_instead(data: bytes) -> set[bytes]:
    """Tell what a file holds in place of a private key, as PEM would label it; empty where that is not known."""
    if data.startswith(_OPENSSH_PUBLIC):
        return {b"PUBLIC KEY"}
    try:
        load_certificate(data)
    except FormatError:
        return set()
    return {CERTIFICATES[0]}


def _from_pkcs12(data: bytes, path: str, pass_phrase: PassPhrase) -> KeyFile:
    found = _opened_pkcs12(data, path, pass_phrase)
    if found.key is None:
        raise FormatError("holds no private key", where=path, hint="export the key with the certificate")
    own = [found.cert] if found.cert is not None else []
    certificates = [entry.certificate for entry in (*own, *found.additional_certs)]
    return KeyFile(found.key, tuple(certificates))


def _opened_pkcs12(data: bytes, path: str, pass_phrase: PassPhrase) -> PKCS12KeyAndCertificates:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.serialization import pkcs12  # noqa: PLC0415  as above

    # Files without a pass phrase, and with an empty one, which is not the same, are opened without asking.
    for ask in (lambda: None, lambda: b"", pass_phrase):
        phrase = ask()
        try:
            if phrase:
                phrase.decode()  # which the library wants
            with warnings.catch_warnings():  # of BER, which other programs write
                warnings.simplefilter("ignore")
                return pkcs12.load_pkcs12(data, phrase)
        except UnsupportedAlgorithm as error:
            raise UsageError(f"a PKCS#12 file that can't be read: {error}", where=path, hint=_FROM_PKCS12) from error
        except ValueError:
            continue
    raise _wrong_pass_phrase(path, "pkcs12")


_FROM_PKCS12 = "have openssl write it as PEM: openssl pkcs12 -in FILE -out key.pem"


def _wrong_pass_phrase(path: str, tool: str = "pkey") -> UsageError:
    return UsageError(
        "the pass phrase does not open the key, or the file is damaged",
        where=path,
        hint=f"find out which: openssl {tool} -in {shlex.quote(path)} -noout",
    )
