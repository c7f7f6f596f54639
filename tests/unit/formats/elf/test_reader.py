"""The reader of ELF files, on files that the writer made."""

import mmap
import struct
import tempfile

import pytest

from lkm.errors import ElfError
from lkm.formats.elf.constants import (
    ElfType,
    Machine,
    SectionFlag,
    SectionIndex,
    SectionType,
    SymbolBinding,
    SymbolType,
)
from lkm.formats.elf.reader import Elf, Relocation
from lkm.formats.elf.writer import ObjectWriter

KINDS = [
    pytest.param(is_64bit, little_endian, id=f"{64 if is_64bit else 32}{'LE' if little_endian else 'BE'}")
    for is_64bit in (True, False)
    for little_endian in (True, False)
]


def sample(*, is_64bit: bool = True, little_endian: bool = True, machine: int = Machine.X86_64) -> bytes:
    writer = ObjectWriter(machine, is_64bit=is_64bit, little_endian=little_endian, flags=5)
    text = writer.add_section(".text", flags=SectionFlag.ALLOC | SectionFlag.EXECINSTR, data=bytes(64), alignment=16)
    writer.add_section(".modinfo", flags=SectionFlag.ALLOC, data=b"license=GPL\0")
    writer.add_section(".bss", SectionType.NOBITS, SectionFlag.ALLOC | SectionFlag.WRITE, size=1 << 30, alignment=8)
    writer.add_section(".modinfo", data=b"the second")
    writer.add_symbol("init_module", section=text, value=16, size=5, type=SymbolType.FUNC)
    needed = writer.add_symbol("printk")
    writer.add_symbol("maybe", binding=SymbolBinding.WEAK)
    writer.add_symbol("__crc_mine", section=SectionIndex.ABS, value=0x1234)
    local = writer.add_symbol("here", section=text, value=32, binding=SymbolBinding.LOCAL, other=2)
    writer.add_symbol("__ksymtab_mine", section=text, value=48, binding=SymbolBinding.LOCAL)
    writer.add_relocation(text, 17, needed, 4, -4)
    writer.add_relocation(text, 33, local, 2, 8)
    return writer.to_bytes()


def patched(data: bytes, offset: int, fields: str, *values: int) -> bytes:
    image = bytearray(data)
    struct.pack_into(fields, image, offset, *values)
    return bytes(image)


def section_field(data: bytes, name: str, fields: str, position: int, *values: int) -> bytes:
    """Patch a field of a section header of a little-endian ELF64 file, at a position inside the header."""
    elf = Elf(data)
    section = elf.section(name)
    assert section is not None
    return patched(data, elf.header.shoff + 64 * section.index + position, fields, *values)


@pytest.mark.parametrize(("is_64bit", "little_endian"), KINDS)
class TestEveryClassAndByteOrder:
    def test_header(self, *, is_64bit: bool, little_endian: bool) -> None:
        data = sample(is_64bit=is_64bit, little_endian=little_endian)
        elf = Elf(data)
        assert (elf.is_64bit, elf.little_endian) == (is_64bit, little_endian)
        assert (elf.type, elf.machine, elf.flags) == (ElfType.REL, Machine.X86_64, 5)
        header = elf.header
        assert header.ident == data[:16]
        assert (header.version, header.ehsize) == (1, 64 if is_64bit else 52)
        assert (header.shentsize, header.shnum) == (64 if is_64bit else 40, len(elf.sections))
        assert header.shstrndx == header.shnum - 1

    def test_sections(self, *, is_64bit: bool, little_endian: bool) -> None:
        elf = Elf(sample(is_64bit=is_64bit, little_endian=little_endian))
        names = ["", ".text", ".modinfo", ".bss", ".modinfo", ".rela.text", ".symtab", ".strtab", ".shstrtab"]
        assert [section.name for section in elf.sections] == names
        assert [section.index for section in elf.sections] == list(range(len(names)))
        text = elf.sections[1]
        assert (text.flags, text.alignment, text.offset % 16, text.size) == (6, 16, 0, 64)

    def test_a_section_by_name_is_the_first_and_equals_the_one_in_the_list(
        self, *, is_64bit: bool, little_endian: bool
    ) -> None:
        elf = Elf(sample(is_64bit=is_64bit, little_endian=little_endian))
        assert elf.section(".modinfo") == elf.sections[2]
        assert bytes(elf.contents_of(".modinfo") or b"") == b"license=GPL\0"
        assert bytes(elf.contents(elf.sections[4])) == b"the second"

    def test_symbols(self, *, is_64bit: bool, little_endian: bool) -> None:
        elf = Elf(sample(is_64bit=is_64bit, little_endian=little_endian))
        assert [symbol.name for symbol in elf.symbols] == [
            "", "here", "__ksymtab_mine", "init_module", "printk", "maybe", "__crc_mine",
        ]  # fmt: skip
        here, start = elf.symbols[1], elf.symbols[3]
        assert (here.value, here.section, here.binding, here.other) == (32, 1, SymbolBinding.LOCAL, 2)
        assert (start.size, start.type, start.binding) == (5, SymbolType.FUNC, SymbolBinding.GLOBAL)
        assert tuple(elf.symbol(index) for index in range(7)) == elf.symbols
        assert elf.symbol_place(1) == (1, 32)
        assert len(elf.symbol_table) == 7

    def test_the_scans_see_what_the_symbols_say(self, *, is_64bit: bool, little_endian: bool) -> None:
        elf = Elf(sample(is_64bit=is_64bit, little_endian=little_endian))
        assert elf.undefined_symbols() == [("printk", False), ("maybe", True)]
        assert elf.symbol_values_with_prefix("__crc_") == [("mine", 0x1234, SectionIndex.ABS)]
        assert elf.symbol_values_with_prefix("__ksymtab_") == [("mine", 48, 1)]
        assert elf.symbol_values_with_prefix("__no") == []

    def test_relocations(self, *, is_64bit: bool, little_endian: bool) -> None:
        elf = Elf(sample(is_64bit=is_64bit, little_endian=little_endian))
        assert elf.relocations(1) == (Relocation(17, 4, 4, -4), Relocation(33, 1, 2, 8))
        assert elf.relocation_entries(1) == [(17, 4, 4, -4), (33, 1, 2, 8)]
        assert elf.relocations(2) == ()

    def test_relocations_without_addend(self, *, is_64bit: bool, little_endian: bool) -> None:
        writer = ObjectWriter(Machine.I386, is_64bit=is_64bit, little_endian=little_endian)
        text = writer.add_section(".text", data=bytes(8))
        writer.add_relocation(text, 4, writer.add_symbol("x"), 1)
        elf = Elf(writer.to_bytes())
        assert elf.section(".rel.text") is not None
        assert elf.relocations(text) == (Relocation(4, 1, 1, None),)


