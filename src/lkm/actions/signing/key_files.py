"""Private keys and certificates out of files: PEM, DER and PKCS#12, encrypted or not."""

from __future__ import annotations

import os
import stat
import warnings
from typing import TYPE_CHECKING, NamedTuple

from lkm.errors import FormatError, Unreadable, UsageError
from lkm.system.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates

    PassPhrase = Callable[[], bytes]

__all__ = ["KeyFile", "read_certificates", "read_key_file"]

_LARGEST = 1 << 20  # bytes
_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_PRIVATE_KEYS = (b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY", b"DSA PRIVATE KEY")
_OPENSSH = b"OPENSSH PRIVATE KEY"
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE")  # TRUSTED CERTIFICATE holds more than one
_SEQUENCE, _INTEGER = b"\x30", b"\x02"
_PKCS12_VERSION = b"\x03"
_OTHER = (
    "kernels know RSA, curves of NIST and ML-DSA: lkm keys new; an old encryption goes by openssl pkey -out NEW.pem"
)
_TO_PEM = "have openssl write it anew: openssl pkey -in FILE -out key.pem"


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
    data = _read(path)
    if _is_pkcs12(data):
        return _from_pkcs12(data, path, pass_phrase)
    is_pem = _BEGIN in data
    key, certificates = _parted(data, path) if is_pem else (data, ())
    if wants_certificate and not certificates:
        raise UsageError(
            "the key's file holds no certificate", where=path, hint="name the file of its certificate, too"
        )
    return KeyFile(_private_key(key, path, pass_phrase, is_pem=is_pem), certificates)


def read_certificates(path: str) -> tuple[x509.Certificate, ...]:
    """Read the certificates of a file, PEM or DER.

    :param path: of the host
    :returns: at least one
    :raises Unreadable: the file can't be read
    :raises FormatError: it holds no certificate
    """
    data = _read(path)
    if _BEGIN not in data:
        if _is_pkcs12(data):
            raise FormatError(
                "a PKCS#12 file, where a certificate should be",
                where=path,
                hint="name it as the key, without a certificate: its own is used",
            )
        return (_certificate(data, path),)
    found = tuple([_certificate(block, path) for label, block in _pem_blocks(data) if label in _CERTIFICATES])
    if not found:
        raise FormatError("holds no certificate", where=path, hint="a certificate is X.509, in PEM or DER")
    return found


def _read(path: str) -> bytes:
    """Read a file, or a pipe: keys that are kept encrypted otherwise come by ``<(gpg -d key.gpg)``."""
    try:
        is_pipe = stat.S_ISFIFO(os.stat(path).st_mode)  # noqa: PTH116  pathlib is dear at start-up
        if not is_pipe:
            return Root().read_bytes(path, limit=_LARGEST)
        with open(path, "rb") as pipe:  # noqa: PTH123  as above
            data = pipe.read(_LARGEST + 1)
    except OSError as error:
        raise Unreadable((error.strerror or str(error)).lower(), where=path) from error
    except ValueError:
        raise Unreadable("the path holds a NUL character", where=repr(path)[:80]) from None
    if len(data) > _LARGEST:
        raise Unreadable(f"is larger than {_LARGEST >> 20} MiB", where=path, hint="this is no key and no certificate")
    return data


def _parted(data: bytes, path: str) -> tuple[bytes, tuple[x509.Certificate, ...]]:
    """Give the private key of a PEM file, still as PEM, and the certificates."""
    blocks = list(_pem_blocks(data))
    labels = {label for label, _ in blocks}
    key = next((block for label, block in blocks if label in _PRIVATE_KEYS), None)
    if key is None:
        if _OPENSSH in labels:
            raise FormatError("a key of OpenSSH", where=path, hint=f"rewrite it: ssh-keygen -p -m PKCS8 -f {path}")
        raise FormatError("holds no private key", where=path, hint=_what_instead(labels))
    return key, tuple([_certificate(block, path) for label, block in blocks if label in _CERTIFICATES])


def _what_instead(labels: set[bytes]) -> str:
    if not labels.isdisjoint(_CERTIFICATES):
        return "it holds a certificate: name the file of its private key"
    if any(label.endswith(b"PUBLIC KEY") for label in labels):
        return "it holds a public key: name the file of the private one"
    return "a private key is PEM, DER or PKCS#12"


def _pem_blocks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give (label, the block with its first and last line) in order; what is cut off is left out."""
    label, lines = b"", list[bytes]()
    for line in data.splitlines():
        if line.startswith(_BEGIN):
            label, lines = line.rstrip()[len(_BEGIN) : -len(_DASHES)], []
        lines.append(line)
        if label and line.rstrip() == _END + label + _DASHES:
            yield label, b"\n".join(lines) + b"\n"
            label, lines = b"", []


def _is_pkcs12(data: bytes) -> bool:
    """Tell PKCS#12 from keys by its version, and from certificates by there being one (RFC 7292, section 4)."""
    header = 2 + (data[1] & 0x7F if data[1:2] > b"\x80" else 0)
    return data[:1] == _SEQUENCE and data[header : header + 3] == _INTEGER + b"\x01" + _PKCS12_VERSION


def _private_key(data: bytes, path: str, pass_phrase: PassPhrase, *, is_pem: bool) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  dear, and only what signs needs it

    load = serialization.load_pem_private_key if is_pem else serialization.load_der_private_key

    # Checking that the numbers of an RSA key fit each other takes 0.3 s; each signature is verified instead.
    def decode(phrase: bytes | None) -> PrivateKeyTypes:
        return load(data, phrase, unsafe_skip_rsa_key_validation=True)

    try:
        return _decoded(decode, None, path)
    except TypeError:  # so the library says that the key is encrypted
        pass
    phrase = pass_phrase()
    if not phrase:  # which the library takes for none
        raise _wrong_pass_phrase(path)
    try:
        return _decoded(decode, phrase, path)
    except FormatError as error:
        raise _wrong_pass_phrase(path) from error


def _decoded(decode: Callable[[bytes | None], PrivateKeyTypes], phrase: bytes | None, path: str) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  as above

    try:
        return decode(phrase)
    except UnsupportedAlgorithm as error:
        raise UsageError(f"a private key of a kind that can't be read: {error}", where=path, hint=_OTHER) from error
    except ValueError as error:
        raise FormatError("holds no private key that can be read", where=path, hint=_TO_PEM) from error


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
    from shlex import quote  # noqa: PLC0415  only when something went wrong

    return UsageError(
        "the pass phrase does not open the key, or the file is damaged",
        where=path,
        hint=f"find out which: openssl {tool} -in {quote(path)} -noout",
    )


def _certificate(data: bytes, path: str) -> x509.Certificate:
    from cryptography import x509  # noqa: PLC0415  as above

    try:
        with warnings.catch_warnings():  # of oddities that the kernel does not mind, as a serial number of 0
            warnings.simplefilter("ignore")
            load = x509.load_pem_x509_certificate if data.startswith(_BEGIN) else x509.load_der_x509_certificate
            certificate = load(data)
            # The library reads names when they are asked for, with errors of its own, and so are dates.
            _ = (
                certificate.subject,
                certificate.issuer,
                certificate.not_valid_before_utc,
                certificate.not_valid_after_utc,
            )
    except (TypeError, ValueError, x509.InvalidVersion) as error:
        raise FormatError(
            "holds no certificate that can be read", where=path, hint="a certificate is X.509, in PEM or DER"
        ) from error
    return certificate
