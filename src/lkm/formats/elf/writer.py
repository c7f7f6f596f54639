"""A writer of ELF objects: for tests, for samples, and for whoever has to hand the kernel a module made by hand."""

from dataclasses import dataclass
from struct import error as StructError  # noqa: N812 - the standard library's name for it says too little

from lkm.errors import ElfError
from lkm.formats.elf.constants import (
    MAGIC,
    ElfClass,
    ElfData,
    ElfType,
    Machine,
    SectionFlag,
    SectionIndex,
    SectionType,
    SymbolBinding,
    SymbolType,
)
from lkm.formats.elf.layouts import IDENT_SIZE, layout
from lkm.formats.elf.relocation_records import pack

__all__ = ["ObjectWriter"]


@dataclass(slots=True)
class _Section:
    name: str
    type: int
    flags: int = 0
    data: bytes = b""
    size: int = 0
    address: int = 0
    link: int = 0
    info: int = 0
    alignment: int = 1
    entry_size: int = 0


@dataclass(frozen=True, slots=True)
class _Symbol:
    name: str
    value: int
    size: int
    section: int
    info: int
    other: int


@dataclass(frozen=True, slots=True)
class _Relocation:
    offset: int
    symbol: int
    type: int
    addend: int | None


class _Strings:
    """A string table that grows; equal names are stored once."""

    __slots__ = ("_offsets", "data")

    def __init__(self) -> None:
        self.data = bytearray(b"\0")
        self._offsets = {"": 0}

    def add(self, name: str) -> int:
        offset = self._offsets.get(name)
        if offset is None:
            offset = self._offsets[name] = len(self.data)
            self.data += name.encode("utf-8", "surrogateescape") + b"\0"
        return offset


