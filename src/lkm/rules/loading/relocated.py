"""A section and the relocations that apply to it, read by columns: a module has thousands of them."""

from collections.abc import Iterator
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING

from lkm.formats.elf.layouts import column

if TYPE_CHECKING:
    from lkm.formats.elf.layouts import Layout

__all__ = ["UNKNOWN", "Relocated", "hold_zeros", "offsets_of", "types_of"]

UNKNOWN = "?"
"""Stands in a log line for an address, which nothing foretells."""

# Where in an Elf64_Rela, in bytes, the type is: the lower half of r_info.
_TYPE_LITTLE, _TYPE_BIG = 8, 12
_FEW = 16


class Relocated:
    """A section with its relocations (RELA, 64 bit).

    :param number: of the section that holds the relocations
    :param records: whole Elf64_Rela
    :param contents: what the relocated section holds; None where it is memory without contents
    :ivar kinds: the types of relocations that there are
    """

    __slots__ = ("_contents", "_records", "_structures", "_types", "kinds", "number")

    def __init__(self, number: int, records: memoryview, contents: memoryview | None, structures: "Layout") -> None:
        self.number = number
        self._records = records
        self._contents = contents
        self._structures = structures
        self._types = types_of(records, structures)
        self.kinds = set(self._types)

    def entries(self) -> Iterator[tuple[int, int, int, int]]:
        """Give offset, symbol, type and addend of each."""
        for offset, info, addend in self._structures.rela.iter_unpack(self._records):
            yield offset, info >> 32, info & 0xFFFFFFFF, addend

    def is_zero(self, offset: int, size: int) -> bool | None:
        """Tell whether what a relocation replaces is zero; None where it lies outside of the section."""
        if self._contents is None:
            return True
        found = self._contents[offset : offset + size]
        return None if len(found) < size else not any(found)

    def replaces_zeros(self, types: frozenset[int], size: int) -> bool:
        """Tell whether all relocations of some types lie inside of the section and replace ``size`` zeros; quickly."""
        offsets = offsets_of(self._records, self._structures)
        if not self.kinds.issubset(types):
            offsets = list(compress(offsets, map(types.__contains__, self._types)))
        return hold_zeros(self._contents, offsets, size)


def types_of(records: memoryview, structures: "Layout") -> list[int]:
    """Give the type of each of some Elf64_Rela."""
    place = _TYPE_LITTLE if structures.header.format[0] == "<" else _TYPE_BIG
    return column(records, structures.rela, place, "I", is_native=structures.is_native)


def offsets_of(records: memoryview, structures: "Layout") -> list[int]:
    """Give the place in the section of each of some Elf64_Rela."""
    return column(records, structures.rela, 0, "Q", is_native=structures.is_native)


def hold_zeros(contents: memoryview | None, offsets: list[int], size: int) -> bool:
    """Tell whether all of some places lie inside of a section, and ``size`` zeros stand there."""
    if contents is None or not offsets:
        return True
    target = bytes(contents)
    if target == bytes(len(target)):  # such as tables of addresses, half of all sections
        return max(offsets) + size <= len(target)
    return _are_zeros(target, offsets, size)


def _are_zeros(target: bytes, offsets: list[int], size: int) -> bool:
    """Tell whether zeros stand at some places, and all of them inside."""
    if len(offsets) < _FEW:
        return [target[offset : offset + size] for offset in offsets].count(bytes(size)) == len(offsets)
    pick = itemgetter(*offsets)  # the first bytes of all fields, then the second ones, without a step of Python's
    try:
        return all(pick(target[place:]).count(0) == len(offsets) for place in range(size))
    except IndexError:
        return False
