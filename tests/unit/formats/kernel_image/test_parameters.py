"""Which directories of /sys/module the parameters of a kernel image make."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats.elf.constants import ElfType, Machine, SectionFlag, SectionType
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.kernel_image.parameters import visible

_ADDRESS = 0xC000_0000


def _image(parameters: list[tuple[str, int]], *, is_64bit: bool = True, little_endian: bool = True) -> bytes:
    """Make a linked image: names in .rodata, an entry with a pointer to its name for each parameter."""
    machine = Machine.X86_64 if is_64bit else Machine.PPC
    image = ObjectWriter(machine, is_64bit=is_64bit, little_endian=little_endian, type=ElfType.EXEC)
    order = "<" if little_endian else ">"
    names, entries = b"", b""
    for name, permissions in parameters:
        word = struct.Struct(order + ("Q16xH14x" if is_64bit else "I8xH6x"))
        entries += word.pack(_ADDRESS + len(names), permissions)
        names += name.encode() + b"\0"
    image.add_section(".rodata", SectionType.PROGBITS, SectionFlag.ALLOC, names, address=_ADDRESS)
    image.add_section("__param", SectionType.PROGBITS, SectionFlag.ALLOC, entries, address=_ADDRESS + 0x10000)
    return image.to_bytes()


@pytest.mark.parametrize(("is_64bit", "little_endian"), [(True, True), (True, False), (False, True), (False, False)])
def test_the_prefixes_of_what_has_permissions(is_64bit: bool, little_endian: bool) -> None:  # noqa: FBT001
    parameters = [("rcutree.blimit", 0o444), ("debug", 0o644), ("hidden.one", 0), ("a.b.c", 0o200)]
    image = _image(parameters, is_64bit=is_64bit, little_endian=little_endian)
    assert visible(Elf(image)) == {"rcutree": ("blimit",), "kernel": ("debug",), "a.b": ("c",)}


def test_an_image_without_the_section_tells_nothing() -> None:
    assert visible(Elf(ObjectWriter(Machine.X86_64).to_bytes())) is None


def test_pointers_that_lead_nowhere_tell_nothing() -> None:
    image = _image([("x.y", 0o444)])
    address = struct.pack("<Q", _ADDRESS)
    assert visible(Elf(image.replace(address + bytes(16), struct.pack("<Q", 1) + bytes(16), 1))) is None


@given(st.data())
def test_damage_is_no_surprise(data: st.DataObject) -> None:
    raw = bytearray(_image([("x.y", 0o444), ("z", 0o444)]))
    for _ in range(3):
        raw[data.draw(st.integers(64, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FormatError):
        found = visible(Elf(bytes(raw)))
        assert found is None or all(isinstance(name, str) for name in found)
