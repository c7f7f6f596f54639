"""Declared parameters."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats import modinfo, parameters
from lkm.formats.elf.constants import ElfType, Machine, SectionFlag, SymbolBinding
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.formats.parameters import Parameter

PARAMETERS = (
    Parameter("debug", "int", "how much to say", 0o644, ops="param_ops_int"),
    Parameter("danger", "bool", None, 0, ops="param_ops_bool", unsafe=True),
    Parameter("port", "ushort", "an I/O port: 0x378", 0o400, ops="param_ops_ushort", hwparam=True),
    Parameter(
        "names",
        "array of charp",
        None,
        0o444,
        is_array=True,
        ops="param_array_ops",
        element_ops="param_ops_charp",
        capacity=7,
    ),
    Parameter("text", "string", "", 0o600, ops="param_ops_string", capacity=32),
)
MACHINES = [Machine.X86_64, Machine.I386, Machine.AARCH64, Machine.PPC, Machine.S390, Machine.MIPS]


def declared(module: bytes) -> tuple[Parameter, ...]:
    elf = Elf(module)
    return parameters.declared(elf, modinfo.parse(elf.contents_of(".modinfo") or b""))


@pytest.mark.parametrize("machine", MACHINES)
def test_written_modules(machine: int) -> None:
    assert declared(write(ModuleRecipe(name="x", parameters=PARAMETERS, machine=machine))) == PARAMETERS


def test_none() -> None:
    assert declared(write(ModuleRecipe(name="x"))) == ()


def test_modinfo_alone() -> None:
    info = modinfo.parse(b"parmtype=a:int\0parm=b:only described\0parm=a:one\0parmtype=c:array of uint\0")
    expected = (
        Parameter("a", "int", "one"),
        Parameter("b", None, "only described"),
        Parameter("c", "array of uint", None, is_array=True),
    )
    assert parameters.declared(None, info) == expected
    linked = Elf(ObjectWriter(type=ElfType.EXEC).to_bytes())
    assert parameters.declared(linked, info) == expected


def test_what_modinfo_says_twice_or_badly() -> None:
    info = modinfo.parse(b"parm=a:old\0parm=no colon\0parmtype=\0parmtype=:int\0parm=a:new: text\0")
    assert parameters.declared(None, info) == (Parameter("", "int"), Parameter("a", None, "new: text"))[::-1]


def test_a_parameter_that_modinfo_does_not_mention() -> None:
    module = write(ModuleRecipe(name="x", parameters=(replace(PARAMETERS[0], type=None, description=None),)))
    assert declared(module) == (Parameter("debug", permissions=0o644, ops="param_ops_int"),)


def test_operations_of_its_own() -> None:
    writer = ObjectWriter()
    texts = writer.add_section(".rodata", flags=SectionFlag.ALLOC, data=b"own\0")
    table = writer.add_section("__param", flags=SectionFlag.ALLOC, data=bytes(24) + b"\xa4\x01\xff\0" + bytes(12))
    base = writer.add_symbol("param_ops_int", section=texts, binding=SymbolBinding.LOCAL)  # not the kernel's
    writer.add_relocation(table, 0, base, 1, 0)
    writer.add_relocation(table, 16, base, 1, 0)
    assert declared(writer.to_bytes()) == (Parameter("own", permissions=0o644, ops=""),)


@pytest.mark.parametrize("missing", [0, 16])
def test_an_entry_that_nothing_fills(missing: int) -> None:
    writer = ObjectWriter()
    texts = writer.add_section(".rodata", flags=SectionFlag.ALLOC, data=b"own\0")
    table = writer.add_section("__param", flags=SectionFlag.ALLOC, data=bytes(40))
    base = writer.add_symbol("ops", section=texts, binding=SymbolBinding.LOCAL)
    writer.add_relocation(table, 16 - missing, base, 1, 0)
    with pytest.raises(FormatError) as caught:
        declared(writer.to_bytes())
    assert caught.value.offset is not None


@given(data=st.data())
@settings(max_examples=250)
def test_damaged_files(data: st.DataObject) -> None:
    damaged = bytearray(write(ModuleRecipe(name="x", parameters=PARAMETERS)))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = declared(bytes(damaged))
    except FormatError:
        return
    assert len(found) <= 2 * len(damaged)
