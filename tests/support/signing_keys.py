"""Keys, certificates and their files as people have them."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

__all__ = ["certified", "der_of", "encoded", "key_usage", "write_pair"]

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_HUNDRED_YEARS = dt.timedelta(days=36500)


def certified(
    key: CertificateIssuerPrivateKeyTypes,
    *,
    name: x509.Name | None = None,
    serial: int = 0x4242,
    extensions: Sequence[x509.ExtensionType] = (),
    begin: dt.datetime = BEGIN,
    end: dt.datetime = BEGIN + _HUNDRED_YEARS,
    issuer: CertificateIssuerPrivateKeyTypes | None = None,
    with_key_id: bool = True,
) -> x509.Certificate:
    """Make a certificate of a key."""
    own_name = name or x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A test")])
    builder = x509.CertificateBuilder(own_name, own_name, key.public_key(), serial, begin, end)
    own = [x509.SubjectKeyIdentifier.from_public_key(key.public_key())] if with_key_id else []
    for extension in (*own, *extensions):
        builder = builder.add_extension(extension, critical=False)
    signer = issuer or key
    hashed = isinstance(signer, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return builder.sign(signer, hashes.SHA256() if hashed else None)


def key_usage(*usages: str) -> x509.KeyUsage:
    """Give a usage of a key, as in ``digital_signature``."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    others = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in usages for name in (*names, *others)})


def encoded(
    key: CertificateIssuerPrivateKeyTypes,
    *,
    encoding: Encoding = Encoding.PEM,
    form: PrivateFormat = PrivateFormat.PKCS8,
    pass_phrase: bytes | None = None,
) -> bytes:
    """Give the file of a private key."""
    encryption: KeySerializationEncryption = NoEncryption()
    if pass_phrase is not None:
        encryption = BestAvailableEncryption(pass_phrase)
    return key.private_bytes(encoding, form, encryption)


def der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def write_pair(
    directory: Path, key: CertificateIssuerPrivateKeyTypes, certificate: x509.Certificate
) -> tuple[str, str]:
    """Write a key and its certificate, both PEM.

    :returns: the two paths
    """
    paths = directory / "signer.key", directory / "signer.pem"
    paths[0].write_bytes(encoded(key))
    paths[0].chmod(0o600)
    paths[1].write_bytes(certificate.public_bytes(Encoding.PEM))
    return str(paths[0]), str(paths[1])
