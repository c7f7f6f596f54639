"""The writer of ELF objects."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import ElfError
from lkm.formats.elf.constants import ElfType, Machine, SectionFlag, SectionIndex, SectionType, SymbolBinding
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.writer import ObjectWriter

NAMES = st.text(st.characters(min_codepoint=1, max_codepoint=0x7FF, exclude_categories=["Cs"]), max_size=12)


def test_an_empty_object() -> None:
    elf = Elf(ObjectWriter(Machine.AARCH64, flags=3).to_bytes())
    assert (elf.type, elf.machine, elf.flags) == (ElfType.REL, Machine.AARCH64, 3)
    assert [section.name for section in elf.sections] == ["", ".shstrtab"]


def test_local_symbols_come_first_and_relocations_follow_them() -> None:
    writer = ObjectWriter()
    text = writer.add_section(".text", data=bytes(16))
    numbers = {}
    for name, binding in [("g1", 1), ("l1", 0), ("w1", 2), ("l2", 0)]:
        numbers[name] = writer.add_symbol(name, section=text, binding=SymbolBinding(binding))
    for offset, name in enumerate(("g1", "l1", "w1", "l2")):
        writer.add_relocation(text, offset, numbers[name], 1, offset)
    writer.add_relocation(text, 9, 0, 8, 9)
    elf = Elf(writer.to_bytes())
    assert [symbol.name for symbol in elf.symbols] == ["", "l1", "l2", "g1", "w1"]
    symtab = elf.section(".symtab")
    assert symtab is not None
    assert (symtab.info, symtab.entry_size, elf.sections[symtab.link].name) == (3, 24, ".strtab")
    targets = [elf.symbol(entry.symbol).name for entry in elf.relocations(text)]
    assert targets == ["g1", "l1", "w1", "l2", ""]


def test_a_section_of_relocations_says_what_it_applies_to() -> None:
    writer = ObjectWriter()
    writer.add_section(".first", data=bytes(8))
    second = writer.add_section(".second", data=bytes(8))
    writer.add_relocation(second, 0, writer.add_symbol("x"), 1, 0)
    elf = Elf(writer.to_bytes())
    made = elf.section(".rela.second")
    assert made is not None
    assert (made.type, made.info, made.flags) == (SectionType.RELA, second, SectionFlag.INFO_LINK)
    assert elf.sections[made.link].name == ".symtab"


def test_relocations_alone_have_a_symbol_table_too() -> None:
    writer = ObjectWriter()
    text = writer.add_section(".text", data=bytes(8))
    writer.add_relocation(text, 0, 0, 1, 0)
    assert len(Elf(writer.to_bytes()).symbols) == 1


@pytest.mark.parametrize("alignment", [0, 1, 2, 16, 4096])
def test_alignment(alignment: int) -> None:
    writer = ObjectWriter()
    writer.add_section("odd", data=b"x")
    index = writer.add_section("aligned", data=b"y", alignment=alignment)
    section = Elf(writer.to_bytes()).sections[index]
    assert section.alignment == alignment
    assert section.offset % max(alignment, 1) == 0


def test_a_size_may_lie() -> None:
    writer = ObjectWriter()
    index = writer.add_section(".text", data=b"four", size=1000)
    assert Elf(writer.to_bytes()).sections[index].size == 1000


def test_equal_names_are_stored_once() -> None:
    writer = ObjectWriter()
    for _ in range(2):
        writer.add_symbol("same")
        writer.add_section("also")
    elf = Elf(writer.to_bytes())
    assert bytes(elf.contents_of(".strtab") or b"") == b"\0same\0"
    assert elf.sections[1].name_offset == elf.sections[2].name_offset


def test_the_same_calls_give_the_same_bytes() -> None:
    def written() -> bytes:
        writer = ObjectWriter()
        text = writer.add_section(".text", data=bytes(range(16)), alignment=16)
        for name in ("b", "a", "c"):
            writer.add_relocation(text, 0, writer.add_symbol(name), 1, 0)
        return writer.to_bytes()

    assert written() == written()


def test_a_writer_can_go_on_after_writing() -> None:
    writer = ObjectWriter()
    before = writer.to_bytes()
    assert writer.to_bytes() == before
    writer.add_section(".late")
    assert Elf(writer.to_bytes()).section(".late") is not None


class TestRefusals:
    def test_a_value_that_does_not_fit(self) -> None:
        writer = ObjectWriter(is_64bit=False)
        writer.add_symbol("x", value=1 << 32)
        with pytest.raises(ElfError, match="a value does not fit into its field"):
            writer.to_bytes()

    def test_a_relocation_of_an_unknown_symbol(self) -> None:
        writer = ObjectWriter()
        writer.add_relocation(writer.add_section(".text"), 0, 3, 1, 0)
        with pytest.raises(ElfError, match="symbol 3, which was never added"):
            writer.to_bytes()

    @pytest.mark.parametrize("target", [0, 2])
    def test_a_relocation_of_an_unknown_section(self, target: int) -> None:
        writer = ObjectWriter()
        writer.add_section(".text")
        writer.add_relocation(target, 0, 0, 1, 0)
        with pytest.raises(ElfError, match=f"section {target}, which was never added"):
            writer.to_bytes()

    def test_two_kinds_of_relocation_for_one_section(self) -> None:
        writer = ObjectWriter()
        text = writer.add_section(".text", data=bytes(8))
        writer.add_relocation(text, 0, 0, 1)
        writer.add_relocation(text, 4, 0, 1, 0)
        with pytest.raises(ElfError, match="both with and without addend"):
            writer.to_bytes()


def test_bytes_of_a_small_object() -> None:
    writer = ObjectWriter(Machine.PPC, is_64bit=False, little_endian=False)
    writer.add_section("s", SectionType.PROGBITS, SectionFlag.ALLOC, b"abc", alignment=4)
    header = struct.pack(">4s4B8xHHIIIIIHHHHHH", b"\x7fELF", 1, 2, 1, 0, 1, 20, 1, 0, 0, 68, 0, 52, 0, 0, 40, 3, 2)
    names = b"\0s\0.shstrtab\0"
    table = bytes(40)
    table += struct.pack(">10I", 1, 1, 2, 0, 52, 3, 0, 0, 4, 0)
    table += struct.pack(">10I", 3, 3, 0, 0, 55, 13, 0, 0, 1, 0)
    assert writer.to_bytes() == header + b"abc" + names + table


@settings(max_examples=150)
@given(
    is_64bit=st.booleans(),
    little_endian=st.booleans(),
    sections=st.lists(st.tuples(NAMES, st.binary(max_size=40), st.sampled_from([1, 4, 8, 64])), max_size=6),
    symbols=st.lists(
        st.tuples(NAMES, st.integers(0, 0xFFFFFFFF), st.sampled_from([0, 1, 2]), st.integers(0, 15)), max_size=8
    ),
    addends=st.booleans(),
)
def test_what_is_written_is_read(
    *,
    is_64bit: bool,
    little_endian: bool,
    sections: list[tuple[str, bytes, int]],
    symbols: list[tuple[str, int, int, int]],
    addends: bool,
) -> None:
    writer = ObjectWriter(is_64bit=is_64bit, little_endian=little_endian)
    indexes = [writer.add_section(name, data=data, alignment=alignment) for name, data, alignment in sections]
    for name, value, binding, kind in symbols:
        place = indexes[value % len(indexes)] if indexes else SectionIndex.ABS
        number = writer.add_symbol(name, value=value, section=place, binding=binding, type=kind)
        if indexes:
            writer.add_relocation(indexes[0], value, number, 7, value % 1000 - 500 if addends else None)
    elf = Elf(writer.to_bytes())
    for index, (name, data, alignment) in zip(indexes, sections, strict=True):
        section = elf.sections[index]
        assert (section.name, bytes(elf.contents(section)), section.alignment) == (name, data, alignment)
    expected = [(name, value, binding, kind) for name, value, binding, kind in symbols if binding == 0]
    expected += [(name, value, binding, kind) for name, value, binding, kind in symbols if binding]
    assert [(each.name, each.value, each.binding, each.type) for each in elf.symbols[1:]] == expected
    if indexes:
        relocated = [(elf.symbol(each.symbol).name, each.offset) for each in elf.relocations(indexes[0])]
        assert relocated == [(name, value) for name, value, _, _ in symbols]
