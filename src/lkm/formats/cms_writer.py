"""Writing the CMS message of a module's signature, in the very bytes that the kernel's ``scripts/sign-file`` writes.

sign-file has OpenSSL make a SignedData message without content, certificates and attributes (``CMS_sign`` with
``CMS_NOCERTS``, ``CMS_NOATTR``, ``CMS_DETACHED``; scripts/sign-file.c, 6.1 and 7.2).
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from lkm.errors import FormatError

if TYPE_CHECKING:
    from cryptography.hazmat import asn1

__all__ = ["DIGESTS", "KeyAlgorithm", "issuer_and_serial", "key_identifier", "signed_data"]

DIGESTS = ("sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512", "sha224", "sha1")
"""The digests that a kernel may verify (pkcs7_parser.c ``pkcs7_sig_note_digest_algo``, 5.10 to 7.2); the last two only
older ones take, as their configuration has ``MODULE_SIG_SHA1`` and ``MODULE_SIG_SHA224``."""


class KeyAlgorithm(Enum):
    """Which kind of key signs."""

    RSA = "RSA"
    ECDSA = "ECDSA"
    ML_DSA_44 = "ML-DSA-44"
    ML_DSA_65 = "ML-DSA-65"
    ML_DSA_87 = "ML-DSA-87"

    @property
    def takes_contents(self) -> bool:
        """Whether it signs the contents themselves, not their digest."""
        return self not in {KeyAlgorithm.RSA, KeyAlgorithm.ECDSA}


_NIST = "060960864801650304"  # 2.16.840.1.101.3.4
_ANSI_ECDSA = "06082a8648ce3d0403"  # 1.2.840.10045.4.3
_DIGEST_OIDS = {
    "sha1": "06052b0e03021a",
    "sha224": f"{_NIST}0204",
    "sha256": f"{_NIST}0201",
    "sha384": f"{_NIST}0202",
    "sha512": f"{_NIST}0203",
    "sha3-256": f"{_NIST}0208",
    "sha3-384": f"{_NIST}0209",
    "sha3-512": f"{_NIST}020a",
}
_ECDSA_OIDS = {
    "sha1": "06072a8648ce3d0401",
    "sha224": f"{_ANSI_ECDSA}01",
    "sha256": f"{_ANSI_ECDSA}02",
    "sha384": f"{_ANSI_ECDSA}03",
    "sha512": f"{_ANSI_ECDSA}04",
    "sha3-256": f"{_NIST}030a",
    "sha3-384": f"{_NIST}030b",
    "sha3-512": f"{_NIST}030c",
}
_OTHER_OIDS = {
    KeyAlgorithm.RSA: "06092a864886f70d010101",  # rsaEncryption, whatever the digest is
    KeyAlgorithm.ML_DSA_44: f"{_NIST}0311",
    KeyAlgorithm.ML_DSA_65: f"{_NIST}0312",
    KeyAlgorithm.ML_DSA_87: f"{_NIST}0313",
}
_NULL = "0500"
_SIGNED_DATA = "06092a864886f70d010702"
_DATA = "06092a864886f70d010701"

_VERSION_TAG, _KEY_ID_TAG = b"\xa0", b"\x80"
_LONGEST_KEY_ID = 64 * 1024


def signed_data(signature: bytes, *, signer: bytes, digest: str, algorithm: KeyAlgorithm) -> bytes:
    """Write a message with one signature.

    :param signature: of the contents: PKCS#1 v1.5 with RSA, SEQUENCE of two numbers in DER with ECDSA
    :param signer: what :func:`issuer_and_serial` or :func:`key_identifier` gives
    :param digest: one of :data:`DIGESTS`
    :param algorithm: of the key
    :returns: ContentInfo in DER (RFC 5652)
    :raises FormatError: ``signer`` is neither of the two
    """
    from cryptography.hazmat import asn1  # noqa: PLC0415  dear, and only what signs needs it

    from lkm.formats import cms_schema  # noqa: PLC0415  as above

    named = _element(signer)
    # RFC 5652, 5.1 and 5.3: 3 where a signer is named by its key.
    version = 3 if named.tag_bytes == _KEY_ID_TAG else 1
    info = cms_schema.SignerInfo(
        version=version,
        signer=named,
        digest_algorithm=[_constant(_DIGEST_OIDS[digest])],
        signed_attributes=None,
        signature_algorithm=_signature_algorithm(algorithm, digest),
        signature=signature,
        unsigned_attributes=None,
    )
    content = cms_schema.SignedData(
        version=version,
        digest_algorithms=asn1.SetOf([_constant(_sequence(_DIGEST_OIDS[digest]))]),
        content=cms_schema.EncapsulatedContent(content_type=_constant(_DATA), content=None),
        certificates=None,
        revocations=None,
        signers=asn1.SetOf([info]),
    )
    return asn1.encode_der(cms_schema.ContentInfo(content_type=_constant(_SIGNED_DATA), content=content))


def issuer_and_serial(certificate: bytes) -> bytes:
    """Name a certificate by its issuer and serial number, in the bytes that it has itself.

    :param certificate: X.509 in DER
    :returns: IssuerAndSerialNumber in DER
    :raises FormatError: it is no certificate
    """
    from cryptography.hazmat import asn1  # noqa: PLC0415  as above

    from lkm.formats import cms_schema  # noqa: PLC0415  as above

    try:
        parts = asn1.decode_der(cms_schema.Certificate, certificate).signed
    except ValueError as error:
        raise FormatError(f"no certificate in DER: {error}") from error
    if parts and parts[0].tag_bytes == _VERSION_TAG:
        del parts[0]
    if len(parts) < 3:
        raise FormatError("a certificate without issuer and serial number")
    serial, _, issuer, *_ = parts
    return asn1.encode_der(cms_schema.RawIssuerAndSerial(issuer=issuer, serial=serial))


def key_identifier(key_id: bytes) -> bytes:
    """Name a certificate by its subjectKeyIdentifier, as ``sign-file -k`` does.

    :param key_id: the identifier, usually 20 bytes
    :returns: it as [0] in DER
    :raises FormatError: it is longer than 64 KiB
    """
    if len(key_id) >= _LONGEST_KEY_ID:
        raise FormatError("a key identifier of 64 KiB or more")
    size = len(key_id)
    length = bytes((size,)) if size < 0x80 else b"\x81" + bytes((size,)) if size < 0x100 else b"\x82" + size.to_bytes(2)
    return _KEY_ID_TAG + length + key_id


def _signature_algorithm(algorithm: KeyAlgorithm, digest: str) -> list[asn1.TLV]:
    if algorithm is KeyAlgorithm.ECDSA:
        return [_constant(_ECDSA_OIDS[digest])]
    oid = _constant(_OTHER_OIDS[algorithm])
    return [oid, _constant(_NULL)] if algorithm is KeyAlgorithm.RSA else [oid]


def _sequence(inner: str) -> str:
    """Give the hexadecimal DER of a SEQUENCE of one short element."""
    return f"30{len(inner) // 2:02x}{inner}"


@lru_cache(maxsize=32)
def _constant(text: str) -> asn1.TLV:
    return _element(bytes.fromhex(text))


def _element(der: bytes) -> asn1.TLV:
    from cryptography.hazmat import asn1  # noqa: PLC0415  as above

    try:
        return asn1.decode_der(asn1.TLV, der)
    except ValueError as error:
        raise FormatError(f"no element of DER: {error}") from error
