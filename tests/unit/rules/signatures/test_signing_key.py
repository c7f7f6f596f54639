"""Which keys kernels verify with, and what is odd about a certificate."""

import datetime as dt
from collections.abc import Callable
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from tests.support.signing_keys import BEGIN, certified, der_of, key_usage

from lkm.errors import UsageError
from lkm.formats.certificate import describe
from lkm.formats.cms_writer import KeyAlgorithm
from lkm.rules.signatures.signing_key import algorithm_of, oddities

P256 = ec.generate_private_key(ec.SECP256R1())
NOW = BEGIN + dt.timedelta(days=10)
DAY = dt.timedelta(days=1)
DSA_BITS = 1024  # the fewest, and so the quickest


Make = Callable[[], CertificateIssuerPrivateKeyTypes]


@cache
def _rsa(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def _curve(curve: type[ec.EllipticCurve]) -> Make:
    return lambda: ec.generate_private_key(curve())


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [
        (_rsa, KeyAlgorithm.RSA),
        (lambda: _rsa(1024), KeyAlgorithm.RSA),
        (lambda: _rsa(2047), KeyAlgorithm.RSA),  # which has as many bytes as one of 2048
        *[(_curve(curve), KeyAlgorithm.ECDSA) for curve in (ec.SECP192R1, ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)],
        (mldsa.MLDSA44PrivateKey.generate, KeyAlgorithm.ML_DSA_44),
        (mldsa.MLDSA65PrivateKey.generate, KeyAlgorithm.ML_DSA_65),
        (mldsa.MLDSA87PrivateKey.generate, KeyAlgorithm.ML_DSA_87),
    ],
)
def test_keys_that_kernels_know(make: Make, algorithm: KeyAlgorithm) -> None:
    key = make()
    assert algorithm_of(certified(key, issuer=P256)) is algorithm
    if algorithm.takes_contents:
        assert algorithm_of(certified(key)) is algorithm


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (ed25519.Ed25519PrivateKey.generate, "Ed25519"),
        (ed448.Ed448PrivateKey.generate, "Ed448"),
        (lambda: dsa.generate_private_key(DSA_BITS), "DSA"),
        (_curve(ec.SECP256K1), "the curve secp256k1"),
        (_curve(ec.BrainpoolP256R1), "the curve brainpoolP256r1"),
        (lambda: _rsa(1200), "an RSA key of 1200 bits, only 512, 1024, 1536, 2048, 3072, 4096"),
    ],
)
def test_keys_that_no_kernel_knows(make: Make, what: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        algorithm_of(certified(make(), issuer=P256))
    assert "lkm keys new" in str(caught.value.hint)


def test_certificates_that_no_kernel_loads() -> None:
    ed = certified(_rsa(), issuer=ed25519.Ed25519PrivateKey.generate())
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, P256.public_key(), 5, BEGIN, BEGIN + DAY)
    pss = builder.sign(_rsa(), hashes.SHA256(), rsa_padding=padding.PSS(padding.MGF1(hashes.SHA256()), 32))
    for certificate, name_ in ((ed, "Ed25519"), (pss, "RSA-PSS")):
        with pytest.raises(UsageError, match=f"itself signed with {name_}"):
            algorithm_of(certificate)


def _odd(certificate: x509.Certificate, now: dt.datetime = NOW) -> tuple[str, ...]:
    facts = describe(der_of(certificate))
    assert facts is not None
    return oddities(facts, now)


def test_a_usual_certificate_has_no_oddities() -> None:
    assert _odd(certified(P256)) == ()
    assert _odd(certified(_rsa(), extensions=[key_usage("digital_signature")])) == ()
    ca = [x509.BasicConstraints(ca=True, path_length=None), key_usage("digital_signature", "key_cert_sign")]
    assert _odd(certified(_rsa(), extensions=ca)) == ()


def test_dates() -> None:
    certificate = certified(P256, begin=BEGIN, end=BEGIN + DAY)
    assert _odd(certificate, BEGIN) == ()
    (expired,) = _odd(certificate, BEGIN + 2 * DAY)
    assert expired.startswith("the certificate expired on 2026-01-02; kernels do not look at dates")
    (early,) = _odd(certificate, BEGIN - DAY)
    assert early.startswith("the certificate is valid only from 2026-01-01 00:00 UTC; kernels do not look at dates")


def test_usages() -> None:
    ca = [x509.BasicConstraints(ca=True, path_length=None), key_usage("key_cert_sign", "crl_sign")]
    (authority,) = _odd(certified(P256, extensions=ca))
    assert "a CA's, not a signer's: its key usage (keyCertSign, cRLSign) lacks digitalSignature" in authority
    assert "kernels verify modules with it all the same" in authority
    (other,) = _odd(certified(P256, extensions=[key_usage("key_encipherment")]))
    assert "the certificate is not a signer's: its key usage (keyEncipherment)" in other
    purposes = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
    assert _odd(certified(P256, extensions=[purposes])) == ()


def test_keys() -> None:
    assert "1024 bits is too short" in _odd(certified(_rsa(1024)))[0]
    assert "P-192 is too short" in _odd(certified(ec.generate_private_key(ec.SECP192R1())))[0]
    assert "kernels before 6.10" in _odd(certified(ec.generate_private_key(ec.SECP521R1())))[0]
    assert "kernels before 7.0" in _odd(certified(mldsa.MLDSA44PrivateKey.generate()))[0]
