"""The one form of CMS message that the kernel's ``scripts/sign-file`` writes, told apart without a decoder of ASN.1.

One signer, named by issuer and serial number; RSA; no certificates, no attributes, nothing inside. It is what nearly
every signed module has, and a decoder takes longer to load than a hundred modules to read. Whatever differs in a single
byte is for :func:`lkm.formats.cms.parse`.
"""

from functools import lru_cache

from lkm.formats.cms import SignerInfo
from lkm.formats.plain_der import (
    INTEGER,
    OCTETS,
    RSA_ENCRYPTION,
    SEQUENCE,
    SET,
    Elements,
    OtherForm,
    name_parts,
)

__all__ = ["read"]

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DETACHED_DATA = bytes.fromhex("300b06092a864886f70d010701")
_VERSION_1 = b"\x02\x01\x01"
_COMMON_NAME = b"\x55\x04\x03"
_RSA = "1.2.840.113549.1.1.1"
_SHA = bytes.fromhex("06096086480165030402")
_DIGESTS = {_SHA + b"\x01": "sha256", _SHA + b"\x02": "sha384", _SHA + b"\x03": "sha512", _SHA + b"\x04": "sha224"}
_NULL = b"\x05\0"

_EXPLICIT = 0xA0
_SIGNATURES = (512, 256)  # bytes: of RSA with 4096 and 2048 bits
_LONGEST_KEPT = 4096
_LONGEST_SERIAL = 20  # RFC 5280


def read(der: bytes) -> SignerInfo | None:
    """Read a message of this form.

    :returns: what :func:`lkm.formats.cms.parse` gives as the only signer; None for any other message
    """
    for size in _SIGNATURES if len(der) <= _LONGEST_KEPT else ():
        if der[-size - 4 : -size] == b"\x04\x82" + size.to_bytes(2):
            framed = _framed(der[:-size], size)
            if framed is not None and len(framed.signature) == size:  # so these are the last bytes
                return framed._replace(signature=der[-size:])
    return _read(der)


@lru_cache(maxsize=16)
def _framed(before: bytes, size: int) -> SignerInfo | None:
    """Read a message that ends with a signature, which is all that differs between the modules of one signer.

    :param before: the message without the signature's bytes, which are nowhere looked into
    :param size: how many those are
    :returns: the signer with zeros for a signature
    """
    return _read(before + bytes(size))


def _read(der: bytes) -> SignerInfo | None:
    try:
        return _message(Elements(der))
    except OtherForm:
        return None


def _message(outermost: Elements) -> SignerInfo:
    content = outermost.enter(SEQUENCE)
    outermost.end()
    content.expect(_SIGNED_DATA)
    explicit = content.enter(_EXPLICIT)
    content.end()
    signed = explicit.enter(SEQUENCE)
    explicit.end()
    signed.expect(_VERSION_1)
    digests = signed.enter(SET)
    _digest(digests.take(SEQUENCE))
    digests.end()
    signed.expect(_DETACHED_DATA)
    signers = signed.enter(SET)
    signed.end()
    signer = signers.enter(SEQUENCE)
    signers.end()
    return _signer(signer)


def _signer(elements: Elements) -> SignerInfo:
    elements.expect(_VERSION_1)
    named = elements.enter(SEQUENCE)
    issuer = named.take(SEQUENCE)
    serial = named.take(INTEGER)
    named.end()
    if not 1 <= len(serial) <= _LONGEST_SERIAL or serial[0] == 0xFF or b"\0\0" <= serial[:2] < b"\0\x80":
        raise OtherForm
    digest = _digest(elements.take(SEQUENCE))
    if elements.take(SEQUENCE) != RSA_ENCRYPTION:
        raise OtherForm
    signature = elements.take(OCTETS)
    elements.end()
    return SignerInfo(
        signer=_signer_name(Elements(issuer)),
        issuer=issuer,
        serial=serial,
        key_id=None,
        digest=digest,
        algorithm=_RSA,
        signature=signature,
        has_signed_attributes=False,
    )


def _digest(identifier: bytes) -> str:
    digest = _DIGESTS.get(identifier.removesuffix(_NULL))
    if digest is None:
        raise OtherForm
    return digest


def _signer_name(names: Elements) -> str:
    """Give the common name, which must be there."""
    found = [text for identifier, text in name_parts(names) if identifier == _COMMON_NAME]
    if not found:
        raise OtherForm
    return found[0].decode("utf-8", "surrogateescape")
