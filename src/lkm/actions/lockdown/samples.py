"""A key and a few signed bytes, to ask the rules with: the key is made for one question, and forgotten."""

from datetime import UTC, datetime, timedelta

from lkm.formats.cms_writer import KeyAlgorithm, issuer_and_serial, signed_data
from lkm.formats.module_signature import append
from lkm.rules.signatures.trust_table import Samples

__all__ = ["make_samples"]

_CONTENT = b"a module"
_BITS = 2048


def make_samples() -> Samples:
    """Make a certificate as signers of modules have it, and what its key signed."""
    from cryptography import x509  # noqa: PLC0415  dear, and only this needs it
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    key = rsa.generate_private_key(65537, _BITS)  # of the kinds, every kernel knows this one
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a key of the owner's")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    message = signed_data(
        key.sign(_CONTENT, padding.PKCS1v15(), hashes.SHA256()),
        signer=issuer_and_serial(certificate),
        digest="sha256",
        algorithm=KeyAlgorithm.RSA,
    )
    return Samples(certificate, _CONTENT, append(_CONTENT, message), append(_CONTENT[::-1], message))
