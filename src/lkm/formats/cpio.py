"""Archives of the "newc" kind of cpio: what the kernel unpacks as its initramfs.

Source: Linux ``Documentation/driver-api/early-userspace/buffer-format.rst`` and ``init/initramfs.c`` (6.1).
"""

import binascii
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from lkm.errors import FormatError

__all__ = ["HEADER_SIZE", "MAGICS", "Entry", "device", "directory", "file", "link", "read", "write"]

MAGICS = (b"070701", b"070702")
"""The first bytes of every header; the second kind carries a sum of the data's bytes."""

HEADER_SIZE = 110
"""Bytes of a header: the magic and 13 numbers of eight hexadecimal digits."""

_TRAILER = b"TRAILER!!!"
_MOST_NAME = 4096  # PATH_MAX, NUL included: the kernel skips entries with longer names
_MOST_DATA = 0xFFFFFFFF
_NUMBERS = struct.Struct(">13I")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive.

    :param name: path without a leading slash, as in ``usr/bin/sh``
    :param mode: kind and permissions, as in ``st_mode``
    :param data: a file's bytes or a link's target; of hard links only the last entry carries it
    :param inode: ties hard links together; 0 lets the writer number it
    :param links: how many names the file has
    :param mtime: seconds since 1970
    :param device: (major, minor) of the file system that it came from
    :param node: (major, minor) of a device file
    """

    name: str
    mode: int
    data: bytes = b""
    inode: int = 0
    links: int = 1
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    device: tuple[int, int] = (0, 0)
    node: tuple[int, int] = (0, 0)


def directory(name: str, permissions: int = 0o755) -> Entry:
    """Make the entry of a directory, owned by root."""
    return Entry(name, stat.S_IFDIR | permissions, links=2)


def file(name: str, data: bytes, permissions: int = 0o644) -> Entry:
    """Make the entry of a regular file, owned by root."""
    return Entry(name, stat.S_IFREG | permissions, data)


def link(name: str, target: str) -> Entry:
    """Make the entry of a symbolic link."""
    return Entry(name, stat.S_IFLNK | 0o777, target.encode("utf-8", "surrogateescape"))


def device(name: str, major: int, minor: int, permissions: int = 0o600) -> Entry:
    """Make the entry of a character device."""
    return Entry(name, stat.S_IFCHR | permissions, node=(major, minor))


def write(entries: Iterable[Entry]) -> bytes:
    """Write an archive that the kernel unpacks; parents must stand before what is in them.

    :returns: the archive, its trailer included, padded to 512 bytes; the same entries always give the same bytes
    :raises FormatError: a name is empty, too long or holds a NUL, or a number needs more than 32 bits
    """
    parts: list[bytes] = []
    for number, entry in enumerate(entries, start=1):
        parts += _written(entry, entry.name.encode("utf-8", "surrogateescape"), entry.inode or number)
    parts += _written(Entry("", 0), _TRAILER, 0)
    archive = b"".join(parts)
    return archive + bytes(-len(archive) % 512)


def _written(entry: Entry, name: bytes, inode: int) -> tuple[bytes, ...]:
    if not name or b"\0" in name or len(name) >= _MOST_NAME:
        raise FormatError(f"not a name for a cpio archive: {name[:80]!r}")
    numbers = (
        *(inode, entry.mode, entry.uid, entry.gid, entry.links, entry.mtime, len(entry.data)),
        *(*entry.device, *entry.node, len(name) + 1, 0),
    )
    try:
        header = MAGICS[0] + binascii.hexlify(_NUMBERS.pack(*numbers)).upper()
    except struct.error as error:
        raise FormatError("a number does not fit into a cpio header", where=entry.name) from error
    padded = name + b"\0"
    return header, padded, bytes(-(HEADER_SIZE + len(padded)) % 4), entry.data, bytes(-len(entry.data) % 4)


def read(data: bytes | memoryview, offset: int = 0) -> tuple[tuple[Entry, ...], int]:
    """Read one archive; several may follow each other in an initramfs, with zeros in between.

    :param data: what the archive is in
    :param offset: where it starts; data is aligned from there
    :returns: its entries without the trailer, and the offset just behind the trailer
    :raises FormatError: a header is damaged, a part lies outside of the data, or there is no trailer
    """
    view = memoryview(data).toreadonly().cast("B")
    entries: list[Entry] = []
    at = offset
    while True:
        entry, at = _read_entry(view, at, offset)
        if entry is None:
            return tuple(entries), at
        entries.append(entry)


def _read_entry(view: memoryview, at: int, start: int) -> tuple[Entry | None, int]:
    magic = bytes(_part(view, at, len(MAGICS[0]), "header"))
    if magic not in MAGICS:
        raise FormatError(f"not a cpio header: {magic!r}", offset=at)
    try:
        numbers = _NUMBERS.unpack(binascii.unhexlify(_part(view, at + 6, HEADER_SIZE - 6, "header")))
    except binascii.Error as error:
        raise FormatError("a cpio header holds more than hexadecimal digits", offset=at) from error
    inode, mode, uid, gid, links, mtime, size, major, minor, node_major, node_minor, name_size, check = numbers
    if not 0 < name_size <= _MOST_NAME:
        raise FormatError(f"a name of {name_size} bytes in a cpio header", offset=at)
    name = bytes(_part(view, at + HEADER_SIZE, name_size, "name"))
    if name.find(b"\0") != name_size - 1:
        raise FormatError("a name in a cpio archive does not end where it should", offset=at + HEADER_SIZE)
    body = _aligned(at + HEADER_SIZE + name_size, start)
    if name[:-1] == _TRAILER:
        return None, min(body, len(view))
    contents = bytes(_part(view, body, size, "data"))
    # Of links and devices cpio writes no sum, and the kernel checks none (init/initramfs.c: do_copy).
    if magic == MAGICS[1] and contents and stat.S_ISREG(mode) and sum(contents) & _MOST_DATA != check:
        raise FormatError("the sum of a file's bytes in a cpio archive is wrong", offset=body)
    entry = Entry(
        name[:-1].decode("utf-8", "surrogateescape"),
        *(mode, contents, inode, links, uid, gid, mtime, (major, minor), (node_major, node_minor)),
    )
    return entry, _aligned(body + size, start)


def _part(view: memoryview, at: int, size: int, what: str) -> memoryview:
    if at < 0 or size > len(view) - at:
        raise FormatError(f"a cpio archive ends within a {what}", offset=max(at, 0))
    return view[at : at + size]


def _aligned(at: int, start: int) -> int:
    return at + -(at - start) % 4
