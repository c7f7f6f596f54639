"""The one form of CMS message that the kernel's ``scripts/sign-file`` writes, told apart without a decoder of ASN.1.

One signer, named by issuer and serial number; RSA; no certificates, no attributes, nothing inside. It is what nearly
every signed module has, and a decoder takes longer to load than a hundred modules to read. Whatever differs in a single
byte is for :func:`lkm.formats.cms.parse`.
"""

from lkm.formats.cms import SignerInfo

__all__ = ["read"]

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DETACHED_DATA = bytes.fromhex("300b06092a864886f70d010701")
_VERSION_1 = b"\x02\x01\x01"
_COMMON_NAME = b"\x06\x03\x55\x04\x03"
_RSA = bytes.fromhex("06092a864886f70d0101010500")
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_SHA = bytes.fromhex("06096086480165030402")
_DIGESTS = {_SHA + b"\x01": "sha256", _SHA + b"\x02": "sha384", _SHA + b"\x03": "sha512", _SHA + b"\x04": "sha224"}
_NULL = b"\x05\0"

_INTEGER, _OCTETS, _OID, _UTF8, _PRINTABLE, _SEQUENCE, _SET, _EXPLICIT = b"\x02\x04\x06\x0c\x13\x30\x31\xa0"
_LONGEST_SERIAL = 20  # RFC 5280
_LONGEST_OID = 64


def read(der: bytes) -> SignerInfo | None:
    """Read a message of this form.

    :returns: what :func:`lkm.formats.cms.parse` gives as the only signer; None for any other message
    """
    try:
        return _message(_Elements(der))
    except _OtherForm:
        return None


class _OtherForm(Exception):
    """The message has another form, or none; it never leaves this file."""


class _Elements:
    """Elements of DER, one after the other; lengths as DER writes them, and below 64 KiB."""

    __slots__ = ("_data", "_place")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, tag: int) -> bytes:
        """Give the contents of the next element."""
        data, start = self._data, self._place + 2
        if len(data) < start or data[start - 2] != tag:
            raise _OtherForm
        size = data[start - 1]
        if size >= 0x80:
            count = size & 0x7F
            size = int.from_bytes(data[start : start + count])
            start += count
            if not 1 <= count <= 2 or size < (0x80, 0x100)[count - 1]:
                raise _OtherForm
        self._place = start + size
        if self._place > len(data):
            raise _OtherForm
        return data[start : self._place]

    def enter(self, tag: int) -> "_Elements":
        """Give the elements inside of the next element."""
        return _Elements(self.take(tag))

    def expect(self, element: bytes) -> None:
        """Pass over an element that must be this one."""
        if not self._data.startswith(element, self._place):
            raise _OtherForm
        self._place += len(element)

    @property
    def rest(self) -> bytes:
        """What was not taken yet."""
        return self._data[self._place :]

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self.rest:
            raise _OtherForm


def _message(outermost: _Elements) -> SignerInfo:
    content = outermost.enter(_SEQUENCE)
    outermost.end()
    content.expect(_SIGNED_DATA)
    explicit = content.enter(_EXPLICIT)
    content.end()
    signed = explicit.enter(_SEQUENCE)
    explicit.end()
    signed.expect(_VERSION_1)
    digests = signed.enter(_SET)
    _digest(digests.take(_SEQUENCE))
    digests.end()
    signed.expect(_DETACHED_DATA)
    signers = signed.enter(_SET)
    signed.end()
    signer = signers.enter(_SEQUENCE)
    signers.end()
    return _signer(signer)


def _signer(elements: _Elements) -> SignerInfo:
    elements.expect(_VERSION_1)
    named = elements.enter(_SEQUENCE)
    issuer = named.take(_SEQUENCE)
    serial = named.take(_INTEGER)
    named.end()
    if not 1 <= len(serial) <= _LONGEST_SERIAL or serial[0] == 0xFF or b"\0\0" <= serial[:2] < b"\0\x80":
        raise _OtherForm
    digest = _digest(elements.take(_SEQUENCE))
    if elements.take(_SEQUENCE) != _RSA:
        raise _OtherForm
    signature = elements.take(_OCTETS)
    elements.end()
    return SignerInfo(
        signer=_signer_name(_Elements(issuer)),
        issuer=issuer,
        serial=serial,
        key_id=None,
        digest=digest,
        algorithm=_RSA_ENCRYPTION,
        signature=signature,
        has_signed_attributes=False,
    )


def _digest(identifier: bytes) -> str:
    digest = _DIGESTS.get(identifier.removesuffix(_NULL))
    if digest is None:
        raise _OtherForm
    return digest


def _signer_name(names: _Elements) -> str:
    """Give the common name, which must be there; all other parts must be texts too."""
    found: list[bytes] = []
    while names.rest:
        alone = names.enter(_SET)
        part = alone.enter(_SEQUENCE)
        alone.end()
        is_common_name = part.rest.startswith(_COMMON_NAME)
        if not 1 <= len(identifier := part.take(_OID)) <= _LONGEST_OID or identifier[-1] >= 0x80:
            raise _OtherForm
        text = part.take(_UTF8 if part.rest[:1] == bytes((_UTF8,)) else _PRINTABLE)
        part.end()
        if is_common_name:
            found.append(text)
    if not found:
        raise _OtherForm
    return found[0].decode("utf-8", "surrogateescape")
