"""The algorithms that a kernel knows in X.509 certificates (crypto/asymmetric_keys/x509_cert_parser.c, 5.10 to 7.2)."""

from typing import NamedTuple

__all__ = ["SignatureKind", "key_algorithm", "signature_kind"]


class SignatureKind(NamedTuple):
    """How a certificate is signed.

    :param digest: under the kernel's name; ``none`` where the algorithm needs none
    """

    algorithm: str
    digest: str


_RSA = "1.2.840.113549.1.1"
_CURVES = "1.2.840.10045"
_NIST = "2.16.840.1.101.3.4.3"
_GOST = "1.2.643.7.1.1"
_SHA3 = ("sha3-256", "sha3-384", "sha3-512")

# Object identifier → kind, from edition, up to edition.
_SIGNATURES: dict[str, tuple[SignatureKind, int, int]] = {
    f"{_RSA}.3": (SignatureKind("rsa", "md4"), 0, 1),
    f"{_RSA}.5": (SignatureKind("rsa", "sha1"), 0, 3),
    f"{_RSA}.11": (SignatureKind("rsa", "sha256"), 0, 3),
    f"{_RSA}.12": (SignatureKind("rsa", "sha384"), 0, 3),
    f"{_RSA}.13": (SignatureKind("rsa", "sha512"), 0, 3),
    f"{_RSA}.14": (SignatureKind("rsa", "sha224"), 0, 3),
    f"{_CURVES}.4.1": (SignatureKind("ecdsa", "sha1"), 1, 3),
    f"{_CURVES}.4.3.1": (SignatureKind("ecdsa", "sha224"), 1, 3),
    f"{_CURVES}.4.3.2": (SignatureKind("ecdsa", "sha256"), 1, 3),
    f"{_CURVES}.4.3.3": (SignatureKind("ecdsa", "sha384"), 1, 3),
    f"{_CURVES}.4.3.4": (SignatureKind("ecdsa", "sha512"), 1, 3),
    **{f"{_NIST}.{10 + place}": (SignatureKind("ecdsa", digest), 2, 3) for place, digest in enumerate(_SHA3)},
    **{f"{_NIST}.{14 + place}": (SignatureKind("rsa", digest), 2, 3) for place, digest in enumerate(_SHA3)},
    **{
        f"{_NIST}.{17 + place}": (SignatureKind(f"mldsa{size}", "none"), 3, 3)
        for place, size in enumerate((44, 65, 87))
    },
    f"{_GOST}.3.2": (SignatureKind("ecrdsa", "streebog256"), 0, 3),
    f"{_GOST}.3.3": (SignatureKind("ecrdsa", "streebog512"), 0, 3),
    "1.2.156.10197.1.501": (SignatureKind("sm2", "sm3"), 0, 1),
}

_KEYS = {
    f"{_RSA}.1": ("rsa", 0, 3),
    f"{_GOST}.1.1": ("ecrdsa", 0, 3),
    f"{_GOST}.1.2": ("ecrdsa", 0, 3),
    **{f"{_NIST}.{17 + place}": (f"mldsa{size}", 3, 3) for place, size in enumerate((44, 65, 87))},
    "1.2.156.10197.1.301": ("sm2", 1, 1),
}
_CURVE_KEY = f"{_CURVES}.2.1"
_CURVE_KEYS = {
    f"{_CURVES}.3.1.1": ("ecdsa-nist-p192", 1, 3),
    f"{_CURVES}.3.1.7": ("ecdsa-nist-p256", 1, 3),
    "1.3.132.0.34": ("ecdsa-nist-p384", 1, 3),
    "1.3.132.0.35": ("ecdsa-nist-p521", 2, 3),
    "1.2.156.10197.1.301": ("sm2", 1, 1),
}


def signature_kind(oid: str, edition: int) -> SignatureKind | None:
    """Tell how a certificate is signed.

    :param edition: as for :func:`lkm.formats.oid_registry.numbers`
    :returns: None for a way that the kernel does not know
    """
    kind, first, last = _SIGNATURES.get(oid, (None, 0, 0))
    return kind if first <= edition <= last else None


def key_algorithm(oid: str, curve: str, edition: int) -> str | None:
    """Name the algorithm of a certificate's key.

    :param curve: the object identifier of the parameters, empty where there is none
    :returns: None for one that the kernel does not know
    """
    if oid == _CURVE_KEY and edition == 0:
        return "sm2"  # 5.10 takes every curve for that one
    name, first, last = (_CURVE_KEYS.get(curve) if oid == _CURVE_KEY else _KEYS.get(oid)) or (None, 0, 0)
    return name if first <= edition <= last else None
