"""Numbers and relocated fields inside of sections."""

import pytest

from lkm.errors import ElfError
from lkm.formats.elf.constants import Machine, SectionIndex, SymbolBinding
from lkm.formats.elf.pointers import Pointers
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.words import word, words
from lkm.formats.elf.writer import ObjectWriter

LITTLE = Elf(ObjectWriter().to_bytes())
BIG = Elf(ObjectWriter(Machine.S390, little_endian=False).to_bytes())
DATA = memoryview(bytes(range(0xF8, 0x100)))


@pytest.mark.parametrize(
    ("elf", "size", "signed", "numbers"),
    [
        (LITTLE, 1, False, [0xF8, 0xF9, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF]),
        (LITTLE, 2, False, [0xF9F8, 0xFBFA, 0xFDFC, 0xFFFE]),
        (BIG, 2, False, [0xF8F9, 0xFAFB, 0xFCFD, 0xFEFF]),
        (LITTLE, 4, True, [0xFBFAF9F8 - (1 << 32), 0xFFFEFDFC - (1 << 32)]),
        (BIG, 4, False, [0xF8F9FAFB, 0xFCFDFEFF]),
        (BIG, 8, False, [0xF8F9FAFBFCFDFEFF]),
    ],
)
def test_words(elf: Elf, size: int, *, signed: bool, numbers: list[int]) -> None:
    assert words(elf, DATA, size, signed=signed) == numbers
    assert [word(elf, DATA, index * size, size, signed=signed) for index in range(len(numbers))] == numbers


def test_what_is_left_over_is_ignored() -> None:
    assert words(LITTLE, DATA[:7], 4) == [0xFBFAF9F8]
    assert words(LITTLE, DATA[:3], 4) == []


@pytest.mark.parametrize("offset", [-1, 5, 8, 1 << 70])
def test_a_number_outside(offset: int) -> None:
    with pytest.raises(ElfError):
        word(LITTLE, DATA, offset, 4)


def pointers(*, addend: int | None) -> Pointers:
    writer = ObjectWriter(Machine.I386, is_64bit=False)
    target = writer.add_section(".rodata", data=bytes(64))
    section = writer.add_section(".data", data=b"\xfe\xff\xff\xff" + bytes(8))
    inside = writer.add_symbol("inside", section=target, value=16, binding=SymbolBinding.LOCAL)
    outside = writer.add_symbol("outside")
    for offset, symbol in ((0, inside), (4, outside), (4, inside), (16, inside), (20, 0)):
        writer.add_relocation(section, offset, symbol, 1, addend)
    elf = Elf(writer.to_bytes())
    return Pointers(elf, elf.sections[section])


def test_where_a_field_points_to() -> None:
    assert pointers(addend=3).place(0, 4) == (1, 19)
    assert pointers(addend=None).place(0, 4) == (1, 14)  # what stands in the field is the addend
    assert pointers(addend=3).place(8, 4) is None
    assert pointers(addend=3).place(4, 4) == (SectionIndex.UNDEF, 3)  # the first relocation of a place counts


def test_what_is_outside_of_the_object() -> None:
    assert pointers(addend=0).undefined_symbol(4) == "outside"
    assert pointers(addend=0).undefined_symbol(0) == ""
    assert pointers(addend=0).undefined_symbol(8) is None


def test_a_field_outside_of_its_section() -> None:
    assert pointers(addend=1).place(16, 4) == (1, 17)
    with pytest.raises(ElfError):
        pointers(addend=None).place(16, 4)
