"""A section and the relocations that apply to it, read by columns: a module has thousands of them."""

from collections.abc import Collection, Iterator
from functools import cached_property
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING

from lkm.formats.elf.layouts import column

if TYPE_CHECKING:
    from lkm.formats.elf.layouts import Layout

__all__ = ["UNKNOWN", "Relocated"]

UNKNOWN = "?"
"""Stands in a log line for an address, which nothing foretells."""

# Positions in Elf64_Rela, in bytes: the halves of r_offset, and in r_info the type.
_LITTLE = (0, 4, 8)
_BIG = (4, 0, 12)
_FEW = 16


class Relocated:
    """A section with its relocations (RELA, 64 bit).

    :param number: of the section that holds the relocations
    :param records: whole Elf64_Rela
    :param contents: what the relocated section holds; None where it is memory without contents
    """

    def __init__(self, number: int, records: memoryview, contents: memoryview | None, structures: "Layout") -> None:
        self.number = number
        self._records = records
        self._contents = contents
        self._structures = structures
        self._places = _LITTLE if structures.header.format[0] == "<" else _BIG
        self._types = self._words(self._places[2])
        self.kinds = set(self._types)

    def _words(self, place: int) -> list[int]:
        """Give one half of an 8-byte field of each relocation."""
        return column(self._records, self._structures.rela, place, "I", is_native=self._structures.is_native)

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

    @cached_property
    def _target(self) -> bytes:
        return bytes(self._contents or b"")

    @cached_property
    def _offsets(self) -> list[int]:
        """Where the relocations are; nowhere inside where one is more than 4 GiB away."""
        if any(self._words(self._places[1])):
            return [1 << 32] * len(self._types)
        return self._words(self._places[0])

    def replaces_zeros(self, types: Collection[int], size: int) -> bool:
        """Tell whether all relocations of some types lie inside of the section and replace ``size`` zeros; quickly."""
        if self._contents is None:
            return True
        offsets, target = self._offsets, self._target
        if not self.kinds.issubset(types):
            offsets = list(compress(offsets, [kind in types for kind in self._types]))
        if len(offsets) < _FEW:
            zeros = bytes(size)
            return all([target[offset : offset + size] == zeros for offset in offsets])  # noqa: C419  half as dear
        if max(offsets) + size > len(target):
            return False
        pick = itemgetter(*offsets)
        return all(pick(target[place:]).count(0) == len(offsets) for place in range(size))
