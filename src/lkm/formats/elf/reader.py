"""A reader of ELF files: modules, which are relocatable objects, and linked images such as a kernel.

Everything a header claims is checked against the length of the file before it is used. Only what makes a file
unreadable is an error here; what the kernel would not accept is for others to say, who find the raw values in
:class:`~lkm.formats.elf.header.Header` and :class:`~lkm.formats.elf.records.Section`.
"""

from typing import TYPE_CHECKING

from lkm.errors import ElfError
from lkm.formats.elf.constants import Machine, SectionFlag, SectionType
from lkm.formats.elf.header import Header, class_layout
from lkm.formats.elf.layouts import IDENT_SIZE
from lkm.formats.elf.records import Relocation, Section, Symbol
from lkm.formats.elf.relocation_records import Entry, unpack
from lkm.formats.elf.section_table import SectionTable
from lkm.formats.elf.strings import StringTable
from lkm.formats.elf.symbol_table import SymbolTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

__all__ = ["Elf", "Relocation", "Section", "Symbol"]

_SYMTAB = SectionType.SYMTAB.value
_SYMTAB_SHNDX = SectionType.SYMTAB_SHNDX.value
_HAS_ADDEND = {SectionType.REL.value: False, SectionType.RELA.value: True}
_LINK = 6  # position in Layout.section
_SPARC = frozenset((Machine.SPARC.value, Machine.SPARCV9.value))


