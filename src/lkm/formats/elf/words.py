"""Numbers inside of sections, in the byte order of their file."""

from __future__ import annotations

from struct import unpack
from typing import TYPE_CHECKING

from lkm.errors import ElfError

if TYPE_CHECKING:
    from lkm.formats.elf.reader import Elf

__all__ = ["word", "words"]

_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


def words(elf: Elf, data: memoryview, size: int, *, signed: bool = False) -> list[int]:
    """Read an array; what is left over at the end is ignored.

    :param elf: the file, for its byte order
    :param data: the array
    :param size: of an item, 1, 2, 4 or 8 bytes
    :param signed: the items are signed
    :returns: the items
    """
    count = len(data) // size
    code = _CODES[size].lower() if signed else _CODES[size]
    return list(unpack(f"{'<' if elf.little_endian else '>'}{count}{code}", data[: count * size]))


def word(elf: Elf, data: memoryview, offset: int, size: int, *, signed: bool = False) -> int:
    """Read one number.

    :param elf: the file, for its byte order
    :param data: the contents of a section
    :param offset: where the number begins in ``data``
    :param size: 1 to 8 bytes
    :param signed: it is signed
    :returns: the number
    :raises ElfError: it does not lie inside of ``data``
    """
    if not 0 <= offset <= len(data) - size:
        raise ElfError(f"a number of {size} bytes lies outside of its section of {len(data)}", offset=offset)
    return int.from_bytes(data[offset : offset + size], "little" if elf.little_endian else "big", signed=signed)
