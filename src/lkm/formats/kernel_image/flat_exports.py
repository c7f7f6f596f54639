"""What a kernel exports, out of a flat image: one without section headers, as arm64 and RISC-V boot.

``include/asm-generic/vmlinux.lds.h`` (5.10 to 7.2) lays the tables out without a gap: ``__ksymtab`` and, up to 7.0,
``__ksymtab_gpl``, each sorted by name; their CRCs, where the kernel has any; from 7.1 a byte of flags for each symbol;
then the strings that all entries point to. So one entry that is found gives all others, and the room between the last
entry and the first string tells what lies there. Entries are three 32-bit distances (see
:mod:`lkm.formats.ksymtab`), little-endian.
"""

import re
import sys
from array import array
from itertools import pairwise
from struct import Struct

from lkm.formats.ksymtab import Export

__all__ = ["exports"]

_KNOWN = (b"register_filesystem\0", b"kthread_stop\0")  # every kernel exports them
_ENTRY = Struct("<iii")  # value, name, namespace
_NAME = 4  # where in an entry the distance to the name is
_NAMESPACE = 8
_FARTHEST = 4 << 20  # bytes between an entry and its name: several times the tables and strings of a distribution
_MOST_PLACES = 16  # where a known name may stand otherwise
_SYMBOL = re.compile(rb"[A-Za-z_.$][\w.$]{0,510}(?=\0)")
_TEXT = re.compile(rb"[\x21-\x7e]{0,510}(?=\0)")  # a namespace, as in "module:kvm,kvm-intel", or none
_GPL_ONLY = 1


def exports(image: bytes) -> tuple[Export, ...]:
    """Read what a kernel exports.

    :param image: flat, unpacked
    :returns: in the order of the tables; empty where there are no tables of this kind, or they make no sense
    """
    for name in _KNOWN:
        for place in _places(image, name):
            first = _entry_of(image, place)
            if first is not None:
                return _table(image, first)
    return ()


def _places(image: bytes, name: bytes) -> list[int]:
    """Find a name; it may be the end of a longer one, as the linker lets them share their bytes."""
    found: list[int] = []
    position = image.find(name)
    while position >= 0 and len(found) < _MOST_PLACES:
        found.append(position)
        position = image.find(name, position + 1)
    return found


def _entry_of(image: bytes, name: int) -> int | None:
    """Find the entry before a name that points to it."""
    start = max(0, name - _FARTHEST) & ~3
    words = array("i", image[start : start + ((name - start) & ~3)])
    if sys.byteorder == "big":
        words.byteswap()
    wanted = name - start
    for index, distance in enumerate(words):
        if distance + 4 * index == wanted:
            entry = start + 4 * index - _NAME
            if entry >= 0 and _targets(image, entry) is not None:
                return entry
    return None


def _targets(image: bytes, entry: int) -> tuple[int, int | None] | None:
    """Give where the name and the namespace of an entry are; None for what is no entry."""
    if entry < 0 or entry + _ENTRY.size > len(image):
        return None
    _, name, namespace = _ENTRY.unpack_from(image, entry)
    if not 0 < name <= _FARTHEST or not _SYMBOL.match(image, entry + _NAME + name):
        return None
    if not namespace:  # assembly code leaves it empty
        return entry + _NAME + name, None
    if not 0 < namespace <= _FARTHEST:
        return None
    place = entry + _NAMESPACE + namespace
    return (entry + _NAME + name, place) if _TEXT.match(image, place) else None


def _table(image: bytes, entry: int) -> tuple[Export, ...]:
    lowest = entry - _FARTHEST
    while entry > lowest and _targets(image, entry - _ENTRY.size) is not None:
        entry -= _ENTRY.size
    rows: list[tuple[int, int | None]] = []
    row = _targets(image, entry)
    while row is not None and len(rows) < _FARTHEST // _ENTRY.size:
        rows.append(row)
        entry += _ENTRY.size
        row = _targets(image, entry)
    names = [_text(image, name) for name, _ in rows]
    falls = [number for number, (before, after) in enumerate(pairwise(names), 1) if before > after]
    if len(falls) > 1:
        return ()
    strings = min(place for row in rows for place in row if place is not None)
    crcs, licences = _columns(image, entry, strings - entry, len(rows), falls)
    namespaces = [_text(image, place) or None if place is not None else None for _, place in rows]
    return tuple(map(Export, names, crcs, licences, namespaces))


def _columns(
    image: bytes, place: int, room: int, count: int, falls: list[int]
) -> "tuple[list[int] | list[None], list[bool]]":
    """Read CRCs and licences from the room between the entries and the strings."""
    crcs: list[int] | list[None] = [None] * count
    if room in {4 * count, 5 * count}:
        words = Struct(f"<{count}I").unpack_from(image, place)
        crcs, place, room = list(words), place + 4 * count, room - 4 * count
    if room == count and not falls:
        return crcs, [bool(flag & _GPL_ONLY) for flag in image[place : place + count]]
    only_from = falls[0] if falls else count
    return crcs, [number >= only_from for number in range(count)]


def _text(image: bytes, place: int) -> str:
    found = _TEXT.match(image, place)
    return found[0].decode("ascii") if found else ""