class Elf:
    """An ELF file.

    The file is not copied: what is handed out as a ``memoryview`` shows ``data`` itself, which must not change, and a
    memory map can't be closed, while that or the object is in use.

    :param data: the whole file
    :ivar section_table: the section headers, for those who need single ones of many files
    :raises ElfError: the header is none, or the section headers are not all in the file
    """

    __slots__ = (
        "_layout",
        "_raw_header",
        "_sections",
        "_symbol_table",
        "_symbols",
        "data",
        "flags",
        "is_64bit",
        "little_endian",
        "machine",
        "section_table",
        "type",
    )

    def __init__(self, data: "bytes | bytearray | memoryview | mmap") -> None:
        self.data = _flat(data)
        self._layout = class_layout(self.data)
        self.is_64bit = self.data[4] == 2
        self.little_endian = self.data[5] == 1
        self._raw_header = self._layout.header.unpack_from(self.data, IDENT_SIZE)
        self.type: int = self._raw_header[0]
        self.machine: int = self._raw_header[1]
        self.flags: int = self._raw_header[6]
        self.section_table = SectionTable(_reader(self.data), len(self.data), self._layout, self._raw_header)
        self._sections: tuple[Section, ...] | None = None
        self._symbol_table: SymbolTable | None = None
        self._symbols: tuple[Symbol, ...] | None = None

    # --- sections ---------------------------------------------------------------------------------------------------

    @property
    def header(self) -> Header:
        """The fields of the header, as they stand in the file."""
        return Header(bytes(self.data[:IDENT_SIZE]), *self._raw_header)

    @property
    def sections(self) -> tuple[Section, ...]:
        """Every section, by number; number 0 is the unused one.

        :raises ElfError: names overlap so much that they are longer than the file
        """
        if self._sections is None:
            self._sections = self.section_table.all()
        return self._sections

    @property
    def section_count(self) -> int:
        """How many sections there are, the unused one with number 0 included."""
        return len(self.section_table)

    @property
    def section_name_index(self) -> int:
        """The number of the section that holds the names, from the header or from where it refers to."""
        return self.section_table.name_index

    def section(self, name: str) -> Section | None:
        """Return the first section of a name.

        :raises ElfError: the table of section names can't be read
        """
        index = self.section_table.index(name)
        return None if index is None else self.section_table.one(index, name)

    def section_index(self, name: str) -> int | None:
        """Return the number of the first section of a name (ASCII), without reading the others.

        :raises ElfError: the table of section names can't be read
        """
        return self.section_table.index(name)

    def mentions_section(self, text: str) -> bool:
        """Tell whether a text (ASCII) stands in the names of the sections at all: a quick no.

        :raises ElfError: the table of section names can't be read
        """
        return self.section_table.mentions(text)

    def contents(self, section: Section) -> memoryview:
        """Return the bytes of a section; none for one that takes no room in the file.

        :raises ElfError: they are not all in the file
        """
        return self.section_table.slice(section.index, section.type, section.offset, section.size)

    def contents_of(self, name: str) -> memoryview | None:
        """Return the bytes of the first section of a name, or ``None`` when there is none.

        :raises ElfError: as :meth:`section` and :meth:`contents`
        """
        index = self.section_table.index(name)
        return None if index is None else self.section_table.contents(index)

    def section_at(self, address: int) -> Section | None:
        """Return the section of a linked image that holds an address in memory.

        :raises ElfError: as :attr:`sections`
        """
        for section in self.sections:
            if section.flags & SectionFlag.ALLOC and section.address <= address < section.address + section.size:
                return section
        return None

    def string(self, section_index: int, offset: int) -> str:
        """Return the NUL-terminated text at an offset of a section.

        :raises ElfError: there is no such section, or the offset is outside of it
        """
        return self.section_table.strings(section_index).name(offset)

    # --- symbols ----------------------------------------------------------------------------------------------------

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """Every symbol of the (first) symbol table, by number; number 0 is the unused one. Empty without a table.

        :raises ElfError: the table, or its names, can't be read
        """
        if self._symbols is None:
            self._symbols = self.symbol_table.all()
        return self._symbols

    def symbol(self, index: int) -> Symbol:
        """Return one symbol by its number, without reading the others.

        :raises ElfError: there is none of that number, or its name can't be read
        """
        return self.symbol_table.one(index)

    def symbol_place(self, index: int) -> tuple[int, int]:
        """Return the section's number and the value of a symbol: what a relocation needs of it, without its name.

        :raises ElfError: there is none of that number
        """
        return self.symbol_table.place(index)

    def undefined_symbols(self) -> list[tuple[str, bool]]:
        """Return the name of each symbol that another module or the kernel must provide, and whether it is weak.

        In the order of the table. As depmod does, nameless ones and SPARC's declared registers are left out (kmod 30,
        ``libkmod/libkmod-elf.c``, ``kmod_elf_get_dependency_symbols``).

        :raises ElfError: the symbol table can't be read
        """
        return list(zip(*self.undefined_columns(), strict=True))

    def undefined_columns(self) -> tuple[list[str], list[bool]]:
        """Return the same as :meth:`undefined_symbols`, the names apart from whether they are weak.

        :raises ElfError: the symbol table can't be read
        """
        return self.symbol_table.undefined(has_registers=self.machine in _SPARC)

    def symbol_values_with_prefix(self, prefix: str) -> list[tuple[str, int, int]]:
        """Return what the symbols stand for whose names begin with a prefix (ASCII, not empty).

        :returns: for each, in the order of the table: the name after the prefix, ``st_value``, the section's number
        :raises ElfError: the symbol table can't be read
        """
        return self.symbol_table.with_prefix(prefix)

    @property
    def symbol_table(self) -> SymbolTable:
        """The first SYMTAB section, for those who need its raw records; an empty one when there is none.

        :raises ElfError: it, or the string table it is linked to, is not all in the file
        """
        if self._symbol_table is None:
            self._symbol_table = self._read_symbol_table()
        return self._symbol_table

    # --- relocations ------------------------------------------------------------------------------------------------

    def relocations(self, section_index: int) -> tuple[Relocation, ...]:
        """Return the relocations that apply to a section, in the order of the file.

        :raises ElfError: their section is not all in the file
        """
        return tuple(Relocation(*entry) for entry in self.relocation_entries(section_index))

    def relocation_entries(self, section_index: int) -> list[Entry]:
        """Return the same as :meth:`relocations`, as tuples of offset, symbol, type, addend.

        :raises ElfError: their section is not all in the file, or several of them share its bytes
        """
        found: list[Entry] = []
        budget = len(self.data)
        table, structures = self.section_table, self._layout
        mips64el = self.is_64bit and self.little_endian and self.machine == Machine.MIPS
        types = table.types
        for index, applies_to in enumerate(table.infos):
            if applies_to == section_index and types[index] in _HAS_ADDEND:
                has_addend = _HAS_ADDEND[types[index]]
                records = _whole(table.contents(index), structures.rela.size if has_addend else structures.rel.size)
                budget -= len(records)
                if budget < 0:
                    raise ElfError(f"the relocations of section {section_index} are larger than the file")
                found += unpack(records, structures, has_addend=has_addend, mips64el=mips64el)
        return found

    # --- inside -----------------------------------------------------------------------------------------------------

    def _read_symbol_table(self) -> SymbolTable:
        table, structures = self.section_table, self._layout
        if _SYMTAB not in table.types:
            return SymbolTable(memoryview(b""), StringTable(b"", 0), structures, extended=())
        index = table.types.index(_SYMTAB)
        records = _whole(table.contents(index), structures.symbol.size)
        extended = self._extended_indexes(index) if _SYMTAB_SHNDX in table.types else ()
        return SymbolTable(records, table.linked_strings(index), structures, extended=extended)

    def _extended_indexes(self, symtab: int) -> tuple[int, ...]:
        for index, kind in enumerate(self.section_table.types):
            if kind == _SYMTAB_SHNDX and self.section_table.fields(index)[_LINK] == symtab:
                words = _whole(self.section_table.contents(index), self._layout.word.size)
                return tuple(word for (word,) in self._layout.word.iter_unpack(words))
        return ()


def _flat(data: "bytes | bytearray | memoryview | mmap") -> memoryview:
    view = memoryview(data)
    if isinstance(data, bytes):
        return view
    if not view.c_contiguous:
        view = memoryview(view.tobytes())
    return (view if view.format == "B" and view.ndim == 1 else view.cast("B")).toreadonly()


def _reader(data: memoryview) -> "Callable[[int, int], memoryview]":
    return lambda offset, count: data[offset : offset + count]


def _whole(data: memoryview, size: int) -> memoryview:
    """Return as much of ``data`` as holds whole records: the kernel, too, ignores a remainder."""
    return data[: len(data) - len(data) % size]
