"""Verifying one signature with one key."""

import errno

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, padding, rsa

from lkm.rules.signatures.public_key import PublicKey, key_of, verify

DATA = b"what was signed"
RSA = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP384R1())
LATTICE = mldsa.MLDSA44PrivateKey.generate()
DIGESTS = {
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha3-512": hashes.SHA3_512(),
}
MODULUS, EXPONENT = RSA.public_key().public_numbers().n, RSA.public_key().public_numbers().e
SIZE = 256


def _encoded(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | mldsa.MLDSA44PrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


OF_RSA = PublicKey("rsa", _encoded(RSA))
OF_CURVE = PublicKey("ecdsa-nist-p384", _encoded(CURVE))
OF_LATTICE = PublicKey("mldsa44", _encoded(LATTICE))


@pytest.mark.parametrize("digest", DIGESTS)
def test_good(digest: str) -> None:
    made = RSA.sign(DATA, padding.PKCS1v15(), DIGESTS[digest])
    assert verify(OF_RSA, "rsa", digest, made, memoryview(DATA)) == 0
    made = CURVE.sign(DATA, ec.ECDSA(DIGESTS[digest]))
    assert verify(OF_CURVE, "ecdsa", digest, made, memoryview(DATA)) == 0
    assert verify(OF_LATTICE, "mldsa44", "none", LATTICE.sign(DATA), memoryview(DATA)) == 0


@pytest.mark.parametrize("digest", DIGESTS)
def test_of_other_data(digest: str) -> None:
    made = RSA.sign(DATA, padding.PKCS1v15(), DIGESTS[digest])
    assert verify(OF_RSA, "rsa", digest, made, b"other") == errno.EKEYREJECTED
    made = CURVE.sign(DATA, ec.ECDSA(DIGESTS[digest]))
    assert verify(OF_CURVE, "ecdsa", digest, made, b"other") == errno.EKEYREJECTED
    assert verify(OF_LATTICE, "mldsa44", "none", LATTICE.sign(DATA), b"other") == errno.EKEYREJECTED


def _opening_to(opened: bytes) -> bytes:
    """Make the signature out of which the key makes this."""
    return pow(int.from_bytes(opened), RSA.private_numbers().d, MODULUS).to_bytes(SIZE)


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (b"short", errno.EINVAL),
        (b"\xff" * SIZE, errno.EINVAL),
        (_opening_to(b"\x01" + bytes(SIZE - 1)), errno.EINVAL),
        (_opening_to(b"\0\x02" + b"\xff" * (SIZE - 2)), errno.EBADMSG),
        (_opening_to(b"\0\x01" + b"\xff" * (SIZE - 2)), errno.EBADMSG),
        (_opening_to(b"\0\x01" + b"\xff" * 7 + bytes(SIZE - 9)), errno.EBADMSG),
        (_opening_to(b"\0\x01" + b"\xff" * 9 + b"x" + bytes(SIZE - 12)), errno.EBADMSG),
        (_opening_to((b"\0\x01" + b"\xff" * 20).ljust(SIZE, b"\0")), errno.EBADMSG),
        (RSA.sign(DATA, padding.PKCS1v15(), hashes.SHA512()), errno.EBADMSG),
    ],
    ids=["short", "too large", "first", "second", "no end", "few ones", "other padding", "no info", "other digest"],
)
def test_what_rsa_tells_apart(signature: bytes, expected: int) -> None:
    assert verify(OF_RSA, "rsa", "sha256", signature, DATA) == expected


def test_odd_signatures_of_other_kinds() -> None:
    assert verify(OF_CURVE, "ecdsa", "sha256", b"no DER", DATA) == errno.EBADMSG
    assert verify(OF_LATTICE, "mldsa44", "none", b"short", DATA) in {errno.EBADMSG, errno.EKEYREJECTED}


def test_keys_of_another_kind() -> None:
    made = RSA.sign(DATA, padding.PKCS1v15(), hashes.SHA256())
    assert verify(OF_CURVE, "rsa", "sha256", made, DATA) == errno.EKEYREJECTED
    assert verify(OF_RSA, "ecdsa", "sha256", made, DATA) == errno.EKEYREJECTED
    assert verify(PublicKey("rsa", OF_CURVE.encoded), "rsa", "sha256", made, DATA) == errno.EINVAL
    assert verify(PublicKey("mldsa44", b"no key"), "mldsa44", "none", made, DATA) == errno.EINVAL
    assert verify(PublicKey("ecdsa-nist-p256", b"no key"), "ecdsa", "sha256", made, DATA) == errno.EINVAL


def test_what_is_not_there() -> None:
    made = CURVE.sign(DATA, ec.ECDSA(hashes.SHA256()))
    assert verify(OF_CURVE, "ecdsa", "sha256", made, DATA, frozenset({"ecdsa"})) == errno.ENOENT
    assert verify(OF_LATTICE, "mldsa44", "none", LATTICE.sign(DATA), DATA, frozenset({"mldsa"})) == errno.ENOENT
    assert verify(PublicKey("ecrdsa", b""), "ecrdsa", "streebog256", b"", DATA) == errno.ENOENT
    assert verify(OF_CURVE, "ecdsa", "md5", made, DATA) == errno.EINVAL


def test_keys_that_are_none() -> None:
    assert key_of(b"") is None
    assert key_of(b"\x30\x03abc") is None
    assert key_of(OF_RSA.encoded[:-5]) is None
