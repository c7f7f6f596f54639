"""The section headers: where the parts of the file are, and what they are called."""

from typing import TYPE_CHECKING

from lkm.errors import ElfError
from lkm.formats.elf.constants import SectionIndex, SectionType
from lkm.formats.elf.header import class_layout
from lkm.formats.elf.layouts import IDENT_SIZE, column
from lkm.formats.elf.strings import StringTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from lkm.formats.elf.layouts import Layout
    from lkm.formats.elf.records import Section

    Read = Callable[[int, int], bytes | memoryview]

__all__ = ["SectionTable", "read_section_table"]

_LONGEST_HEADER = 64
_NO_BYTES = memoryview(b"")
_WITHOUT_CONTENTS = frozenset((SectionType.NULL.value, SectionType.NOBITS.value))
_XINDEX = SectionIndex.XINDEX.value

# Positions in Layout.section.
_NAME, _TYPE, _OFFSET, _SIZE, _LINK = 0, 1, 4, 5, 6


def read_section_table(read: "Read", size: int) -> "SectionTable":
    """Read the section headers of a file, of which nothing else need be read.

    :param read: as for :class:`SectionTable`
    :param size: of the file, in bytes
    :raises ElfError: this is no ELF file, or as :class:`SectionTable`
    """
    head = read(0, _LONGEST_HEADER)
    structures = class_layout(head)
    return SectionTable(read, size, structures, structures.header.unpack_from(head, IDENT_SIZE))


