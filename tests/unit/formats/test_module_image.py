"""A module as one object."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import ElfError, FormatError
from lkm.formats import module_signature
from lkm.formats.elf.constants import Machine, SectionFlag, SectionType
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.ksymtab import Export
from lkm.formats.module_image import ModuleImage
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import

VERMAGIC = "6.1.0-56-amd64 SMP preempt mod_unload modversions "
RECIPE = ModuleRecipe(
    name="sample",
    modinfo=usual_modinfo("sample", VERMAGIC, depends=("other",)),
    exports=(Export("sample_export", 5, gpl_only=True, namespace=None),),
    imports=(Import("printk", weak=False, crc=1), Import("param_ops_int", weak=False, crc=2)),
    parameters=(Parameter("debug", "int", "how much", 0o644, ops="param_ops_int"),),
    layout_crc=3,
)


@pytest.mark.parametrize("machine", [Machine.X86_64, Machine.I386, Machine.S390, Machine.PPC])
def test_all_of_it(machine: int) -> None:
    image = ModuleImage(write(replace(RECIPE, machine=machine)))
    assert image.elf.machine == machine
    assert image.name == "sample"
    assert image.struct_module_size == 0x380
    assert image.modinfo.first("depends") == "other"
    assert image.vermagic is not None
    assert image.vermagic.release == "6.1.0-56-amd64"
    assert image.exports == RECIPE.exports
    assert image.imports == RECIPE.imports
    assert image.versions == {"module_layout": 3, "printk": 1, "param_ops_int": 2}
    assert image.parameters == RECIPE.parameters
    assert image.signature is None


def test_read_once() -> None:
    image = ModuleImage(memoryview(write(RECIPE)))
    assert image.exports is image.exports
    assert image.modinfo is image.modinfo
    assert image.elf is image.elf


def test_the_name_in_struct_module_counts() -> None:
    assert ModuleImage(write(replace(RECIPE, name="other_name"))).name == "other_name"
    assert ModuleImage(write(replace(RECIPE, name=""))).name == "sample"


def test_the_longest_name() -> None:
    assert ModuleImage(write(replace(RECIPE, name="n" * 55))).name == "n" * 55


def test_a_name_that_never_ends() -> None:
    writer = ObjectWriter()
    contents = bytes(24) + b"n" * 100
    writer.add_section(".gnu.linkonce.this_module", flags=SectionFlag.ALLOC, data=contents)
    assert ModuleImage(writer.to_bytes()).name == "n" * 56


def test_an_elf_file_that_is_no_module() -> None:
    image = ModuleImage(ObjectWriter().to_bytes())
    assert image.modinfo.fields == ()
    assert image.struct_module_size is None
    assert image.vermagic is None
    assert (image.exports, image.imports, image.parameters) == ((), (), ())
    assert image.versions == {}
    with pytest.raises(FormatError):
        _ = image.name


def test_a_struct_module_that_takes_no_room_in_the_file() -> None:
    writer = ObjectWriter()
    writer.add_section(".gnu.linkonce.this_module", SectionType.NOBITS, SectionFlag.ALLOC, size=1280)
    writer.add_section(".modinfo", flags=SectionFlag.ALLOC, data=b"name=x\0")
    assert (ModuleImage(writer.to_bytes()).struct_module_size, ModuleImage(writer.to_bytes()).name) == (1280, "x")


def test_signed() -> None:
    signed = module_signature.append(write(RECIPE), b"DER")
    image = ModuleImage(signed)
    assert image.signature is not None
    assert image.signature.signature(signed) == b"DER"
    assert image.name == "sample"


def test_signed_yet_no_elf_file() -> None:
    image = ModuleImage(module_signature.append(b"#!/bin/sh\n", b"DER"))
    assert image.signature is not None
    for part in ("elf", "name", "modinfo", "exports", "imports", "versions", "parameters", "vermagic"):
        with pytest.raises(ElfError):
            getattr(image, part)


@given(data=st.data())
@settings(max_examples=200)
def test_damaged_files(data: st.DataObject) -> None:
    damaged = bytearray(module_signature.append(write(RECIPE), b"DER"))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    image = ModuleImage(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    refused = 0
    for part in ("name", "modinfo", "exports", "imports", "versions", "parameters", "vermagic", "signature"):
        try:
            getattr(image, part)
        except FormatError:
            refused += 1
    assert 0 <= refused <= 8
