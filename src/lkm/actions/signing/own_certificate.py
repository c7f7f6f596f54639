"""The certificate that modules are signed for, taken apart once, to tell one's own signatures from others'."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cryptography import x509

    from lkm.formats.cms import SignerInfo

__all__ = ["OwnCertificate", "own_certificate"]


class OwnCertificate(NamedTuple):
    """A certificate.

    :param der: all of it
    :param issuer: the issuer's Name in DER, with its header
    :param serial: its number
    :param key_id: its subjectKeyIdentifier, or None
    :param name: who it belongs to, for people
    """

    der: bytes
    issuer: bytes
    serial: int
    key_id: bytes | None
    name: str

    def is_named_by(self, signer: "SignerInfo") -> bool:
        """Tell whether a signature names this certificate: by issuer and serial number, or by key identifier."""
        if signer.serial is None:
            return signer.key_id is not None and signer.key_id == self.key_id
        same_number = self.serial == int.from_bytes(signer.serial, "big", signed=True)
        return same_number and signer.issuer is not None and self.issuer.endswith(signer.issuer)


def own_certificate(certificate: "x509.Certificate") -> OwnCertificate:
    """Take a certificate apart."""
    from cryptography import x509  # noqa: PLC0415  dear
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415  as above

    try:
        key_id = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        key_id = None
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    name = names[0].value if names else certificate.subject.rfc4514_string()
    return OwnCertificate(
        certificate.public_bytes(Encoding.DER),
        certificate.issuer.public_bytes(),
        certificate.serial_number,
        key_id,
        name if isinstance(name, str) else name.hex(),
    )
