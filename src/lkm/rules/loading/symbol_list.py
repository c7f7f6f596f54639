"""A module's symbols: those that decide whether it loads, and the room that the others take."""

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lkm.formats.elf.constants import SectionIndex, SectionType, SymbolBinding

if TYPE_CHECKING:
    from lkm.formats.elf.reader import Elf

__all__ = ["Symbols", "TellingSymbol"]

_ABS = SectionIndex.ABS.value
_LEFT_ALONE = frozenset({_ABS, SectionIndex.LIVEPATCH.value})
_WEAK = SymbolBinding.WEAK.value
_SYMTAB = SectionType.SYMTAB.value
_SHNDX_32, _SHNDX_64, _INFO_32, _INFO_64 = 5, 3, 3, 1  # positions in Layout.symbol
_VALUE_32, _VALUE_64 = 1, 4
_LARGE = 1 << 30


class TellingSymbol(NamedTuple):
    """A symbol that is undefined, or of a section that is not there.

    :param section: ``st_shndx``; the kernel knows no extended table of section numbers
    """

    name: str
    section: int
    is_weak: bool


class Symbols:
    """The symbol table of a module, of which the kernel looks at every entry but number 0.

    :raises ElfError: the table is not all in the file
    """

    def __init__(self, elf: "Elf") -> None:
        self._elf = elf
        self._entries = list(elf.symbol_table.entries())[1:]
        self._shndx, self._info = (_SHNDX_64, _INFO_64) if elf.is_64bit else (_SHNDX_32, _INFO_32)

    @cached_property
    def telling(self) -> tuple[TellingSymbol, ...]:
        """Those that are undefined, or of a section that is not there, in the order of the table.

        :raises ElfError: a name lies outside of the string table
        """
        count, shndx, info = self._elf.section_count, self._shndx, self._info
        telling = [entry for entry in self._entries if not 0 < entry[shndx] < count and entry[shndx] not in _LEFT_ALONE]
        if not telling:
            return ()
        table = self._elf.section_table
        names = table.linked_strings(table.types.index(_SYMTAB)).names([entry[0] for entry in telling])
        return tuple(
            [
                TellingSymbol(name, entry[shndx], entry[info] >> 4 == _WEAK)
                for name, entry in zip(names, telling, strict=True)
            ]
        )

    @cached_property
    def has_large_numbers(self) -> bool:
        """Whether a symbol stands for a number that 31 bits don't hold."""
        shndx, value = self._shndx, _VALUE_64 if self._elf.is_64bit else _VALUE_32
        numbers = [entry[value] for entry in self._entries if entry[shndx] == _ABS]
        return any(_LARGE <= number < (1 << 64) - _LARGE for number in numbers)

    def names_in(self, sections: set[int]) -> list[int]:
        """Give the bytes that the name of each named symbol of some sections takes, its NUL included.

        What is said to lie outside of the string table is left out.
        """
        shndx = self._shndx
        offsets = [entry[0] for entry in self._entries if entry[shndx] in sections and entry[0]]
        if not offsets:
            return []
        table = self._elf.section_table
        strings = table.linked_strings(table.types.index(_SYMTAB))
        if max(offsets) >= strings.size:
            offsets = [offset for offset in offsets if offset < strings.size]
        find = strings.text.index
        return [find("\0", offset) - offset + 1 for offset in offsets]
