"""Fields of a section that hold no value yet, but will be filled by relocations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lkm.formats.elf.constants import SectionIndex
from lkm.formats.elf.words import word

if TYPE_CHECKING:
    from lkm.formats.elf.reader import Elf
    from lkm.formats.elf.records import Section

__all__ = ["Pointers"]


_UNDEF = SectionIndex.UNDEF.value


class Pointers:
    """The relocated fields of one section of a relocatable object.

    Pointers and distances (PREL32) read alike, as for both the relocation says what is pointed to.

    :param elf: the object
    :param section: the section that the relocations apply to
    :raises ElfError: the section or its relocations are not all in the file
    """

    __slots__ = ("_contents", "_elf", "_places", "_relocations", "_symbols")

    def __init__(self, elf: Elf, section: Section) -> None:
        self._elf = elf
        self._contents = elf.contents(section)
        self._symbols = elf.symbol_table
        # RISC-V takes a distance by two relocations of one place: the first adds and counts, the second subtracts.
        entries = reversed(elf.relocation_entries(section.index))
        self._relocations = {offset: (symbol, addend) for offset, symbol, _, addend in entries}
        self._places: dict[int, tuple[int, int]] = {}

    def place(self, offset: int, size: int) -> tuple[int, int] | None:
        """Return where a field points to.

        :param offset: where the field begins in the section
        :param size: of the field in bytes, for the addend that may stand in it
        :returns: a section's number, or a :class:`SectionIndex`, and an offset in it; None when no relocation fills the
            field
        :raises ElfError: there is no such symbol, or the field is outside of the section
        """
        relocation = self._relocations.get(offset)
        if relocation is None:
            return None
        index, addend = relocation
        section, value = self._places.get(index) or self._place(index)
        if addend is None:
            addend = word(self._elf, self._contents, offset, size, signed=True)
        return section, value + addend

    def undefined_symbol(self, offset: int) -> str | None:
        """Return the name of what a field points to, where that is outside of the object.

        :param offset: where the field begins in the section
        :returns: the symbol; empty when it is a part of the object, None when no relocation fills the field
        :raises ElfError: there is no such symbol, or its name can't be read
        """
        relocation = self._relocations.get(offset)
        if relocation is None:
            return None
        index = relocation[0]
        return self._symbols.name(index) if self._place(index)[0] == _UNDEF else ""

    def _place(self, index: int) -> tuple[int, int]:
        """Give the place of a symbol, which is often that of a section, and the same for all fields."""
        place = self._places[index] = self._symbols.place(index)
        return place
