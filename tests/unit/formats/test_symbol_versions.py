"""Imports and symbol versions."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats import symbol_versions
from lkm.formats.elf.constants import Machine, SectionFlag
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.formats.symbol_versions import Import

IMPORTS = (Import("printk", weak=False, crc=0x92997ED8), Import("maybe", weak=True, crc=None))
LONG = Import("n" * 100, weak=False, crc=0xFFFFFFFF)
MACHINES = [Machine.X86_64, Machine.I386, Machine.PPC, Machine.S390]


def elf(**sections: bytes) -> Elf:
    writer = ObjectWriter()
    for name, data in sections.items():
        writer.add_section(name, flags=SectionFlag.ALLOC, data=data)
    return Elf(writer.to_bytes())


def entry(name: bytes, crc: int) -> bytes:
    return struct.pack("<Q56s", crc, name)


@pytest.mark.parametrize("machine", MACHINES)
def test_written_modules(machine: int) -> None:
    module = Elf(write(ModuleRecipe(name="x", imports=IMPORTS, layout_crc=7, machine=machine)))
    assert symbol_versions.imports(module) == IMPORTS
    assert symbol_versions.versions(module) == {"module_layout": 7, "printk": 0x92997ED8}
    assert symbol_versions.basic_versions(module) == symbol_versions.versions(module)
    assert symbol_versions.extended_versions(module) is None


@pytest.mark.parametrize("machine", MACHINES)
def test_extended(machine: int) -> None:
    recipe = ModuleRecipe(name="x", imports=(*IMPORTS, LONG), layout_crc=7, machine=machine, extended_versions=True)
    module = Elf(write(recipe))
    assert symbol_versions.imports(module) == (*IMPORTS, LONG)
    assert symbol_versions.basic_versions(module) == {"module_layout": 7, "printk": 0x92997ED8}
    assert symbol_versions.extended_versions(module) == {"module_layout": 7, "printk": 0x92997ED8, LONG.name: LONG.crc}


def test_the_extended_form_wins() -> None:
    module = elf(__versions=entry(b"a", 1), __version_ext_crcs=struct.pack("<I", 2), __version_ext_names=b"a\0")
    assert symbol_versions.versions(module) == {"a": 2}


def test_none_at_all() -> None:
    module = Elf(write(ModuleRecipe(name="x", imports=IMPORTS, with_versions=False)))
    assert symbol_versions.basic_versions(module) is None
    assert symbol_versions.versions(module) == {}
    assert [symbol.crc for symbol in symbol_versions.imports(module)] == [None, None]


def test_the_first_entry_of_a_name_counts() -> None:
    assert symbol_versions.versions(elf(__versions=entry(b"a", 1) + entry(b"b", 2) + entry(b"a", 3))) == {
        "a": 1,
        "b": 2,
    }
    extended = elf(__version_ext_crcs=struct.pack("<2I", 1, 3), __version_ext_names=b"a\0a\0")
    assert symbol_versions.versions(extended) == {"a": 1}


def test_an_incomplete_entry_is_ignored() -> None:
    assert symbol_versions.versions(elf(__versions=entry(b"a", 1) + entry(b"b", 2)[:63])) == {"a": 1}


def test_a_crc_may_fill_a_long() -> None:
    assert symbol_versions.versions(elf(__versions=entry(b"a", 1 << 63))) == {"a": 1 << 63}


def test_names_as_they_stand() -> None:
    assert list(symbol_versions.versions(elf(__versions=entry(b".dotted", 1) + entry(b"n" * 56, 2)))) == [
        ".dotted",
        "n" * 56,
    ]
    assert list(symbol_versions.versions(elf(__versions=entry(b"\xff", 1)))) == ["\udcff"]


def test_more_names_than_crcs() -> None:
    extended = elf(__version_ext_crcs=struct.pack("<I", 1), __version_ext_names=b"a\0b\0rest")
    assert symbol_versions.versions(extended) == {"a": 1}


@pytest.mark.parametrize(
    "sections",
    [
        {"__version_ext_crcs": b"\1\0\0\0"},
        {"__version_ext_names": b"a\0"},
        {"__version_ext_crcs": bytes(8), "__version_ext_names": b"a\0b"},  # the second name never ends
    ],
)
def test_refused(sections: dict[str, bytes]) -> None:
    with pytest.raises(FormatError):
        symbol_versions.versions(elf(**sections))


@given(st.binary(max_size=200), st.binary(max_size=40), st.binary(max_size=40))
@settings(max_examples=200)
def test_any_contents(basic: bytes, crcs: bytes, names: bytes) -> None:
    module = elf(__versions=basic, __version_ext_crcs=crcs, __version_ext_names=names)
    assert len(symbol_versions.basic_versions(module) or {}) <= len(basic) // 64
    try:
        found = symbol_versions.versions(module)
    except FormatError:
        assert len(crcs) // 4 > names.count(b"\0")
    else:
        assert len(found) <= len(crcs) // 4


@given(data=st.data())
@settings(max_examples=250)
def test_damaged_files(data: st.DataObject) -> None:
    damaged = bytearray(write(ModuleRecipe(name="x", imports=(*IMPORTS, LONG), layout_crc=7, extended_versions=True)))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = symbol_versions.imports(Elf(bytes(damaged)))
    except FormatError:
        return
    assert len(found) <= len(damaged) // 16
