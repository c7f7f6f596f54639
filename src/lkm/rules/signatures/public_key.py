"""Verifying one signature with one key, with the kernel's answers.

Source: crypto/asymmetric_keys/public_key.c ``public_key_verify_signature``, crypto/rsa-pkcs1pad.c and
crypto/rsassa-pkcs1.c, crypto/ecdsa.c, crypto/mldsa.c (5.10 to 7.2).
"""

import errno
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lkm.formats.plain_der import INTEGER, RSA_ENCRYPTION, SEQUENCE, Elements, OtherForm

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

__all__ = ["DIGESTS", "ECDSA", "ML_DSA", "RSA", "PublicKey", "key_of", "verify"]

RSA, ECDSA, ML_DSA = "rsa", "ecdsa", "mldsa"
DIGESTS = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"})
"""What every kernel can compute; others depend on its configuration, and on what it can load meanwhile."""

_BITS = 0x03
_CURVE_DIGESTS = DIGESTS - {"md5"}
_FEWEST_ONES = 8  # bytes of padding: RFC 8017, section 9.2


class PublicKey(NamedTuple):
    """A key as certificates hold it.

    :param algorithm: as the kernel names it: ``rsa``, ``ecdsa-nist-p256``, ``mldsa65`` …
    :param encoded: SubjectPublicKeyInfo in DER
    """

    algorithm: str
    encoded: bytes

    @property
    def loaded(self) -> "PublicKeyTypes | None":
        """The key for use; None where nobody here can use it."""
        return key_of(self.encoded)


@lru_cache(maxsize=64)
def key_of(encoded: bytes) -> "PublicKeyTypes | None":
    """Load a key from SubjectPublicKeyInfo."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  only signed modules need it

    numbers = _rsa_numbers(encoded)
    try:
        if numbers is not None:
            from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415  as above

            return rsa.RSAPublicNumbers(numbers[1], numbers[0]).public_key()
        from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415  twice as dear

        return load_der_public_key(encoded)
    except (UnsupportedAlgorithm, ValueError):
        return None


def _rsa_numbers(encoded: bytes) -> tuple[int, int] | None:
    """Give modulus and exponent of an RSA key; None for any other."""
    try:
        parts = Elements(encoded).enter(SEQUENCE)
        if parts.take(SEQUENCE) != RSA_ENCRYPTION:
            return None
        numbers = Elements(parts.take(_BITS)[1:]).enter(SEQUENCE)
        return int.from_bytes(numbers.take(INTEGER)), int.from_bytes(numbers.take(INTEGER))
    except OtherForm:
        return None


def verify(
    key: PublicKey,
    algorithm: str,
    digest: str,
    signature: bytes,
    data: bytes | memoryview,
    lacking: frozenset[str] = frozenset(),
) -> int:
    """Verify a signature.

    :param algorithm: which the signature names: ``rsa``, ``ecdsa``, ``mldsa65`` …
    :param digest: under the kernel's name
    :param data: what was signed
    :param lacking: the algorithms that the kernel was built without, of :data:`ECDSA` and :data:`ML_DSA`
    :returns: 0, or the errno that the kernel gives
    """
    if key.algorithm != algorithm and not (algorithm == ECDSA and key.algorithm.startswith("ecdsa-")):
        return errno.EKEYREJECTED
    if algorithm.rstrip("0123456789") in lacking:
        return errno.ENOENT
    if algorithm == RSA:
        return _verify_rsa(key.loaded, digest, signature, data)
    if algorithm == ECDSA:
        return _verify_curve(key.loaded, digest, signature, data)
    if algorithm.startswith(ML_DSA):
        return _verify_ml_dsa(key.loaded, signature, data)
    return errno.ENOENT  # GOST and SM2, which nobody here can compute and which few kernels can


def _verify_rsa(key: "PublicKeyTypes | None", digest: str, signature: bytes, data: bytes | memoryview) -> int:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415  dear
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415  as above

    if not isinstance(key, rsa.RSAPublicKey) or digest not in DIGESTS:
        return errno.EINVAL
    try:
        # Any buffer will do, whatever the stubs say, and a copy of each module of a tree is dear.
        key.verify(signature, data, padding.PKCS1v15(), _digest(digest))  # type: ignore[arg-type]
    except UnsupportedAlgorithm:
        return errno.ENOPKG
    except (InvalidSignature, ValueError):
        numbers = key.public_numbers()
        return _why_not(numbers.n, numbers.e, digest, signature)
    return 0


def _why_not(modulus: int, exponent: int, digest: str, signature: bytes) -> int:
    """Tell apart what ``rsa_verify`` tells apart: another key opens nothing sensible, other data gives another hash."""
    size = (modulus.bit_length() + 7) // 8
    number = int.from_bytes(signature)
    if len(signature) != size or number >= modulus:
        return errno.EINVAL
    opened = pow(number, exponent, modulus).to_bytes(size)
    if opened[0]:
        return errno.EINVAL
    ones, zero, info = opened[2:].partition(b"\0")
    if opened[1] != 1 or not zero or len(ones) < _FEWEST_ONES or ones.strip(b"\xff"):
        return errno.EBADMSG
    return errno.EKEYREJECTED if info.startswith(_info_before(digest)) else errno.EBADMSG


def _info_before(digest: str) -> bytes:
    """Give the DigestInfo that stands before a hash (``rsa_asn1_templates``)."""
    size = _digest(digest).digest_size
    oid = bytes.fromhex(_DIGEST_OIDS[digest])
    return bytes((0x30, len(oid) + size + 8, 0x30, len(oid) + 4, 0x06, len(oid))) + oid + bytes((5, 0, 4, size))


_DIGEST_OIDS = {
    "md5": "2a864886f70d0205",
    "sha1": "2b0e03021a",
    "sha224": "608648016503040204",
    "sha256": "608648016503040201",
    "sha384": "608648016503040202",
    "sha512": "608648016503040203",
    "sha3-256": "608648016503040208",
    "sha3-384": "608648016503040209",
    "sha3-512": "60864801650304020a",
}


def _verify_curve(key: "PublicKeyTypes | None", digest: str, signature: bytes, data: bytes | memoryview) -> int:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415  as above

    if not isinstance(key, ec.EllipticCurvePublicKey) or digest not in _CURVE_DIGESTS:
        return errno.EINVAL
    try:
        utils.decode_dss_signature(signature)
        key.verify(signature, data, ec.ECDSA(_digest(digest)))
    except UnsupportedAlgorithm:
        return errno.ENOPKG
    except ValueError:
        return errno.EBADMSG
    except InvalidSignature:
        return errno.EKEYREJECTED
    return 0


def _verify_ml_dsa(key: "PublicKeyTypes | None", signature: bytes, data: bytes | memoryview) -> int:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.asymmetric import mldsa  # noqa: PLC0415  as above

    if not isinstance(key, mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey):
        return errno.EINVAL
    try:
        key.verify(signature, data)
    except UnsupportedAlgorithm:
        return errno.ENOPKG
    except ValueError:
        return errno.EBADMSG
    except InvalidSignature:
        return errno.EKEYREJECTED
    return 0


@lru_cache(maxsize=16)
def _digest(name: str) -> "HashAlgorithm":
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  as above

    algorithm: HashAlgorithm = getattr(hashes, name.upper().replace("-", "_"))()
    return algorithm
