"""Keys made for a test, and modules signed with them."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from lkm.formats.module_signature import append

__all__ = ["Signer"]

_TWENTY_BYTES = 1 << 158
"""Makes a serial number as long as most are; a shorter one, one in a hundred, moves what the kernel counts in lines."""

_OPTIONS = pkcs7.PKCS7Options
_LIKE_A_KERNEL_BUILD = (_OPTIONS.DetachedSignature, _OPTIONS.Binary, _OPTIONS.NoAttributes, _OPTIONS.NoCerts)


@dataclass
class Signer:
    """A key with its certificate.

    :param name: the certificate's common name
    :param use_rsa: an RSA key, else one on the curve P-256
    """

    name: str = "A test"
    use_rsa: bool = False

    @cached_property
    def key(self) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
        return rsa.generate_private_key(65537, 2048) if self.use_rsa else ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def certificate(self) -> x509.Certificate:
        return self.certified()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def certified(self, *, serial: int | None = None) -> x509.Certificate:
        """Make a certificate of this key."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)])
        begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(serial or x509.random_serial_number() | _TWENTY_BYTES)
            .not_valid_before(begin)
            .not_valid_after(begin + dt.timedelta(days=36500))
            .sign(self.key, hashes.SHA256())
        )

    def message(
        self,
        contents: bytes,
        *,
        digest: hashes.SHA256 | hashes.SHA512 | None = None,
        options: tuple[pkcs7.PKCS7Options, ...] = _LIKE_A_KERNEL_BUILD,
    ) -> bytes:
        """Make the PKCS#7 message for a module."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(contents)
        builder = builder.add_signer(self.certificate, self.key, digest or hashes.SHA256())
        return builder.sign(serialization.Encoding.DER, list(options))

    def signed(self, contents: bytes) -> bytes:
        """Append a signature as a kernel's build does."""
        return append(contents, self.message(contents))
