"""The digests and signature algorithms that a kernel knows (crypto/asymmetric_keys/pkcs7_parser.c, 5.10 to 7.2)."""

from functools import lru_cache

__all__ = ["RSA", "digests", "is_known_algorithm", "key_algorithm_of"]

RSA = "1.2.840.113549.1.1.1"

_SHA3 = {
    "2.16.840.1.101.3.4.2.8": "sha3-256",
    "2.16.840.1.101.3.4.2.9": "sha3-384",
    "2.16.840.1.101.3.4.2.10": "sha3-512",
}
_OLD = {"1.2.840.113549.2.4": "md4", "1.2.840.113549.2.5": "md5"}
_LATER = {
    "1.2.156.10197.1.401": "sm3",
    "1.2.643.7.1.1.2.2": "streebog256",
    "1.2.643.7.1.1.2.3": "streebog512",
}
_SHA = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
# ECDSA with SHA-1 and SHA-2 from edition 1 on, GOST too; SM2 in edition 1 alone.
_CURVES = frozenset({"1.2.840.10045.4.1", *(f"1.2.840.10045.4.3.{number}" for number in range(1, 5))})
_GOST = frozenset({"1.2.643.7.1.1.1.1", "1.2.643.7.1.1.1.2"})
_CURVES_SHA3 = frozenset(f"2.16.840.1.101.3.4.3.{number}" for number in range(10, 13))
_SM2 = frozenset({"1.2.156.10197.1.501"})
_ML_DSA = frozenset(f"2.16.840.1.101.3.4.3.{number}" for number in range(17, 20))


@lru_cache(maxsize=4)
def digests(edition: int) -> dict[str, str]:
    """Give the digests by their object identifiers, under the kernel's names.

    :param edition: as for :func:`lkm.formats.oid_registry.numbers`
    """
    return {
        **_SHA,
        **(_OLD if edition < 2 else {}),
        **(_LATER if edition > 0 else {}),
        **(_SHA3 if edition > 1 else {}),
    }


def is_known_algorithm(oid: str, edition: int) -> bool:
    """Tell whether a kernel knows a signature algorithm."""
    if oid == RSA:
        return True
    if edition == 0:
        return False
    return (
        oid in _CURVES | _GOST
        or (edition == 1 and oid in _SM2)
        or (edition > 1 and oid in _CURVES_SHA3)
        or (edition > 2 and oid in _ML_DSA)
    )


@lru_cache(maxsize=32)
def key_algorithm_of(oid: str) -> str:
    """Name the kind of key that a signature algorithm needs (``pkcs7_sig_note_pkey_algo``), or nothing."""
    if oid == RSA:
        return "rsa"
    if oid in _CURVES | _CURVES_SHA3:
        return "ecdsa"
    if oid in _GOST:
        return "ecrdsa"
    if oid in _SM2:
        return "sm2"
    return {17: "mldsa44", 18: "mldsa65", 19: "mldsa87"}[int(oid.rpartition(".")[2])] if oid in _ML_DSA else ""
