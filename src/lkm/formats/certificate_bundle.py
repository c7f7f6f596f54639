"""Certificates as files hold them: X.509 in DER, or any number of blocks of PEM among other text."""

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lkm.errors import FormatError

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["BEGIN", "CERTIFICATES", "certificates_of", "is_pkcs12", "load_certificate", "pem_blocks"]

BEGIN = b"-----BEGIN "
"""What a block of PEM begins with."""

CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE")
"""Labels of blocks that hold a certificate; a TRUSTED CERTIFICATE of OpenSSL holds more than one."""

_END, _DASHES = b"-----END ", b"-----"
_SEQUENCE, _INTEGER = b"\x30", b"\x02"
_PKCS12_VERSION = b"\x03"
_WANTED = "a certificate is X.509, in PEM or DER"


def certificates_of(data: bytes) -> "tuple[x509.Certificate, ...]":
    """Read the certificates of a file, PEM or DER.

    :returns: at least one
    :raises FormatError: it holds none, or one that can't be read
    """
    if BEGIN not in data:
        if is_pkcs12(data):
            hint = "name it as the key, without a certificate: its own is used"
            raise FormatError("a PKCS#12 file, where a certificate should be", hint=hint)
        return (load_certificate(data),)
    blocks = list(pem_blocks(data))
    found = tuple([load_certificate(block) for label, block in blocks if label in CERTIFICATES])
    if not found:
        raise FormatError("holds no certificate", hint=_what_instead(data, [label for label, _ in blocks]))
    return found


def _what_instead(data: bytes, labels: list[bytes]) -> str:
    if any(label.endswith(b"PRIVATE KEY") for label in labels):
        return "it holds a private key, which stays secret: name the file of its certificate"
    if any(BEGIN + label + _DASHES in data for label in CERTIFICATES):
        return "the certificate in it has no end: the file was cut short"
    return _WANTED


def load_certificate(data: bytes) -> "x509.Certificate":
    """Read one certificate.

    :param data: DER, or one block of PEM
    :raises FormatError: it is none that can be read
    """
    from cryptography import x509  # noqa: PLC0415  dear, and most runs of the program see no certificate

    try:
        with warnings.catch_warnings():  # of oddities that the kernel does not mind, as a serial number of 0
            warnings.simplefilter("ignore")
            load = x509.load_pem_x509_certificate if data.startswith(BEGIN) else x509.load_der_x509_certificate
            found = load(data)
            # The library reads names when they are asked for, with errors of its own, and so are dates.
            _ = found.subject, found.issuer, found.not_valid_before_utc, found.not_valid_after_utc
    except (TypeError, ValueError, x509.InvalidVersion) as error:  # TypeError: of a name with a BIT STRING
        raise FormatError("holds no certificate that can be read", hint=_WANTED) from error
    return found


def pem_blocks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give (label, the block with its first and last line) in order; what is cut off is left out."""
    label, lines = b"", list[bytes]()
    for line in data.splitlines():
        if line.startswith(BEGIN):
            label, lines = line.rstrip()[len(BEGIN) : -len(_DASHES)], []
        lines.append(line)
        if label and line.rstrip() == _END + label + _DASHES:
            yield label, b"\n".join(lines) + b"\n"
            label, lines = b"", []


def is_pkcs12(data: bytes) -> bool:
    """Tell PKCS#12 from keys by its version, and from certificates by there being one (RFC 7292, section 4)."""
    header = 2 + (data[1] & 0x7F if data[1:2] > b"\x80" else 0)
    return data[:1] == _SEQUENCE and data[header : header + 3] == _INTEGER + b"\x01" + _PKCS12_VERSION
