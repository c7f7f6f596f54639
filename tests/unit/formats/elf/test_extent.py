"""How far an ELF file reaches."""

import struct

import pytest

from lkm.errors import ElfError
from lkm.formats.elf.extent import extent
from lkm.formats.elf.reader import Elf
from lkm.formats.module_writer import ModuleRecipe, write

MODULE = write(ModuleRecipe(name="some"))
SECTION_OFFSET = 0x28  # e_shoff
FIRST_SIZE = 64 + 32  # sh_size of the section with number 1


def test_a_module_reaches_to_its_end() -> None:
    assert extent(Elf(MODULE)) == len(MODULE)


@pytest.mark.parametrize("more", [b"x", b"signature" * 100])
def test_what_stands_behind_does_not_count(more: bytes) -> None:
    assert extent(Elf(MODULE + more)) == len(MODULE)


def changed(offset: int, value: int) -> bytes:
    data = bytearray(MODULE)
    data[offset : offset + 8] = struct.pack("<Q", value)
    return bytes(data)


def test_a_section_behind_the_end() -> None:
    (headers,) = struct.unpack_from("<Q", MODULE, SECTION_OFFSET)
    for size in (len(MODULE), 1 << 63, (1 << 64) - 1):
        with pytest.raises(ElfError, match="ends too early"):
            extent(Elf(changed(headers + FIRST_SIZE, size)))


def test_section_headers_behind_the_end() -> None:
    with pytest.raises(ElfError):
        extent(Elf(changed(SECTION_OFFSET, len(MODULE))))


def test_program_headers_count_too() -> None:
    data = bytearray(changed(0x20, 1 << 40))  # e_phoff
    data[0x38:0x3A] = b"\1\0"  # e_phnum
    with pytest.raises(ElfError, match="ends too early"):
        extent(Elf(bytes(data)))


@pytest.mark.parametrize("size", [64, len(MODULE) // 2, len(MODULE) - 1])
def test_cut_short(size: int) -> None:
    with pytest.raises(ElfError):
        extent(Elf(MODULE[:size]))
