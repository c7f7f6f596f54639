"""What the reader does with files that lie: an error of ours, with a reason, in little time and memory."""

import struct
import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import ElfError
from lkm.formats.elf.constants import Machine, SectionIndex, SectionType
from lkm.formats.elf.header import read_header
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.writer import ObjectWriter

EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)


def sample(*, is_64bit: bool = True, little_endian: bool = True, machine: int = Machine.X86_64) -> bytes:
    writer = ObjectWriter(machine, is_64bit=is_64bit, little_endian=little_endian)
    text = writer.add_section(".text", flags=6, data=bytes(16), alignment=16)
    writer.add_section(".modinfo", data=b"license=GPL\0")
    writer.add_section("__ksymtab_strings", data=b"one\0two\0")
    writer.add_symbol("__ksymtab_one", section=text, binding=0)
    writer.add_symbol("__crc_one", section=SectionIndex.ABS)
    symbol = writer.add_symbol("printk")
    writer.add_symbol("wide", section=SectionIndex.XINDEX)
    writer.add_relocation(text, 4, symbol, 2, -4)
    return writer.to_bytes()


SAMPLES = [
    sample(is_64bit=is_64bit, little_endian=little_endian, machine=machine)
    for is_64bit in (True, False)
    for little_endian in (True, False)
    for machine in (Machine.X86_64, Machine.MIPS, Machine.SPARC)
]


def contents(elf: Elf, index: int) -> memoryview:
    return elf.contents(elf.sections[index])


def read_everything(data: bytes) -> int:
    """Call everything the reader has; return how many calls were refused. Another error than ours fails the test."""
    refused = 0
    try:
        elf = Elf(data)
    except ElfError:
        return 1
    actions: list[Callable[[], object]] = [
        lambda: elf.header,
        lambda: elf.sections,
        lambda: elf.symbols,
        lambda: elf.section(".modinfo"),
        lambda: elf.contents_of("__ksymtab_strings"),
        lambda: elf.section_at(0),
        lambda: elf.symbol(1),
        lambda: elf.symbol_place(2),
        lambda: list(elf.symbol_table.entries()),
        elf.undefined_symbols,
        lambda: elf.symbol_values_with_prefix("__ksymtab_"),
        lambda: elf.symbol_values_with_prefix("__crc_"),
    ]
    for index in range(min(elf.section_count, 40)):
        actions += [partial(elf.relocations, index), partial(elf.string, index, 0), partial(contents, elf, index)]
    for action in actions:
        try:
            action()
        except ElfError:
            refused += 1
    return refused


def test_the_samples_are_readable() -> None:
    assert [read_everything(data) for data in SAMPLES] == [read_everything(SAMPLES[0])] * len(SAMPLES)


@settings(max_examples=300)
@given(data=st.binary(max_size=200))
def test_arbitrary_bytes(data: bytes) -> None:
    assert read_everything(data) == 1
    assert read_everything(b"\x7fELF" + data) >= 0
    assert read_everything(b"\x7fELF\2\1\1" + data) >= 0