class SectionTable:
    """The section headers of a file.

    :param read: gives some bytes (offset, count) of the file, fewer where it ends; it is asked for none behind ``size``
    :param size: of the file, in bytes
    :param structures: its layout
    :param header: the fields of its header after ``e_ident``
    :raises ElfError: the headers are not all in the file, or of another size than their class has
    :ivar name_index: the number of the section that holds the names, from the header or from where it refers to
    """

    __slots__ = (
        "_infos",
        "_name_offsets",
        "_names",
        "_read",
        "_records",
        "_size",
        "_strings",
        "_structures",
        "_types",
        "name_index",
    )

    def __init__(self, read: "Read", size: int, structures: "Layout", header: tuple[int, ...]) -> None:
        self._read = read
        self._size = size
        self._structures = structures
        self._records, self.name_index = self._find_records(header[5], *header[10:13])
        self._types: list[int] | None = None
        self._infos: list[int] | None = None
        self._names: StringTable | None = None
        self._name_offsets: list[int] | None = None
        self._strings: dict[int, StringTable] = {}

    def __len__(self) -> int:
        return len(self._records) // self._structures.section.size

    @property
    def types(self) -> list[int]:
        """``sh_type`` of every section."""
        if self._types is None:
            self._types = self._column(4)
        return self._types

    @property
    def infos(self) -> list[int]:
        """``sh_info`` of every section."""
        if self._infos is None:
            self._infos = self._column(44 if self._structures.is_64bit else 28)
        return self._infos

    def all(self) -> "tuple[Section, ...]":
        """Return every section, by number; those whose names can't be read have empty ones.

        :raises ElfError: names overlap so much that they are longer than the file
        """
        try:
            names = self._name_table()
        except ElfError:
            names = StringTable(b"", 0)
        headers = list(self._structures.section.iter_unpack(self._records))
        known = [index for index, header in enumerate(headers) if header[_NAME] < names.size]
        named = dict(zip(known, names.names([headers[index][_NAME] for index in known]), strict=True))
        section = _maker()
        return tuple([section(index, named.get(index, ""), header) for index, header in enumerate(headers)])

    def one(self, index: int, name: str) -> "Section":
        """Return the section of a number, whose name is known.

        :raises ElfError: there is none of that number
        """
        return _maker()(index, name, self.fields(index))

    def index(self, name: str) -> int | None:
        """Return the number of the first section of a name (ASCII), without reading the others.

        :raises ElfError: the table of names can't be read
        """
        positions = self._name_table().positions(name + "\0")
        if not positions:
            return None
        offsets = self._offsets_of_names()
        if len(positions) == 1:
            (position,) = positions
            return offsets.index(position) if position in offsets else None
        return next((index for index, offset in enumerate(offsets) if offset in positions), None)

    def mentions(self, text: str) -> bool:
        """Tell whether a text (ASCII) stands in the names at all: a quick no.

        :raises ElfError: the table of names can't be read
        """
        return text in self._name_table().text

    def fields(self, index: int) -> tuple[int, ...]:
        """Return a section header as it stands in the file: sh_name … sh_entsize.

        :raises ElfError: there is none of that number
        """
        size = self._structures.section.size
        if not 0 <= index < len(self._records) // size:
            raise ElfError(f"there is no section {index}: the file has {len(self)}")
        return self._structures.section.unpack_from(self._records, index * size)

    def contents(self, index: int) -> memoryview:
        """Return the bytes of a section; none for one that takes no room in the file.

        :raises ElfError: there is none of that number, or its bytes are not all in the file
        """
        fields = self.fields(index)
        return self.slice(index, fields[_TYPE], fields[_OFFSET], fields[_SIZE])

    def slice(self, index: int, kind: int, offset: int, size: int) -> memoryview:
        """Return the bytes of a section whose header is known; as :meth:`contents`."""
        if kind in _WITHOUT_CONTENTS:
            return _NO_BYTES
        if offset + size > self._size:
            raise ElfError(f"section {index} of {size} bytes reaches past the end of the file", offset=offset)
        return self._bytes(offset, size)

    def strings(self, index: int) -> StringTable:
        """Return a section as a string table.

        :raises ElfError: as :meth:`contents`
        """
        table = self._strings.get(index)
        if table is None:
            table = self._strings[index] = StringTable(self.contents(index), self._size)
        return table

    def linked_strings(self, index: int) -> StringTable:
        """Return the string table that a section is linked to.

        :raises ElfError: as :meth:`contents`
        """
        return self.strings(self.fields(index)[_LINK])

    def _find_records(self, offset: int, entry_size: int, count: int, name_index: int) -> tuple[memoryview, int]:
        if not offset:
            return _NO_BYTES, 0
        size = self._structures.section.size
        if entry_size != size:
            raise ElfError(f"section headers of {entry_size} bytes, where the class has {size}", offset=offset)
        if not count or name_index == _XINDEX:
            first = self._first(offset)
            count = count or first[_SIZE]
            name_index = first[_LINK] if name_index == _XINDEX else name_index
        if offset + count * size > self._size:
            raise ElfError(f"{count} section headers do not fit into the file", offset=offset)
        return self._bytes(offset, count * size), name_index

    def _first(self, offset: int) -> tuple[int, ...]:
        """Return the header with number 0, which has the numbers that are too large for the file's header."""
        size = self._structures.section.size
        if offset + size > self._size:
            raise ElfError("the section headers begin outside of the file", offset=offset)
        return self._structures.section.unpack(self._bytes(offset, size))

    def _bytes(self, offset: int, count: int) -> memoryview:
        found = memoryview(self._read(offset, count))
        if len(found) != count:
            raise ElfError("the file was cut while it was read", offset=offset)
        return found

    def _name_table(self) -> StringTable:
        if self._names is None:
            self._names = self.strings(self.name_index) if self.name_index else StringTable(b"", 0)
        return self._names

    def _offsets_of_names(self) -> list[int]:
        """Return ``sh_name`` of every section but number 0, which is none."""
        if self._name_offsets is None:
            self._name_offsets = self._column(0)
            self._name_offsets[:1] = [-1]
        return self._name_offsets

    def _column(self, offset: int) -> list[int]:
        structures = self._structures
        return column(self._records, structures.section, offset, "I", is_native=structures.is_native)


def _maker() -> "Callable[[int, str, tuple[int, ...]], Section]":
    from lkm.formats.elf.records import Section  # noqa: PLC0415  dear, and a scan of thousands of files needs none

    def section(index: int, name: str, header: tuple[int, ...]) -> Section:
        name_offset, kind, flags, address, offset, size, link, info, alignment, entry_size = header
        return Section(index, name, kind, flags, address, offset, size, link, info, alignment, entry_size, name_offset)

    return section
