"""The writer of modules: what our own readers do not look at, and what it refuses."""

from dataclasses import replace

import pytest

from lkm.errors import FormatError
from lkm.formats.elf.constants import Machine, SectionFlag, SymbolBinding, SymbolType
from lkm.formats.elf.pointers import Pointers
from lkm.formats.elf.reader import Elf
from lkm.formats.ksymtab import Export
from lkm.formats.module_architectures import architecture, returning
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameter_writer import operations
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import

RECIPE = ModuleRecipe(name="sample", modinfo=(("license", "GPL"),))


def test_the_same_recipe_gives_the_same_bytes() -> None:
    assert write(RECIPE) == write(replace(RECIPE))


def test_struct_module_points_to_init_and_exit() -> None:
    elf = Elf(write(RECIPE))
    this_module, text = elf.section(".gnu.linkonce.this_module"), elf.section(".text")
    assert this_module is not None
    assert text is not None
    assert this_module.flags == SectionFlag.ALLOC | SectionFlag.WRITE
    pointers = Pointers(elf, this_module)
    functions = {symbol.name: symbol for symbol in elf.symbols if symbol.type == SymbolType.FUNC}
    assert set(functions) == {"init_module", "cleanup_module"}
    for offset, name in ((0x138, "init_module"), (0x350, "cleanup_module")):
        assert functions[name].binding == SymbolBinding.GLOBAL
        assert pointers.place(offset, 8) == (text.index, functions[name].value)


def test_code() -> None:
    elf = Elf(write(replace(RECIPE, init_result=-19)))
    text = bytes(elf.contents_of(".text") or b"")
    assert text[:10] == bytes.fromhex("f30f1efa b8edffffff c3")
    assert text[16:23] == bytes.fromhex("f30f1efa 31c0 c3")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, "5f2403d5 00008052 c0035fd6"),
        (5, "5f2403d5 a0008052 c0035fd6"),
        (-19, "5f2403d5 40028012 c0035fd6"),
    ],
)
def test_code_for_arm64(value: int, code: str) -> None:
    assert returning(Machine.AARCH64, value) == bytes.fromhex(code)


def test_a_module_without_functions() -> None:
    elf = Elf(write(replace(RECIPE, init_offset=None, exit_offset=None)))
    assert [symbol.name for symbol in elf.symbols if symbol.binding == SymbolBinding.GLOBAL] == ["__this_module"]
    assert elf.relocations(elf.section_index(".gnu.linkonce.this_module") or 0) == ()


def test_exports_are_sorted_as_the_kernel_bisects_them() -> None:
    names = ["b", "a_b", "aB", "ab", "a"]
    elf = Elf(write(replace(RECIPE, exports=tuple(Export(name, 1, gpl_only=False, namespace=None) for name in names))))
    places = {name: value for name, value, _ in elf.symbol_values_with_prefix("__ksymtab_")}
    assert sorted(places, key=places.__getitem__) == sorted(names, key=str.encode)


def test_parameters_bring_their_imports() -> None:
    array = Parameter("a", "array of int", is_array=True)
    assert operations(array) == ("param_array_ops", "param_ops_int")
    elf = Elf(write(replace(RECIPE, imports=(Import("param_ops_int", weak=False, crc=1),), parameters=(array,))))
    assert elf.undefined_symbols() == [("param_ops_int", False), ("param_array_ops", False)]


def test_usual_modinfo() -> None:
    assert usual_modinfo("m", "6.1 SMP ", depends=("a", "b")) == (
        ("license", "GPL"),
        ("depends", "a,b"),
        ("retpoline", "Y"),
        ("intree", "Y"),
        ("name", "m"),
        ("vermagic", "6.1 SMP "),
    )
    assert "intree" not in dict(usual_modinfo("m", "6.1 SMP ", intree=False))


@pytest.mark.parametrize(
    "recipe",
    [
        replace(RECIPE, name="n" * 56),
        replace(RECIPE, name="a\0b"),
        replace(RECIPE, machine=Machine.XTENSA),
        replace(RECIPE, modinfo=(("license", "GP\0L"),)),
        replace(RECIPE, struct_module_size=79),
        replace(RECIPE, init_offset=0x380),
        replace(RECIPE, exit_offset=0x379),
        replace(RECIPE, init_offset=24),
        replace(RECIPE, init_result=1 << 20),
        replace(RECIPE, exports=(Export("a", 1, gpl_only=False, namespace=None),) * 2),
        replace(RECIPE, exports=(Export("init_module", 1, gpl_only=False, namespace=None),)),
        replace(RECIPE, exports=(Export("a", 1 << 32, gpl_only=False, namespace=None),)),
        replace(RECIPE, exports=(Export("a", -1, gpl_only=False, namespace=None),)),
        replace(RECIPE, imports=(Import("n" * 56, weak=False, crc=1),)),
        replace(RECIPE, imports=(Import("a\0", weak=False, crc=None),)),
        replace(RECIPE, parameters=(Parameter("p", "int", permissions=1 << 16),)),
    ],
)
def test_refused(recipe: ModuleRecipe) -> None:
    with pytest.raises(FormatError):
        write(recipe)


@pytest.mark.parametrize("machine", [Machine.X86_64, Machine.ARM, Machine.S390])
def test_the_header_is_that_of_the_machine(machine: int) -> None:
    elf = Elf(write(replace(RECIPE, machine=machine)))
    conventions = architecture(machine)
    assert (elf.machine, elf.is_64bit, elf.little_endian) == (
        machine,
        conventions.is_64bit,
        conventions.little_endian,
    )
