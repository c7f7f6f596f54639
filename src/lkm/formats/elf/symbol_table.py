"""The symbol table, read as a whole, one by one, or only as far as a scan of thousands of files needs it."""

from itertools import compress
from operator import not_
from typing import TYPE_CHECKING

from lkm.errors import ElfError
from lkm.formats.elf.constants import SectionIndex, SymbolBinding, SymbolType
from lkm.formats.elf.layouts import column
from lkm.formats.elf.records import Symbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lkm.formats.elf.layouts import Layout
    from lkm.formats.elf.strings import StringTable

__all__ = ["SymbolTable"]

_XINDEX = SectionIndex.XINDEX.value
_IS_WEAK = tuple(st_info >> 4 == SymbolBinding.WEAK for st_info in range(256))


class SymbolTable:
    """The records of a SYMTAB section and the names they point to.

    :param records: the contents of the section, whole records
    :param strings: the names
    :param structures: the layout of the file
    :param extended: the section numbers that are too large for ``st_shndx``, by symbol; empty without such a table
    """

    __slots__ = ("_extended", "_records", "_strings", "_structures")

    def __init__(
        self,
        records: memoryview,
        strings: "StringTable",
        structures: "Layout",
        *,
        extended: tuple[int, ...],
    ) -> None:
        self._records = records
        self._strings = strings
        self._structures = structures
        self._extended = extended

    def __len__(self) -> int:
        return len(self._records) // self._structures.symbol.size

    def all(self) -> tuple[Symbol, ...]:
        """Return every symbol, by number.

        :raises ElfError: a name lies outside of the string table
        """
        entries = list(self.entries())
        names = self._strings.names([entry[0] for entry in entries])
        return tuple(map(self._symbol, range(len(entries)), names, entries))

    def one(self, index: int) -> Symbol:
        """Return a symbol by its number.

        :raises ElfError: there is none of that number, or its name lies outside of the string table
        """
        if not 0 <= index < len(self):
            raise self._no_symbol(index)
        entry = self._structures.symbol.unpack_from(self._records, index * self._structures.symbol.size)
        return self._symbol(index, self._strings.name(entry[0]), entry)

    def name(self, index: int) -> str:
        """Return the name of a symbol by its number.

        :raises ElfError: as :meth:`one`
        """
        if not 0 <= index < len(self):
            raise self._no_symbol(index)
        size = self._structures.symbol.size
        return self._strings.name(self._structures.word.unpack_from(self._records, index * size)[0])

    def place(self, index: int) -> tuple[int, int]:
        """Return the section's number and the value of a symbol.

        :raises ElfError: there is none of that number
        """
        structures = self._structures
        size = structures.symbol.size
        if not 0 <= index < len(self._records) // size:
            raise self._no_symbol(index)
        entry = structures.symbol.unpack_from(self._records, index * size)
        section, value = (entry[3], entry[4]) if structures.is_64bit else (entry[5], entry[1])
        return self._section(index, section)[0] if section == _XINDEX else section, value

    def entries(self) -> "Iterator[tuple[int, ...]]":
        """Yield the raw records, in the field order of the file's class."""
        return self._structures.symbol.iter_unpack(self._records)

    def name_offsets(self, first: int) -> list[int]:
        """Return ``st_name`` of every symbol from one on."""
        return self._name_offsets(self._from(first))

    def section_numbers(self, first: int) -> list[int]:
        """Return ``st_shndx`` of every symbol from one on, as it stands in the file."""
        structures, records = self._structures, self._from(first)
        return column(records, structures.symbol, structures.st_shndx, "H", is_native=structures.is_native)

    def infos(self, first: int) -> bytes:
        """Return ``st_info``, binding and type, of every symbol from one on."""
        return bytes(self._from(first)[self._structures.st_info :: self._structures.symbol.size])

    def undefined(self, *, has_registers: bool) -> tuple[list[str], list[bool]]:
        """Return the names of the undefined symbols that have one, and whether each is weak, in the order of the table.

        :param has_registers: leave out what SPARC declares as a register
        :raises ElfError: a name lies outside of the string table
        """
        records, marks = self._undefined_records()
        offsets = list(compress(self._name_offsets(records), marks))
        infos = list(compress(records[self._structures.st_info :: self._structures.symbol.size], marks))
        if has_registers:
            kept = [info & 0xF != SymbolType.SPARC_REGISTER for info in infos]
            offsets, infos = list(compress(offsets, kept)), list(compress(infos, kept))
        names = self._strings.names(offsets)
        weak = list(map(_IS_WEAK.__getitem__, infos))
        if "" in names:
            return list(filter(None, names)), list(compress(weak, names))
        return names, weak

    def with_prefix(self, prefix: str) -> list[tuple[str, int, int]]:
        """Return the rest of the name, the value and the section of each symbol whose name begins with ``prefix``.

        :raises ElfError: names overlap so much that they are longer than the file
        """
        positions = self._strings.positions(prefix)
        if not positions:
            return []
        indexes = [index for index, offset in enumerate(self._name_offsets(self._records)) if offset in positions]
        unpack, size = self._structures.symbol.unpack_from, self._structures.symbol.size
        entries = [unpack(self._records, index * size) for index in indexes]
        names = self._strings.names([entry[0] + len(prefix) for entry in entries])
        value, section = (4, 3) if self._structures.is_64bit else (1, 5)
        return [
            (name, entry[value], self._section(index, entry[section])[0])
            for index, name, entry in zip(indexes, names, entries, strict=True)
        ]

    def _undefined_records(self) -> tuple[memoryview, list[bool]]:
        """Return the records from the first undefined symbol on, and which of them are undefined.

        That leaves out the local symbols, half of a module's, and the unused one with number 0. The byte order does not
        matter: zero is zero.
        """
        symbol, st_shndx = self._structures.symbol, self._structures.st_shndx
        sections = column(self._records[symbol.size :], symbol, st_shndx, "H", is_native=True)
        first = sections.index(0) if 0 in sections else len(sections)
        return self._records[(first + 1) * symbol.size :], list(map(not_, sections[first:]))

    def _from(self, first: int) -> memoryview:
        return self._records[first * self._structures.symbol.size :]

    def _name_offsets(self, records: memoryview) -> list[int]:
        return column(records, self._structures.symbol, 0, "I", is_native=self._structures.is_native)

    def _no_symbol(self, index: int) -> ElfError:
        return ElfError(f"there is no symbol {index}: the table has {len(self)}")

    def _symbol(self, index: int, name: str, entry: tuple[int, ...]) -> Symbol:
        if self._structures.is_64bit:
            _, info, other, st_shndx, value, size = entry
        else:
            _, value, size, info, other, st_shndx = entry
        section, extended = self._section(index, st_shndx)
        return Symbol(name, value, size, section, info >> 4, info & 0xF, other, extended)

    def _section(self, index: int, st_shndx: int) -> tuple[int, bool]:
        """Return the number of a symbol's section, and whether it had to be looked up in the extended table."""
        if st_shndx == _XINDEX and index < len(self._extended):
            return self._extended[index], True
        return st_shndx, False
