"""Keys that people sign modules with, as files: made for a test, each kind once."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

__all__ = ["KeyPair", "make_key_pair"]

_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_KINDS: dict[str, Callable[[], _PrivateKey]] = {
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa4096": lambda: rsa.generate_private_key(65537, 4096),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
}


@dataclass(frozen=True)
class KeyPair:
    """A key and its certificate.

    :param name: the common name
    :param private: the key
    :param key: path of the private key, PEM and not encrypted
    :param certificate: path of the certificate, DER
    """

    name: str
    private: _PrivateKey
    key: Path
    certificate: Path

    @property
    def der(self) -> bytes:
        return self.certificate.read_bytes()

    @property
    def loaded(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)


def make_key_pair(directory: Path, name: str, kind: str = "rsa2048") -> KeyPair:
    """Make a key whose certificate is fit for modules: for signing code, and with a key identifier.

    :param directory: where its two files go
    :param kind: ``rsa2048``, ``rsa4096``, ``p256`` or ``p384``
    """
    key = _KINDS[kind]()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=36500))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pair = KeyPair(name, key, directory / f"{name}.pem", directory / f"{name}.der")
    pair.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    return pair
