"""Private keys that this process holds: signing with them, and verifying what a key made."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lkm.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

__all__ = ["FileKey", "encoded", "is_good", "public_half"]

_NEW_KEY = "make a new key: lkm keys new"


@dataclass(frozen=True, slots=True)
class FileKey:
    """A private key that was read from a file.

    :param encoded: PKCS#8 in DER, not encrypted: it must not leave this process and its workers
    """

    encoded: bytes = field(repr=False)

    def sign_hash(self, digest: str, value: bytes) -> bytes:
        """Sign a hash: PKCS#1 v1.5 with an RSA key, ECDSA in DER with another.

        :param digest: as in ``sha256`` or ``sha3-256``
        :param value: the hash
        :raises UsageError: the key is damaged, too short for the hash, or of another kind
        """
        from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils  # noqa: PLC0415  dear

        key, prehashed = _loaded(self.encoded), utils.Prehashed(_digest(digest))
        try:
            if isinstance(key, rsa.RSAPrivateKey):
                return key.sign(value, padding.PKCS1v15(), prehashed)
            if isinstance(key, ec.EllipticCurvePrivateKey):
                return key.sign(value, ec.ECDSA(prehashed))
        except ValueError as error:
            raise UsageError(f"the key is damaged, or too short for {digest}", hint=_NEW_KEY) from error
        raise UsageError(f"nothing can be signed with {type(key).__name__}", hint=_NEW_KEY)

    def sign_contents(self, contents: bytes | bytearray | memoryview) -> bytes:
        """Sign data itself, without attributes and with an empty context, with an ML-DSA key (FIPS 204).

        :raises UsageError: the key is of another kind
        """
        from cryptography.hazmat.primitives.asymmetric import mldsa  # noqa: PLC0415  as above

        key = _loaded(self.encoded)
        if isinstance(key, mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey):
            return key.sign(contents)
        raise UsageError(f"nothing can be signed with {type(key).__name__}", hint=_NEW_KEY)


def encoded(key: PrivateKeyTypes) -> bytes:
    """Give a private key as PKCS#8 in DER, not encrypted."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  as above

    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_half(key: PrivateKeyTypes) -> bytes:
    """Give the public half of a key as SubjectPublicKeyInfo in DER."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415  as above

    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def is_good(public: object, digest: str, value: bytes, signature: bytes) -> bool:
    """Tell whether a signature of a hash is one by a public key, RSA or on a curve."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils  # noqa: PLC0415  as above

    prehashed = utils.Prehashed(_digest(digest))
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, value, padding.PKCS1v15(), prehashed)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, value, ec.ECDSA(prehashed))
        else:
            return False
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=4)
def _loaded(key: bytes) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_der_private_key  # noqa: PLC0415  as above

    return load_der_private_key(key, None, unsafe_skip_rsa_key_validation=True)


@lru_cache(maxsize=8)
def _digest(name: str) -> HashAlgorithm:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  as above

    algorithm: HashAlgorithm = getattr(hashes, name.upper().replace("-", "_"))()
    return algorithm
