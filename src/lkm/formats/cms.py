"""PKCS#7 / CMS SignedData as appended to modules: who signed, with which digest, and the signature itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lkm.errors import FormatError

if TYPE_CHECKING:
    from cryptography.hazmat import asn1

    from lkm.formats import cms_schema

__all__ = ["SignedData", "SignerInfo", "parse"]

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_COMMON_NAME = "2.5.4.3"
_DIGESTS = {
    "1.2.840.113549.2.4": "md4",
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "1.3.36.3.2.1": "rmd160",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.7": "sha3-224",
    "2.16.840.1.101.3.4.2.8": "sha3-256",
    "2.16.840.1.101.3.4.2.9": "sha3-384",
    "2.16.840.1.101.3.4.2.10": "sha3-512",
    "1.2.156.10197.1.401": "sm3",
}
_WIDE_TEXT = {b"\x1e": "utf-16-be", b"\x1c": "utf-32-be"}  # BMPString, UniversalString
_INTEGER = b"\x02"
_OBJECT_IDENTIFIER = b"\x06"
_KEY_ID = b"\x80"
# RFC 5280 allows serial numbers of 20 bytes, and no OID in use has 64: more is an attempt to waste time.
_LONGEST_SERIAL = 64
_LONGEST_OID = 64


class SignerInfo(NamedTuple):
    """One signature of a message.

    :param signer: the issuer's common name, else the last part of the issuer's name, as kmod prints it; empty when the
        signer is named by a key identifier
    :param issuer: the issuer's Name in DER without its header, as the kernel compares it
        (``crypto/asymmetric_keys/pkcs7_parser.c:pkcs7_sig_note_issuer``, 6.1), or None
    :param serial: the serial number's bytes as they stand, with a leading zero where DER needs one, or None
    :param key_id: the subjectKeyIdentifier, the other way to name a signer, or None
    :param digest: the digest as the kernel spells it (``sha256``, ``sha3-512``), or its OID when it is none of those
    :param algorithm: the OID of the signature algorithm, as in ``1.2.840.113549.1.1.1``
    :param signature: the signature itself
    :param has_signed_attributes: the kernel refuses these in module signatures, but for those of ML-DSA
    :param signed_attributes: as they are signed, in DER; left empty by those who do not need them
    :param message_digest: the digest of the contents that they tell, likewise
    """

    signer: str
    issuer: bytes | None
    serial: bytes | None
    key_id: bytes | None
    digest: str
    algorithm: str
    signature: bytes
    has_signed_attributes: bool
    signed_attributes: bytes = b""
    message_digest: bytes = b""

    @property
    def sig_key(self) -> bytes:
        """What kmod prints as ``sig_key``: the serial number without leading zeros (or minus sign), else the key id."""
        if self.serial is None:
            return self.key_id or b""
        number = abs(int.from_bytes(self.serial, "big", signed=True))
        return number.to_bytes((number.bit_length() + 7) // 8, "big")


class SignedData(NamedTuple):
    """A message.

    :param signers: the signatures, at least one; kmod shows the first, the kernel accepts any that it can verify
    :param has_content: what is signed is inside; the kernel refuses that in module signatures
    :param has_certificates: certificates are inside
    """

    signers: tuple[SignerInfo, ...]
    has_content: bool
    has_certificates: bool


def parse(der: bytes) -> SignedData:
    """Read a SignedData message (RFC 5652) in DER.

    Stricter than the kernel and OpenSSL, which take BER and leave bytes after the message alone.

    :param der: the signature that :func:`lkm.formats.module_signature.split` finds
    :returns: its signatures
    :raises FormatError: no DER, no SignedData, bytes after it, a serial number of more than 64 bytes, or no signature
    """
    # Only files with a signature need cryptography, and it takes longer to load than all the rest.
    from cryptography.hazmat import asn1  # noqa: PLC0415

    from lkm.formats import cms_schema  # noqa: PLC0415

    try:
        message = asn1.decode_der(cms_schema.ContentInfo, bytes(der))
        if _object_identifier(message.content_type) != _SIGNED_DATA:
            raise FormatError("the CMS message is no SignedData")
        signers = tuple([_signer(info) for info in message.content.signers.as_list()])
    except ValueError as error:
        raise FormatError(f"no CMS message in DER: {error}") from error
    if not signers:
        raise FormatError("the CMS message holds no signature")
    return SignedData(
        signers=signers,
        has_content=message.content.content.content is not None,
        has_certificates=bool(message.content.certificates),
    )


def _signer(info: cms_schema.SignerInfo) -> SignerInfo:
    name, issuer, serial, key_id = "", None, None, None
    if info.signer.tag_bytes == _KEY_ID:
        key_id = bytes(info.signer.data)
    else:
        name, issuer, serial = _issuer_and_serial(info.signer)
    digest = _algorithm(info.digest_algorithm)
    return SignerInfo(
        signer=name,
        issuer=issuer,
        serial=serial,
        key_id=key_id,
        digest=_DIGESTS.get(digest, digest),
        algorithm=_algorithm(info.signature_algorithm),
        signature=info.signature,
        has_signed_attributes=info.signed_attributes is not None,
    )


def _issuer_and_serial(element: asn1.TLV) -> tuple[str, bytes, bytes]:
    from lkm.formats import cms_schema  # noqa: PLC0415 - loaded by parse

    named: cms_schema.IssuerAndSerial = element.parse(cms_schema.IssuerAndSerial)
    raw: cms_schema.RawIssuerAndSerial = element.parse(cms_schema.RawIssuerAndSerial)
    parts = [part for names in named.issuer for part in names.as_list()]
    return _signer_name(parts), bytes(raw.issuer.data), _integer(raw.serial)


def _signer_name(parts: list[cms_schema.AttributeTypeAndValue]) -> str:
    # kmod 30, libkmod-signature.c:x509_name_to_str: the first common name, or else whatever comes last.
    for part in parts:
        if _object_identifier(part.type_) == _COMMON_NAME:
            return _text(part.value)
    return _text(parts[-1].value) if parts else ""


def _text(element: asn1.TLV) -> str:
    encoding = _WIDE_TEXT.get(element.tag_bytes)
    data = bytes(element.data)
    return data.decode(encoding) if encoding else data.decode("utf-8", "surrogateescape")


def _integer(element: asn1.TLV) -> bytes:
    data = bytes(element.data)
    if element.tag_bytes != _INTEGER or not data or len(data) > _LONGEST_SERIAL:
        raise FormatError("the serial number of the CMS message is no integer of 1 to 64 bytes")
    if data[:1] == b"\0" and len(data) > 1 and data[1] < 0x80:
        raise FormatError("the serial number of the CMS message has needless leading zeros")
    return data


def _algorithm(identifier: list[asn1.TLV]) -> str:
    # AlgorithmIdentifier: the OID, then parameters of any type or none.
    if not 1 <= len(identifier) <= 2:
        raise FormatError(f"an algorithm of the CMS message has {len(identifier)} parts")
    return _object_identifier(identifier[0])


def _object_identifier(element: asn1.TLV) -> str:
    data = bytes(element.data)
    if element.tag_bytes != _OBJECT_IDENTIFIER or not data or len(data) > _LONGEST_OID or data[-1] >= 0x80:
        raise FormatError("the CMS message lacks an object identifier where one must be")
    arcs: list[int] = []
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
