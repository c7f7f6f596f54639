"""Which keys and certificates kernels can verify module signatures with, and what is odd about one.

Sources: crypto/asymmetric_keys/x509_cert_parser.c ``x509_extract_key_data`` and ``x509_note_sig_algo``, crypto/rsa.c
``rsa_check_key_length``, crypto/asymmetric_keys/pkcs7_trust.c (5.10 to 7.2): no date, no usage and no purpose of a
certificate is looked at when a module is verified.
"""

from typing import TYPE_CHECKING

from lkm.errors import UsageError
from lkm.formats.cms_writer import KeyAlgorithm

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from lkm.formats.certificate import CertificateFacts

__all__ = ["algorithm_of", "faults", "oddities"]

_RSA = "1.2.840.113549.1.1.1"
_EC = "1.2.840.10045.2.1"
_ML_DSA = {
    "2.16.840.1.101.3.4.3.17": KeyAlgorithm.ML_DSA_44,
    "2.16.840.1.101.3.4.3.18": KeyAlgorithm.ML_DSA_65,
    "2.16.840.1.101.3.4.3.19": KeyAlgorithm.ML_DSA_87,
}
_RSA_BITS = (512, 1024, 1536, 2048, 3072, 4096)
_SAFE_RSA_BITS = 2048
_CURVES = ("secp192r1", "secp256r1", "secp384r1", "secp521r1")
_OTHER_KEYS = {
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.10040.4.1": "DSA",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
_OTHER_SIGNATURES = {**_OTHER_KEYS, "1.2.840.113549.1.1.4": "MD5 with RSA"}
_NEW_KEY = "make a key of a kind that kernels know: lkm keys new"


def algorithm_of(certificate: "x509.Certificate") -> KeyAlgorithm:
    """Tell how a certificate's key signs.

    :raises UsageError: no kernel can load the certificate, or verify with its key
    """
    algorithm = _key_algorithm(certificate)
    signed_with = certificate.signature_algorithm_oid.dotted_string
    if signed_with in _OTHER_SIGNATURES:
        name = _OTHER_SIGNATURES[signed_with]
        raise UsageError(
            f"no kernel can load a certificate that is itself signed with {name}",
            hint="have it issued with RSA or ECDSA",
        )
    return algorithm


def _key_algorithm(certificate: "x509.Certificate") -> KeyAlgorithm:
    oid = certificate.public_key_algorithm_oid.dotted_string
    if oid == _RSA:
        return _rsa(certificate)
    if oid == _EC:
        return _ecdsa(certificate)
    if oid in _ML_DSA:
        return _ML_DSA[oid]
    raise UsageError(
        f"no kernel can verify modules with {_OTHER_KEYS.get(oid, f'a key of the kind {oid}')}", hint=_NEW_KEY
    )


def _rsa(certificate: "x509.Certificate") -> KeyAlgorithm:
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415  dear, and only what signs needs it

    key = _public_key(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        bits = (key.key_size + 7) // 8 * 8
        if bits not in _RSA_BITS:
            sizes = ", ".join(map(str, _RSA_BITS))
            raise UsageError(
                f"no kernel can verify modules with an RSA key of {key.key_size} bits, only {sizes}", hint=_NEW_KEY
            )
    return KeyAlgorithm.RSA


def _ecdsa(certificate: "x509.Certificate") -> KeyAlgorithm:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  as above

    key = _public_key(certificate)
    name = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else "?"
    if name not in _CURVES:
        raise UsageError(f"no kernel can verify modules with a key on the curve {name}", hint=_NEW_KEY)
    return KeyAlgorithm.ECDSA


def _public_key(certificate: "x509.Certificate") -> object:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  as above

    try:
        return certificate.public_key()
    except (UnsupportedAlgorithm, ValueError) as error:
        raise UsageError(f"the certificate's key can't be used: {error}", hint=_NEW_KEY) from error


def oddities(facts: "CertificateFacts", now: "datetime") -> tuple[str, ...]:
    """Say what a person should know before signing with a certificate, though the kernel lets it pass.

    :param facts: of a certificate that :func:`algorithm_of` takes
    :param now: the time, with a zone
    :returns: sentences without a full stop
    """
    return (*faults(facts, now), *_of_key(facts.key))


def faults(facts: "CertificateFacts", now: "datetime") -> tuple[str, ...]:
    """Say which of these make a certificate look like a wrong choice: it is out of date, or not a signer's.

    The parameters and the answer are as for :func:`oddities`.
    """
    return (*_of_dates(facts, now), *_of_usage(facts))


def _of_dates(facts: "CertificateFacts", now: "datetime") -> list[str]:
    if now > facts.not_after:
        return [
            f"the certificate expired on {facts.not_after:%Y-%m-%d}; kernels do not look at dates, other programs do"
        ]
    if now < facts.not_before:
        begin = f"{facts.not_before:%Y-%m-%d %H:%M} UTC"
        return [f"the certificate is valid only from {begin}; kernels do not look at dates, other programs do"]
    return []


def _of_usage(facts: "CertificateFacts") -> list[str]:
    if "digitalSignature" in facts.usages or not any(usage in facts.usages for usage in _KEY_USAGES):
        return []
    what = "a CA's, not a signer's" if facts.is_ca else "not a signer's"
    usages = ", ".join(facts.usages)
    odd = f"the certificate is {what}: its key usage ({usages}) lacks digitalSignature"
    return [f"{odd}; kernels verify modules with it all the same, other programs do not"]


_KEY_USAGES = ("nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign")


def _of_key(key: str) -> list[str]:
    """Tell by the key as :class:`lkm.formats.certificate.CertificateFacts` names it."""
    kind, _, size = key.partition(" ")
    if kind == "RSA" and size.isdecimal() and int(size) < _SAFE_RSA_BITS - 7:  # the highest bits may be zeros
        return [f"an RSA key of {size} bits is too short to be safe, and kernels in FIPS mode refuse it"]
    if kind == "EC" and "192" in size:
        return ["a key on the curve P-192 is too short to be safe, and kernels in FIPS mode refuse it"]
    if kind == "EC" and "521" in size:
        return ["kernels before 6.10 can't verify with a key on the curve P-521"]
    if kind.startswith("ML-DSA"):
        return ["kernels before 7.0 can't verify with an ML-DSA key"]
    return []