class TestKindsOfInput:
    def test_bytes_bytearray_memoryview_and_mmap_read_alike(self) -> None:
        data = sample()
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            inputs = (data, bytearray(data), memoryview(data), memoryview(data + data)[: len(data)], mapped)
            assert {Elf(each).sections for each in inputs} == {Elf(data).sections}

    def test_a_memoryview_of_other_shape(self) -> None:
        data = sample()
        spaced = bytearray(2 * len(data))
        spaced[::2] = data
        assert Elf(memoryview(spaced)[::2]).sections == Elf(data).sections
        padded = data + bytes(-len(data) % 4)
        assert Elf(memoryview(padded).cast("I")).sections == Elf(data).sections

    def test_nothing_is_copied_and_nothing_can_be_changed(self) -> None:
        data = bytearray(sample())
        contents = Elf(data).contents_of(".modinfo")
        assert contents is not None
        assert contents.obj is data
        assert contents.readonly


class TestContents:
    def test_a_section_without_room_in_the_file_is_empty(self) -> None:
        elf = Elf(sample())
        bss = elf.section(".bss")
        assert bss is not None
        assert (bss.size, bytes(elf.contents(bss))) == (1 << 30, b"")

    def test_a_missing_section(self) -> None:
        elf = Elf(sample())
        assert elf.section(".nothing") is None
        assert elf.contents_of(".nothing") is None
        # The end of another name, as a linker that shares tails would store it.
        assert elf.section("text") is None
        assert elf.section("") is None

    def test_names_may_share_tails(self) -> None:
        data = sample()
        elf = Elf(data)
        relocations = elf.section(".rela.text")
        assert relocations is not None
        shared = section_field(data, ".text", "<I", 0, relocations.name_offset + len(".rela"))
        assert Elf(shared).section(".text") == Elf(shared).sections[1]
        assert Elf(shared).sections[1].name == ".text"

    def test_contents_past_the_end_are_an_error_only_when_asked_for(self) -> None:
        data = section_field(sample(), ".modinfo", "<Q", 24, 1 << 40)
        elf = Elf(data)
        section = elf.section(".modinfo")
        assert section is not None
        assert section.offset == 1 << 40
        with pytest.raises(ElfError, match=r"section 2 of 12 bytes reaches past the end") as caught:
            elf.contents(section)
        assert caught.value.offset == 1 << 40

    def test_text_in_a_section(self) -> None:
        writer = ObjectWriter()
        strings = writer.add_section("__ksymtab_strings", data=b"first\0M\xc3\xbcll\0\xff\0open end")
        elf = Elf(writer.to_bytes())
        assert elf.string(strings, 0) == "first"
        assert elf.string(strings, 6) == "Müll"
        assert elf.string(strings, 12).encode("utf-8", "surrogateescape") == b"\xff"
        assert elf.string(strings, 14) == "open end"
        with pytest.raises(ElfError, match=r"outside of its string table of 22 bytes"):
            elf.string(strings, 22)
        with pytest.raises(ElfError, match=r"there is no section 9"):
            elf.string(9, 0)

    def test_a_section_at_an_address(self) -> None:
        writer = ObjectWriter(type=ElfType.EXEC)
        writer.add_section(".text", flags=SectionFlag.ALLOC, data=bytes(32), address=0x1000)
        writer.add_section(".comment", data=bytes(32), address=0x2000)
        elf = Elf(writer.to_bytes())
        assert elf.section_at(0x1000) == elf.section_at(0x101F) == elf.sections[1]
        assert elf.section_at(0x1020) is None
        assert elf.section_at(0x2000) is None


