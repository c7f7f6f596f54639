"""EFI signature lists: what db, dbx, KEK, PK and the lists of machine owner keys hold (UEFI 2.10, 32.4.1).

A variable is lists one behind the other: 16 bytes of type, the sizes of the list, of its header and of one entry, the
header, and entries of one size, each with the 16 bytes of its owner before the data.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from lkm.errors import FormatError

__all__ = ["SignatureEntry", "SignatureLists", "SignatureType", "parse", "read", "render"]

_LIST = Struct("<16sIII")
_OWNER = 16  # bytes
_SEQUENCE = b"\x30\x82"  # with a length of two bytes, as nearly every certificate has
_HEADER = 4
_NOBODY = "00000000-0000-0000-0000-000000000000"


class SignatureType(Enum):
    """What an entry is; the value is the type's GUID. Of ``X509_…`` the hash is of the signed part of a certificate."""

    X509 = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"
    SHA1 = "826ca512-cf10-4ac9-b187-be01496631bd"
    SHA224 = "0b6e5233-a65c-44c9-9407-d9ab83bfc8bd"
    SHA256 = "c1c41626-504c-4092-aca9-41f936934328"
    SHA384 = "ff3e5307-9fd0-48c9-85f1-8ad56c701e01"
    SHA512 = "093e0fae-a6c4-4f50-9f1b-d41e2b89c19a"
    X509_SHA256 = "3bd2a492-96c0-4079-b420-fcf98ef103ed"
    X509_SHA384 = "7076876e-80c2-4ee6-aad2-28b349a6865b"
    X509_SHA512 = "446dbf63-2502-4cda-bcfa-2465d2b0fe9d"
    RSA2048 = "3c5766e8-269c-4e34-aa14-ed776e85b3b6"
    RSA2048_SHA1 = "67f8444f-8743-48f1-a328-1eaab8736080"
    RSA2048_SHA256 = "e2b36190-879b-4a3d-ad8d-f2e7bba32784"
    PKCS7 = "4aafd29d-68df-49ee-8aa9-347d375665a7"
    EXTERNAL_MANAGEMENT = "452e8ced-dfff-4b8c-ae01-5118862e682c"


_TYPES = {UUID(kind.value).bytes_le: kind for kind in SignatureType}


class SignatureEntry(NamedTuple):
    """An entry of a list.

    :param guid: of the type, as it is usually written
    :param owner: the GUID of whoever put it there, likewise
    :param data: a certificate in DER, a hash, or whatever the type says
    """

    guid: str
    owner: str
    data: bytes

    @property
    def type(self) -> SignatureType | None:
        """What it is; None for a type that UEFI 2.10 does not know."""
        return _TYPES.get(UUID(self.guid).bytes_le)

    @property
    def certificate(self) -> bytes | None:
        """The certificate in DER, without what stands behind it: the kernel leaves that alone. None for other types."""
        if self.type is not SignatureType.X509:
            return None
        if self.data.startswith(_SEQUENCE):
            return self.data[: _HEADER + int.from_bytes(self.data[len(_SEQUENCE) : _HEADER])]
        return self.data


class SignatureLists(NamedTuple):
    """What was read.

    :param entries: in the variable's order
    :param problem: why reading ended before the end; None where it did not
    """

    entries: tuple[SignatureEntry, ...]
    problem: FormatError | None = None


def read(data: bytes) -> SignatureLists:
    """Read what can be read.

    The kernel does so, too: what stands before the first fault counts (security/integrity/platform_certs/efi_parser.c
    ``parse_efi_signature_list``, 5.10 to 7.2).
    """
    found: list[SignatureEntry] = []
    try:
        for entries in _lists(data):
            found += entries
    except FormatError as problem:
        return SignatureLists(tuple(found), problem)
    return SignatureLists(tuple(found))


def parse(data: bytes) -> tuple[SignatureEntry, ...]:
    """Read all lists of a variable.

    :param data: without the attributes of efivarfs
    :raises FormatError: a list is cut short, or its sizes contradict each other
    """
    return tuple(entry for entries in _lists(data) for entry in entries)


def render(kind: SignatureType | str, items: Sequence[bytes], *, owner: str = _NOBODY) -> bytes:
    """Write lists as MokManager does: each certificate has a list of its own, hashes share one.

    mokutil shows only the first certificate of a list (mokutil 0.6, ``list_keys``).

    :param kind: the type, or the GUID of one
    :param items: certificates in DER, or hashes
    :param owner: a GUID
    """
    guid = UUID(kind.value if isinstance(kind, SignatureType) else kind).bytes_le
    by = UUID(owner).bytes_le
    if kind is SignatureType.X509 or len({len(item) for item in items}) > 1:
        return b"".join(_list(guid, (by + item,)) for item in items)
    return _list(guid, tuple(by + item for item in items)) if items else b""


def _list(guid: bytes, entries: Sequence[bytes]) -> bytes:
    size = len(entries[0])
    return _LIST.pack(guid, _LIST.size + len(entries) * size, 0, size) + b"".join(entries)


def _lists(data: bytes) -> Iterator[list[SignatureEntry]]:
    """Go through the lists, with the kernel's own tests of their sizes."""
    start = 0
    while start < len(data):
        left = len(data) - start
        if left < _LIST.size:
            raise FormatError(f"a signature list cut short: {left} bytes are left", offset=start)
        guid, size, header, entry = _LIST.unpack_from(data, start)
        if size > left:
            raise FormatError(f"a signature list of {size} bytes, of which {left} are there", offset=start)
        room = size - _LIST.size - header
        if room < entry or entry < _OWNER or room % entry:
            raise FormatError(
                f"a signature list whose sizes contradict each other: {size} bytes, "
                f"a header of {header}, entries of {entry}",
                offset=start,
            )
        first = start + _LIST.size + header
        kind = str(UUID(bytes_le=guid))
        yield [_entry(kind, data[place : place + entry]) for place in range(first, start + size, entry)]
        start += size


def _entry(guid: str, contents: bytes) -> SignatureEntry:
    return SignatureEntry(guid, str(UUID(bytes_le=contents[:_OWNER])), contents[_OWNER:])
