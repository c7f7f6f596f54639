"""Certificates that a kernel trusts, taken apart once: every signed module of a tree is held against the same few."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from lkm.formats import rsa_certificate

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from lkm.formats.cms import SignerInfo
    from lkm.formats.rsa_certificate import RsaCertificate

__all__ = ["TrustedCertificate", "read_certificate"]


@dataclass(frozen=True, slots=True)
class TrustedCertificate:
    """What a signature is held against.

    :param issuer: the issuer's Name in DER, with its header
    :param serial: the serial number
    :param key_id: the subject key identifier, or None
    :param der: all of it
    """

    issuer: bytes
    serial: int
    key_id: bytes | None
    der: bytes

    @property
    def key(self) -> "CertificatePublicKeyTypes | None":
        """The public key; None where it is of a kind that nobody here knows."""
        return _key(self.der)

    def is_named_by(self, signer: "SignerInfo") -> bool:
        """Tell whether a signature names this certificate: by issuer and serial number, or by subject key identifier.

        Source: crypto/asymmetric_keys/pkcs7_trust.c ``pkcs7_validate_trust_one`` (6.1).
        """
        if signer.serial is not None:
            same_issuer = signer.issuer is None or self.issuer.endswith(signer.issuer)
            return self.serial == int.from_bytes(signer.serial, "big", signed=True) and same_issuer
        return signer.key_id is not None and signer.key_id == self.key_id


@lru_cache(maxsize=64)
def read_certificate(der: bytes) -> TrustedCertificate | None:
    """Read a certificate.

    :param der: the certificate, or what only looks like one in a kernel image
    :returns: None for what is none
    """
    usual = rsa_certificate.read(der)
    if usual is not None:
        return TrustedCertificate(usual.issuer, usual.serial, usual.key_id, der)
    from cryptography import x509  # noqa: PLC0415  dear, and few certificates need it

    try:
        certificate = x509.load_der_x509_certificate(der)
        return TrustedCertificate(
            certificate.issuer.public_bytes(), certificate.serial_number, _key_id(certificate), der
        )
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _key(der: bytes) -> "CertificatePublicKeyTypes | None":
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  only signed modules need it

    usual = rsa_certificate.read(der)
    try:
        return _unusual_key(der) if usual is None else _rsa_key(usual)
    except (UnsupportedAlgorithm, ValueError):
        return None


def _rsa_key(certificate: "RsaCertificate") -> "CertificatePublicKeyTypes":
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415  as above

    return rsa.RSAPublicNumbers(certificate.exponent, certificate.modulus).public_key()


def _unusual_key(der: bytes) -> "CertificatePublicKeyTypes":
    from cryptography import x509  # noqa: PLC0415  as above

    return x509.load_der_x509_certificate(der).public_key()


def _key_id(certificate: "x509.Certificate") -> bytes | None:
    from cryptography import x509  # noqa: PLC0415  as above

    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        return None
