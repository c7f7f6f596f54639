"""The usual form of certificate, against the library that reads all forms."""

import datetime as dt
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.signing import Signer

from lkm.formats import rsa_certificate
from lkm.formats.rsa_certificate import RsaCertificate

_NAME = x509.Name(
    [
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Organisation"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "Build key"),
        x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "DE"),
    ]
)
_UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0")


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505  small ones are made sooner


@cache
def _made(kind: str = "usual") -> bytes:
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = (
        x509.CertificateBuilder(_NAME, _NAME, _key().public_key(), 0xF00D)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=36500))
    )
    if kind != "bare":
        key_id = x509.SubjectKeyIdentifier.from_public_key(_key().public_key())
        builder = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_id, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier(key_id.digest, None, None), critical=False)
        )
    if kind == "unknown extension":
        builder = builder.add_extension(_UNKNOWN, critical=False)
    digest = hashes.SHA3_256() if kind == "another digest" else hashes.SHA512()
    return builder.sign(_key(), digest).public_bytes(serialization.Encoding.DER)


def _by_library(der: bytes) -> RsaCertificate | None:
    try:
        certificate = x509.load_der_x509_certificate(der)
        extensions = certificate.extensions
        key = certificate.public_key()
    except ValueError:
        return None
    assert isinstance(key, rsa.RSAPublicKey)
    found = [item.value for item in extensions if isinstance(item.value, x509.SubjectKeyIdentifier)]
    numbers = key.public_numbers()
    return RsaCertificate(
        certificate.issuer.public_bytes(),
        certificate.serial_number,
        found[0].digest if found else None,
        numbers.n,
        numbers.e,
    )


@pytest.mark.parametrize("der", [_made(), _made("bare"), Signer(use_rsa=True).der])
def test_the_usual_form(der: bytes) -> None:
    found = rsa_certificate.read(der)
    assert found is not None
    assert found == _by_library(der)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30\x82\x03\0",
        _made()[:-1],
        _made() + b"\0",
        _made("unknown extension"),
        _made("another digest"),
        Signer().der,
        _made().replace(b"\x02\x03\0\xf0\x0d", b"\x02\x03\0\x70\x0d"),  # a zero too many
        _made().replace(b"\x02\x03\0\xf0\x0d", b"\x02\x03\xf0\xf0\x0d"),  # below zero
        _made().replace(b"260101000000Z", b"2601010000+0Z"),
        _made().replace(b"\x01\x01\xff", b"\x01\x01\x01"),
    ],
)
def test_other_forms_are_left_to_the_library(der: bytes) -> None:
    assert rsa_certificate.read(der) is None


def test_the_test_knows_a_key_of_another_kind() -> None:
    assert isinstance(x509.load_der_x509_certificate(Signer().der).public_key(), ec.EllipticCurvePublicKey)


@given(st.data())
@settings(max_examples=200)
def test_changed_certificates_raise_nothing(data: st.DataObject) -> None:
    changed = bytearray(_made())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        if data.draw(st.booleans()):
            changed[place] = data.draw(st.integers(0, 255))
        else:
            del changed[place]
    found = rsa_certificate.read(bytes(changed))
    assert found is None or found.serial > 0
    if found is not None:
        assert found.issuer in bytes(changed)


@given(st.binary(max_size=100))
def test_any_bytes_are_refused(der: bytes) -> None:
    assert rsa_certificate.read(der) is None