class ObjectWriter:
    """Collects sections, symbols and relocations, and lays them out as a file.

    The chosen sections come first, in the order of their addition, then one section of relocations for each section
    that has any, then ``.symtab`` (with ``.symtab_shndx`` when a section's number is too large for a symbol),
    ``.strtab`` and ``.shstrtab``. Without symbols and relocations there is no symbol table. The same calls give the
    same bytes.

    :param machine: ``e_machine``
    :param is_64bit: ELFCLASS64, else ELFCLASS32
    :param little_endian: ELFDATA2LSB, else ELFDATA2MSB
    :param type: ``e_type``
    :param flags: ``e_flags``
    """

    __slots__ = (
        "_flags",
        "_little_endian",
        "_machine",
        "_relocations",
        "_sections",
        "_structures",
        "_symbols",
        "_type",
    )

    def __init__(
        self,
        machine: int = Machine.X86_64,
        *,
        is_64bit: bool = True,
        little_endian: bool = True,
        type: int = ElfType.REL,  # noqa: A002 - the field's name
        flags: int = 0,
    ) -> None:
        self._machine = machine
        self._type = type
        self._flags = flags
        self._little_endian = little_endian
        self._structures = layout(is_64bit, little_endian)
        self._sections = [_Section("", SectionType.NULL, alignment=0)]
        self._symbols: list[_Symbol] = []
        self._relocations: dict[int, list[_Relocation]] = {}

    def add_section(  # noqa: PLR0913 - a section header has this many fields
        self,
        name: str,
        type: int = SectionType.PROGBITS,  # noqa: A002 - the field's name
        flags: int = 0,
        data: bytes = b"",
        *,
        size: int | None = None,
        alignment: int = 1,
        entry_size: int = 0,
        link: int = 0,
        info: int = 0,
        address: int = 0,
    ) -> int:
        """Add a section.

        :param data: the contents; none for NOBITS
        :param size: ``sh_size`` where it is not the length of ``data``: for NOBITS
        :param alignment: a power of two; the contents begin at a multiple of it
        :returns: the section's number in the file
        """
        length = len(data) if size is None else size
        section = _Section(name, type, flags, bytes(data), length, address, link, info, alignment, entry_size)
        self._sections.append(section)
        return len(self._sections) - 1

    def add_symbol(
        self,
        name: str,
        *,
        value: int = 0,
        size: int = 0,
        section: int = SectionIndex.UNDEF,
        binding: int = SymbolBinding.GLOBAL,
        type: int = SymbolType.NOTYPE,  # noqa: A002 - the field's name
        other: int = 0,
    ) -> int:
        """Add a symbol.

        :param section: a section's number, or a :class:`SectionIndex` for what is in none
        :returns: a number for :meth:`add_relocation`; in the file local symbols come before the others, as the format
            demands, so the number there may differ
        """
        self._symbols.append(_Symbol(name, value, size, section, binding << 4 | type, other))
        return len(self._symbols)

    def add_relocation(
        self,
        section: int,
        offset: int,
        symbol: int,
        type: int,  # noqa: A002 - the field's name
        addend: int | None = None,
    ) -> None:
        """Add a relocation of the bytes at ``offset`` of a section.

        :param section: the number of the section it applies to
        :param symbol: what :meth:`add_symbol` returned, or 0 for none
        :param addend: ``None`` makes it a REL entry, else it is a RELA one; a section has one kind only
        """
        self._relocations.setdefault(section, []).append(_Relocation(offset, symbol, type, addend))

    def to_bytes(self) -> bytes:
        """Return the file.

        :raises ElfError: a number does not fit into its field, or a relocation's section or symbol was never added
        """
        try:
            return self._file(self._all_sections())
        except (StructError, OverflowError) as error:
            raise ElfError(f"a value does not fit into its field: {error}") from error

    # --- the sections that the writer makes -------------------------------------------------------------------------

    def _all_sections(self) -> list[_Section]:
        sections = list(self._sections)
        if self._symbols or self._relocations:
            order = self._symbol_order()
            targets = sorted(self._relocations)
            symtab = len(sections) + len(targets)
            sections += [self._relocation_section(target, symtab, order) for target in targets]
            sections += self._symbol_sections(symtab, order)
        sections.append(_Section(".shstrtab", SectionType.STRTAB))
        return sections

    def _symbol_order(self) -> list[int]:
        """Return the numbers of the symbols, as :meth:`add_symbol` gave them, in the order of the file."""
        numbers = range(1, len(self._symbols) + 1)
        return sorted(numbers, key=lambda number: self._symbols[number - 1].info >> 4 != SymbolBinding.LOCAL)

    def _relocation_section(self, target: int, symtab: int, order: list[int]) -> _Section:
        if not 0 < target < len(self._sections):
            raise ElfError(f"a relocation applies to section {target}, which was never added")
        entries = self._relocations[target]
        with_addend = {entry.addend is not None for entry in entries}
        if len(with_addend) > 1:
            raise ElfError(f"section {target} has relocations both with and without addend")
        numbers = {0: 0} | {number: index for index, number in enumerate(order, 1)}
        data = b"".join(self._relocation_record(entry, numbers) for entry in entries)
        prefix, kind, structure = (
            (".rela", SectionType.RELA, self._structures.rela)
            if True in with_addend
            else (".rel", SectionType.REL, self._structures.rel)
        )
        return _Section(
            prefix + self._sections[target].name,
            kind,
            SectionFlag.INFO_LINK,
            data,
            len(data),
            link=symtab,
            info=target,
            alignment=8 if self._structures.is_64bit else 4,
            entry_size=structure.size,
        )

    def _relocation_record(self, entry: _Relocation, numbers: dict[int, int]) -> bytes:
        if entry.symbol not in numbers:
            raise ElfError(f"a relocation names symbol {entry.symbol}, which was never added")
        mips64el = self._structures.is_64bit and self._little_endian and self._machine == Machine.MIPS
        fields = (entry.offset, numbers[entry.symbol], entry.type, entry.addend)
        return pack(fields, self._structures, mips64el=mips64el)

    def _symbol_sections(self, symtab: int, order: list[int]) -> list[_Section]:
        strings = _Strings()
        symbols = [self._symbols[number - 1] for number in order]
        extended = [0] + [symbol.section if _is_extended(symbol.section) else 0 for symbol in symbols]
        records = [bytes(self._structures.symbol.size)]
        records += [self._symbol_record(symbol, strings.add(symbol.name)) for symbol in symbols]
        local = 1 + sum(symbol.info >> 4 == SymbolBinding.LOCAL for symbol in symbols)
        data = b"".join(records)
        made = [
            _Section(
                ".symtab",
                SectionType.SYMTAB,
                data=data,
                size=len(data),
                link=symtab + (2 if any(extended) else 1),
                info=local,
                alignment=8 if self._structures.is_64bit else 4,
                entry_size=self._structures.symbol.size,
            )
        ]
        if any(extended):
            words = b"".join(map(self._structures.word.pack, extended))
            made.append(
                _Section(
                    ".symtab_shndx",
                    SectionType.SYMTAB_SHNDX,
                    data=words,
                    size=len(words),
                    link=symtab,
                    alignment=4,
                    entry_size=4,
                )
            )
        made.append(_Section(".strtab", SectionType.STRTAB, data=bytes(strings.data), size=len(strings.data)))
        return made

    def _symbol_record(self, symbol: _Symbol, name: int) -> bytes:
        section = SectionIndex.XINDEX if _is_extended(symbol.section) else symbol.section
        if self._structures.is_64bit:
            fields = (name, symbol.info, symbol.other, section, symbol.value, symbol.size)
        else:
            fields = (name, symbol.value, symbol.size, symbol.info, symbol.other, section)
        return self._structures.symbol.pack(*fields)

    # --- the file ---------------------------------------------------------------------------------------------------

    def _file(self, sections: list[_Section]) -> bytes:
        names = _Strings()
        name_offsets = [names.add(section.name) for section in sections]
        sections[-1].data, sections[-1].size = bytes(names.data), len(names.data)
        body = bytearray(IDENT_SIZE + self._structures.header.size)
        offsets = []
        for section in sections:
            _pad(body, section.alignment)
            offsets.append(len(body) if section.type != SectionType.NULL else 0)
            body += section.data
        _pad(body, 8 if self._structures.is_64bit else 4)
        table = len(body)
        for index, section in enumerate(sections):
            fields = self._section_fields(section, offsets[index], index, len(sections))
            body += self._structures.section.pack(name_offsets[index], *fields)
        header = self._header(table, len(sections))
        body[: len(header)] = header
        return bytes(body)

    @staticmethod
    def _section_fields(section: _Section, offset: int, index: int, count: int) -> tuple[int, ...]:
        size, link = section.size, section.link
        if index == 0 and count >= SectionIndex.LORESERVE:
            size, link = count, count - 1
        numbers = (section.type, section.flags, section.address, offset, size, link)
        return (*numbers, section.info, section.alignment, section.entry_size)

    def _header(self, table: int, count: int) -> bytes:
        elf_class = ElfClass.ELF64 if self._structures.is_64bit else ElfClass.ELF32
        byte_order = ElfData.LITTLE if self._little_endian else ElfData.BIG
        ident = MAGIC + bytes((elf_class, byte_order, 1))
        too_many = count >= SectionIndex.LORESERVE
        fields = (self._type, self._machine, 1, 0, 0, table, self._flags)
        sizes = (IDENT_SIZE + self._structures.header.size, 0, 0, self._structures.section.size)
        numbers = (0, SectionIndex.XINDEX) if too_many else (count, count - 1)
        return ident.ljust(IDENT_SIZE, b"\0") + self._structures.header.pack(*fields, *sizes, *numbers)


def _is_extended(section: int) -> bool:
    """Say whether this is the number of a section, yet too large for ``st_shndx``."""
    return section >= SectionIndex.LORESERVE and not isinstance(section, SectionIndex)


def _pad(body: bytearray, alignment: int) -> None:
    if alignment > 1:
        body += bytes(-len(body) % alignment)