@settings(max_examples=300)
@given(
    data=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_changed_bytes(data: bytes, changes: list[tuple[int, int]]) -> None:
    image = bytearray(data)
    for position, value in changes:
        image[position % len(image)] = value
    assert read_everything(bytes(image)) >= 0


@pytest.mark.parametrize("data", [SAMPLES[0], SAMPLES[9]], ids=["64LE", "32BE"])
def test_every_truncation_is_refused(data: bytes) -> None:
    for length in range(len(data)):
        assert read_everything(data[:length]) == 1, length


@pytest.mark.parametrize("value", EXTREMES)
def test_every_field_at_its_extremes(value: int) -> None:
    data = SAMPLES[0]
    header = read_header(data)
    fields = [(offset, "<H") for offset in range(16, 64, 2)]
    fields += [(offset, "<Q") for offset in (24, 32, 40)]
    for section in range(header.shnum):
        start = header.shoff + 64 * section
        fields += [(start + offset, "<I") for offset in (0, 4, 40, 44)]
        fields += [(start + offset, "<Q") for offset in (8, 16, 24, 32, 48, 56)]
    for offset, code in fields:
        image = bytearray(data)
        struct.pack_into(code, image, offset, value & ((1 << 8 * struct.calcsize(code)) - 1))
        assert read_everything(bytes(image)) >= 0


class TestHeader:
    @pytest.mark.parametrize(
        ("data", "reason", "offset"),
        [
            (b"", "not an ELF file: the magic number is missing", 0),
            (b"\x7fEL", "not an ELF file: the magic number is missing", 0),
            (b"\x1f\x8b\x08\x00" + bytes(64), "not an ELF file: the magic number is missing", 0),
            (b"\x7fELF\2\1\1", "the file ends inside the ELF header", 7),
            (b"\x7fELF\0\1" + bytes(64), "unknown ELF class 0", 4),
            (b"\x7fELF\3\1" + bytes(64), "unknown ELF class 3", 4),
            (b"\x7fELF\2\0" + bytes(64), "unknown ELF byte order 0", 5),
            (b"\x7fELF\1\3" + bytes(64), "unknown ELF byte order 3", 5),
            (b"\x7fELF\2\1" + bytes(57), "the file ends inside the ELF header", 63),
            (b"\x7fELF\1\1" + bytes(45), "the file ends inside the ELF header", 51),
        ],
    )
    def test_what_is_no_header(self, data: bytes, reason: str, offset: int) -> None:
        for use in (Elf, read_header):
            with pytest.raises(ElfError) as caught:
                use(data)
            assert (caught.value.reason, caught.value.offset) == (reason, offset)

    def test_a_header_alone_has_no_sections(self) -> None:
        elf = Elf(b"\x7fELF\2\1" + bytes(58))
        assert elf.sections == ()
        assert elf.section(".modinfo") is None
        assert elf.undefined_symbols() == []

    def test_the_header_of_a_file_with_a_broken_table_can_be_read(self) -> None:
        data = bytearray(SAMPLES[0])
        struct.pack_into("<H", data, 58, 63)
        with pytest.raises(ElfError, match="section headers of 63 bytes, where the class has 64"):
            Elf(data)
        assert read_header(data).shentsize == 63

    def test_a_table_that_does_not_fit(self) -> None:
        data = bytearray(SAMPLES[0])
        struct.pack_into("<H", data, 60, 0xFFFE)
        with pytest.raises(ElfError, match="65534 section headers do not fit into the file") as caught:
            Elf(data)
        assert caught.value.offset == read_header(data).shoff

    def test_extended_numbers_need_the_first_section(self) -> None:
        data = bytearray(SAMPLES[0])
        struct.pack_into("<Q", data, 40, len(data) - 63)
        struct.pack_into("<H", data, 60, 0)
        with pytest.raises(ElfError, match="the section headers begin outside of the file"):
            Elf(data)

    def test_extended_number_of_sections_is_checked(self) -> None:
        data = bytearray(SAMPLES[0])
        struct.pack_into("<H", data, 60, 0)
        struct.pack_into("<Q", data, read_header(data).shoff + 32, 1 << 62)
        with pytest.raises(ElfError, match="4611686018427387904 section headers do not fit"):
            Elf(data)


class TestNames:
    def test_a_name_table_that_is_missing_still_shows_the_raw_sections(self) -> None:
        data = bytearray(SAMPLES[0])
        struct.pack_into("<H", data, 62, 999)
        elf = Elf(data)
        assert {section.name for section in elf.sections} == {""}
        assert elf.sections[1].name_offset == 1
        with pytest.raises(ElfError, match="there is no section 999"):
            elf.section(".modinfo")

    def test_a_name_outside_of_the_table_is_empty(self) -> None:
        data = bytearray(SAMPLES[0])
        struct.pack_into("<I", data, read_header(data).shoff + 64, 1 << 30)
        elf = Elf(data)
        assert (elf.sections[1].name, elf.sections[1].name_offset) == ("", 1 << 30)
        assert elf.sections[2].name == ".modinfo"

    def test_a_name_table_without_nul_at_its_end(self) -> None:
        data = bytearray(SAMPLES[0])
        elf = Elf(data)
        names = elf.sections[elf.section_name_index]
        struct.pack_into("<Q", data, elf.header.shoff + 64 * names.index + 32, names.size - 1)
        assert Elf(data).section(".shstrtab") == Elf(data).sections[-1]

    def test_a_section_without_type_can_not_name(self) -> None:
        data = bytearray(SAMPLES[0])
        elf = Elf(data)
        names = elf.sections[elf.section_name_index]
        struct.pack_into("<I", data, elf.header.shoff + 64 * names.index + 4, SectionType.NOBITS)
        assert Elf(data).section(".modinfo") is None


class TestBombs:
    """Small files that would ask for a lot."""

    LENGTH = 1 << 20

    def test_symbol_names_that_overlap(self) -> None:
        writer = ObjectWriter()
        writer.add_section("filler", data=b"A" * self.LENGTH)
        for index in range(3000):
            writer.add_symbol(f"s{index}")
        data = bytearray(writer.to_bytes())
        elf = Elf(data)
        symtab, strtab = elf.section(".symtab"), elf.section(".strtab")
        assert symtab is not None
        assert strtab is not None
        filler = elf.sections[1]
        struct.pack_into("<QQ", data, elf.header.shoff + 64 * strtab.index + 24, filler.offset, filler.size)
        for index in range(3000):
            struct.pack_into("<I", data, symtab.offset + 24 * (index + 1), index)
        self._refused(lambda: Elf(data).symbols)
        self._refused(Elf(data).undefined_symbols)
        data[filler.offset : filler.offset + self.LENGTH] = b"__crc_" * (self.LENGTH // 6) + b"____"
        for index in range(3000):
            struct.pack_into("<I", data, symtab.offset + 24 * (index + 1), 6 * index)
        self._refused(lambda: Elf(data).symbol_values_with_prefix("__crc_"))

    def test_section_names_that_overlap(self) -> None:
        writer = ObjectWriter()
        writer.add_section("A" * self.LENGTH)
        for _ in range(3000):
            writer.add_section("x")
        data = bytearray(writer.to_bytes())
        table = read_header(data).shoff
        for index in range(3000):
            struct.pack_into("<I", data, table + 64 * index, index + 1)
        self._refused(lambda: Elf(data).sections)

    def _refused(self, use: Callable[[], object]) -> None:
        tracemalloc.start()
        try:
            with pytest.raises(ElfError, match="overlap so much"):
                use()
            assert tracemalloc.get_traced_memory()[1] < 24 * self.LENGTH
        finally:
            tracemalloc.stop()

    def test_a_claim_larger_than_the_file_allocates_nothing(self) -> None:
        data = bytearray(SAMPLES[0])
        elf = Elf(data)
        symtab = elf.section(".symtab")
        assert symtab is not None
        struct.pack_into("<Q", data, elf.header.shoff + 64 * symtab.index + 32, 1 << 50)
        tracemalloc.start()
        try:
            with pytest.raises(ElfError, match=r"section 5 of 1125899906842624 bytes reaches past the end of the file"):
                _ = Elf(data).symbols
            assert tracemalloc.get_traced_memory()[1] < 1 << 20
        finally:
            tracemalloc.stop()


def test_relocation_sections_that_share_their_bytes_are_refused() -> None:
    objects = ObjectWriter(Machine.X86_64)
    text = objects.add_section(".text", data=bytes(64))
    for _ in range(3000):
        objects.add_section(".rela.text", SectionType.RELA, data=bytes(24), info=text, entry_size=24)
    raw = bytearray(objects.to_bytes())
    headers = Elf(bytes(raw)).header
    for index in range(2, 3002):  # each claims all of the file
        struct.pack_into("<QQ", raw, headers.shoff + index * headers.shentsize + 24, 0, len(raw))
    with pytest.raises(ElfError, match="larger than the file"):
        Elf(bytes(raw)).relocation_entries(text)
