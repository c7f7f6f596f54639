"""What is told of certificates."""

import datetime as dt
import hashlib
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509 import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.formats.certificate import CertificateFacts, describe

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MODULES_ONLY = x509.ObjectIdentifier("1.3.6.1.4.1.2312.16.1.2")
NAMES = {"cn": NameOID.COMMON_NAME, "o": NameOID.ORGANIZATION_NAME, "mail": NameOID.EMAIL_ADDRESS}


@cache
def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def _curve() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def name(**parts: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NAMES[kind], text) for kind, text in parts.items()])


def made(
    key: CertificateIssuerPrivateKeyTypes,
    subject: x509.Name,
    digest: hashes.SHA256 | hashes.SHA512 | None,
    *extensions: x509.ExtensionType,
) -> bytes:
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 0xF00D)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + dt.timedelta(days=30))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, digest).public_bytes(serialization.Encoding.DER)


@cache
def _full() -> bytes:
    return made(
        _rsa(),
        name(cn="Build key", o="Acme"),
        hashes.SHA512(),
        x509.BasicConstraints(ca=True, path_length=None),
        x509.KeyUsage(*(True, False, False, False, False, True, False, False, False)),
        x509.ExtendedKeyUsage(
            [x509.oid.ExtendedKeyUsageOID.CODE_SIGNING, MODULES_ONLY, x509.ObjectIdentifier("1.2.3")]
        ),
        x509.SubjectKeyIdentifier(b"\x12\x34"),
    )


def test_all_of_it() -> None:
    der = _full()
    signed = x509.load_der_x509_certificate(der).tbs_certificate_bytes
    assert describe(der) == CertificateFacts(
        name="Acme: Build key",
        subject="O=Acme,CN=Build key",
        issuer="O=Acme,CN=Build key",
        serial=0xF00D,
        key_id=b"\x12\x34",
        not_before=BEGIN,
        not_after=BEGIN + dt.timedelta(days=30),
        usages=("digitalSignature", "keyCertSign", "codeSigning", "moduleSigningOnly", "1.2.3"),
        is_ca=True,
        key="RSA 2048",
        signed_with="sha512",
        fingerprint=hashlib.sha256(der).hexdigest(),
        tbs_sha256=hashlib.sha256(signed).hexdigest(),
        tbs_own_digest=hashlib.sha512(signed).hexdigest(),
    )


def test_a_bare_one() -> None:
    facts = describe(made(_curve(), name(cn="Bare"), hashes.SHA256()))
    assert facts is not None
    assert (facts.key, facts.usages, facts.is_ca, facts.key_id) == ("EC P-384", (), False, None)
    assert facts.tbs_own_digest == facts.tbs_sha256
    assert facts.is_self_signed


def test_a_key_that_needs_no_hash() -> None:
    facts = describe(made(ed25519.Ed25519PrivateKey.generate(), name(cn="Edwards"), None))
    assert facts is not None
    assert (facts.key, facts.signed_with, facts.tbs_own_digest) == ("Ed25519", "", "")


@pytest.mark.parametrize(
    ("parts", "short"),
    [
        ({"cn": "Key"}, "Key"),
        ({"o": "Acme"}, "Acme"),
        ({"mail": "a@b"}, "a@b"),
        ({"cn": "Acme Drivers", "o": "Acme"}, "Acme Drivers"),
        ({"cn": "Example Corp UEFI", "o": "Example Inc"}, "Example Corp UEFI"),
        ({"cn": "Drivers", "o": "Acme"}, "Acme: Drivers"),
    ],
)
def test_short_names_are_the_kernels(parts: dict[str, str], short: str) -> None:
    facts = describe(made(_curve(), name(**parts), hashes.SHA256()))
    assert facts is not None
    assert facts.name == short


@pytest.mark.parametrize("der", [b"", b"\x30\x00", bytes(100), _full()[:-1], _full() + b"\0"])
def test_none(der: bytes) -> None:
    assert describe(der) is None


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(_full()) - 1), st.integers(0, 255))
def test_any_byte_changed(place: int, value: int) -> None:
    der = bytearray(_full())
    der[place] = value
    facts = describe(bytes(der))
    assert facts is None or facts.fingerprint == hashlib.sha256(der).hexdigest()


def test_a_key_of_an_unknown_kind() -> None:
    der = _full().replace(bytes.fromhex("2a864886f70d010101"), bytes.fromhex("2a864886f70d010163"))
    facts = describe(der)
    assert facts is not None
    assert facts.key == "unknown (1.2.840.113549.1.1.99)"