class TestSymbols:
    def test_without_a_symbol_table(self) -> None:
        writer = ObjectWriter()
        writer.add_section(".text")
        elf = Elf(writer.to_bytes())
        assert elf.symbols == ()
        assert elf.undefined_symbols() == []
        assert elf.symbol_values_with_prefix("__crc_") == []
        with pytest.raises(ElfError, match=r"there is no symbol 0"):
            elf.symbol(0)

    def test_an_undefined_symbol_without_name_is_not_needed(self) -> None:
        writer = ObjectWriter()
        writer.add_symbol("")
        writer.add_symbol("real")
        assert Elf(writer.to_bytes()).undefined_symbols() == [("real", False)]

    @pytest.mark.parametrize("machine", [Machine.SPARC, Machine.SPARCV9])
    def test_a_declared_register_is_not_undefined_on_sparc(self, machine: int) -> None:
        for known, expected in ((machine, []), (Machine.X86_64, [("g2", False)])):
            writer = ObjectWriter(known, little_endian=False)
            writer.add_symbol("g2", type=SymbolType.SPARC_REGISTER)
            assert Elf(writer.to_bytes()).undefined_symbols() == expected

    def test_a_remainder_of_a_record_is_ignored(self) -> None:
        data = sample()
        symtab = Elf(data).section(".symtab")
        assert symtab is not None
        cut = section_field(data, ".symtab", "<Q", 32, symtab.size - 1)
        assert Elf(cut).symbols == Elf(data).symbols[:-1]

    def test_a_name_outside_of_the_table(self) -> None:
        data = sample()
        elf = Elf(data)
        symtab = elf.section(".symtab")
        strtab = elf.section(".strtab")
        assert symtab is not None
        assert strtab is not None
        broken = Elf(patched(data, symtab.offset + 24 * 4, "<I", strtab.size))
        for use in (lambda: broken.symbols, lambda: broken.symbol(4), broken.undefined_symbols):
            with pytest.raises(ElfError, match=r"outside of its string table") as caught:
                use()
            assert caught.value.offset == strtab.size
        assert broken.symbol_place(4) == (0, 0)

    def test_raw_records(self) -> None:
        names = [entry[0] for entry in Elf(sample()).symbol_table.entries()]
        assert names[0] == 0
        assert len(set(names)) == 7


class TestManySections:
    def test_section_numbers_that_are_too_large_for_their_fields(self) -> None:
        writer = ObjectWriter()
        for number in range(SectionIndex.LORESERVE + 300):
            last = writer.add_section(".text" if number % 2 else ".data")
        writer.add_section(".modinfo", data=b"a=b\0")
        writer.add_symbol("far", section=last, value=7)
        writer.add_symbol("__crc_far", section=SectionIndex.ABS, value=9)
        writer.add_symbol("unusual", section=0xFFF1)  # a number, not the reserved ABS
        elf = Elf(writer.to_bytes())
        assert (elf.header.shnum, elf.header.shstrndx) == (0, SectionIndex.XINDEX)
        assert len(elf.sections) > SectionIndex.LORESERVE
        assert bytes(elf.contents_of(".modinfo") or b"") == b"a=b\0"
        _, far, absolute, unusual = elf.symbols
        assert (far.section, far.extended) == (last, True)
        assert (absolute.section, absolute.extended) == (SectionIndex.ABS, False)
        assert (unusual.section, unusual.extended) == (0xFFF1, True)
        assert elf.symbol_place(1) == (last, 7)
        assert elf.symbol_values_with_prefix("fa") == [("r", 7, last)]

    def test_an_extended_symbol_without_a_table_keeps_the_mark(self) -> None:
        data = sample()
        symtab = Elf(data).section(".symtab")
        assert symtab is not None
        symbol = Elf(patched(data, symtab.offset + 24 + 6, "<H", SectionIndex.XINDEX)).symbol(1)
        assert (symbol.section, symbol.extended) == (SectionIndex.XINDEX, False)


def test_mips64_little_endian_relocations() -> None:
    assert _mips(little_endian=True) == _mips(little_endian=False) == (Relocation(8, 1, 0x00051203, 4),)


def test_mips64_little_endian_stores_the_type_byte_by_byte() -> None:
    writer = ObjectWriter(Machine.MIPS)
    writer.add_relocation(writer.add_section(".text", data=bytes(16)), 8, writer.add_symbol("x"), 0x12, 4)
    contents = Elf(writer.to_bytes()).contents_of(".rela.text")
    assert bytes(contents or b"") == struct.pack("<QIBBBBq", 8, 1, 0, 0, 0, 0x12, 4)


def _mips(*, little_endian: bool) -> tuple[Relocation, ...]:
    writer = ObjectWriter(Machine.MIPS, little_endian=little_endian)
    text = writer.add_section(".text", data=bytes(16))
    writer.add_relocation(text, 8, writer.add_symbol("x"), 0x00051203, 4)
    return Elf(writer.to_bytes()).relocations(text)
