"""The ASN.1 of CMS SignedData (RFC 5652, sections 5.1 and 5.3) as far as module signatures use it.

Imported only where a signature is read. Object identifiers stay undecoded elements, because their class lives in
cryptography.x509, which takes twice as long to load as all the rest; so do elements that may be of any type. Sets that
others may have written unsorted, and whose order says nothing, are declared as lists.
"""

from typing import Annotated

from cryptography.hazmat import asn1

__all__ = [
    "AttributeTypeAndValue",
    "Certificate",
    "ContentInfo",
    "EncapsulatedContent",
    "IssuerAndSerial",
    "RawIssuerAndSerial",
    "SignedData",
    "SignerInfo",
]


@asn1.sequence
class AttributeTypeAndValue:
    """One part of a distinguished name."""

    type_: asn1.TLV
    value: asn1.TLV


@asn1.sequence
class IssuerAndSerial:
    """The certificate of the signer by its issuer and serial number."""

    issuer: list[asn1.SetOf[AttributeTypeAndValue]]
    serial: asn1.TLV


@asn1.sequence
class RawIssuerAndSerial:
    """The same, in the very bytes that the kernel compares."""

    issuer: asn1.TLV
    serial: asn1.TLV


@asn1.sequence
class SignerInfo:
    """One signature; ``signer`` is IssuerAndSerial, or [0] with a subjectKeyIdentifier."""

    version: int
    signer: asn1.TLV
    digest_algorithm: list[asn1.TLV]
    signed_attributes: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    signature_algorithm: list[asn1.TLV]
    signature: bytes
    unsigned_attributes: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]


@asn1.sequence
class EncapsulatedContent:
    """What is signed; without content when the signature is detached, as all module signatures are."""

    content_type: asn1.TLV
    content: Annotated[bytes | None, asn1.Explicit(0)]


@asn1.sequence
class SignedData:
    """The signatures, and what may help to verify them."""

    version: int
    digest_algorithms: asn1.SetOf[asn1.TLV]
    content: EncapsulatedContent
    certificates: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    revocations: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]
    signers: asn1.SetOf[SignerInfo]


@asn1.sequence
class ContentInfo:
    """The envelope that says which kind of message it holds."""

    content_type: asn1.TLV
    content: Annotated[SignedData, asn1.Explicit(0)]


@asn1.sequence
class Certificate:
    """An X.509 certificate (RFC 5280, section 4.1), of which a message repeats issuer and serial number."""

    signed: list[asn1.TLV]
    signature_algorithm: asn1.TLV
    signature: asn1.TLV
