"""A module's symbols: those that decide whether it loads, and the room that the others take."""

from functools import cached_property
from itertools import compress, islice
from typing import TYPE_CHECKING, NamedTuple

from lkm.formats.elf.constants import SectionIndex, SectionType, SymbolBinding
from lkm.formats.elf.strings import StringTable

if TYPE_CHECKING:
    from lkm.formats.elf.reader import Elf

__all__ = ["Symbols", "TellingSymbols", "is_weak"]

_ABS = SectionIndex.ABS.value
_LEFT_ALONE = frozenset({_ABS, SectionIndex.LIVEPATCH.value})
_WEAK = SymbolBinding.WEAK.value
_SYMTAB = SectionType.SYMTAB.value
_SHNDX_32, _SHNDX_64, _VALUE_32, _VALUE_64 = 5, 3, 1, 4  # positions in Layout.symbol
_LARGE = 1 << 30


class TellingSymbols(NamedTuple):
    """The symbols that are undefined, or of a section that is not there, by columns, in the order of the table.

    :param sections: ``st_shndx`` of each; the kernel knows no extended table of section numbers
    :param infos: ``st_info`` of each
    """

    names: list[str]
    sections: list[int]
    infos: list[int]


class Symbols:
    """The symbol table of a module, of which the kernel looks at every entry but number 0.

    :raises ElfError: the table is not all in the file
    """

    def __init__(self, elf: "Elf") -> None:
        self._elf = elf
        self._sections = elf.symbol_table.section_numbers(1)

    @cached_property
    def telling(self) -> TellingSymbols:
        """Those that are undefined, or of a section that is not there.

        :raises ElfError: a name lies outside of the string table
        """
        count, sections = self._elf.section_count, self._sections
        odd = {number for number in set(sections) if not 0 < number < count and number not in _LEFT_ALONE}
        if not odd:
            return TellingSymbols([], [], [])
        first = min(map(sections.index, odd))  # local symbols come first, and they are half of all
        numbers = sections[first:]
        marks = list(map(odd.__contains__, numbers))
        table = self._elf.symbol_table
        names = self._strings.names(list(compress(table.name_offsets(1 + first), marks)))
        return TellingSymbols(names, list(compress(numbers, marks)), list(compress(table.infos(1 + first), marks)))

    @cached_property
    def has_large_numbers(self) -> bool:
        """Whether a symbol stands for a number that 31 bits don't hold."""
        if _ABS not in self._sections:
            return False
        shndx, value = (_SHNDX_64, _VALUE_64) if self._elf.is_64bit else (_SHNDX_32, _VALUE_32)
        entries = islice(self._elf.symbol_table.entries(), 1, None)
        numbers = [entry[value] for entry in entries if entry[shndx] == _ABS]
        return any(_LARGE <= number < (1 << 64) - _LARGE for number in numbers)

    def names_in(self, sections: set[int]) -> list[int]:
        """Give the bytes that the name of each named symbol of some sections takes, its NUL included.

        What is said to lie outside of the string table is left out.
        """
        offsets = self._elf.symbol_table.name_offsets(1)
        offsets = [offset for offset, number in zip(offsets, self._sections, strict=True) if number in sections]
        strings = self._strings
        if not strings.size:
            return []
        find = strings.text.index
        return [find("\0", offset) - offset + 1 for offset in offsets if 0 < offset < strings.size]

    @property
    def _strings(self) -> "StringTable":
        """The names; empty where there is no symbol table."""
        table = self._elf.section_table
        return table.linked_strings(table.types.index(_SYMTAB)) if self._sections else StringTable(b"", 0)


def is_weak(info: int) -> bool:
    """Tell from ``st_info`` whether a module can do without a symbol."""
    return info >> 4 == _WEAK
