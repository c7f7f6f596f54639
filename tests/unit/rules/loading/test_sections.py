"""Sections that must be there, and that must not be as they are."""

import errno
from dataclasses import replace

import pytest
from tests.support.loader import MODERN, PROFILE, answer, configured, needs, recipe

from lkm.formats.elf.constants import Machine, SectionFlag, SectionType, SymbolBinding
from lkm.formats.elf.writer import ObjectWriter
from lkm.system.kernel_profile import KernelProfile

_CODE = SectionFlag.ALLOC | SectionFlag.EXECINSTR
MODINFO = b"name=odd\0license=GPL\0vermagic=6.1.0-test SMP preempt mod_unload modversions \0intree=Y\0"


def _with(*sections: tuple[str, SectionFlag], symbols: bool = True, this_module: bool = True) -> bytes:
    """Write an object with little more than these sections."""
    writer = ObjectWriter(machine=Machine.X86_64)
    writer.add_section(".modinfo", SectionType.PROGBITS, SectionFlag.ALLOC, MODINFO)
    writer.add_section(
        "__versions",
        SectionType.PROGBITS,
        SectionFlag.ALLOC,
        (0x11223344).to_bytes(8, "little") + b"module_layout".ljust(56, b"\0"),
    )
    if this_module:
        name = bytes(24) + b"odd".ljust(0x380 - 24, b"\0")
        writer.add_section(".gnu.linkonce.this_module", SectionType.PROGBITS, SectionFlag.ALLOC, name)
    for name_, flags in sections:
        writer.add_section(name_, SectionType.PROGBITS, flags, bytes(8))
    if symbols:
        writer.add_symbol("x", value=0, section=1, binding=SymbolBinding.LOCAL)
    return writer.to_bytes()


def test_the_least_that_loads() -> None:
    verdict = answer(_with())
    assert verdict.loads
    assert verdict.record is not None
    assert not verdict.record.has_init
    assert not verdict.record.has_exit


def _stripped(data: bytes) -> bytes:
    """Make the symbol table something else."""
    table = int.from_bytes(data[40:48], "little")
    count = int.from_bytes(data[60:62], "little")
    for index in range(count):
        at = table + 64 * index + 4
        if int.from_bytes(data[at : at + 4], "little") == SectionType.SYMTAB:
            data = data[:at] + (1).to_bytes(4, "little") + data[at + 4 :]
    return data


def test_stripped() -> None:
    verdict = answer(_stripped(_with()))
    assert (verdict.errno, verdict.stage) == (errno.ENOEXEC, "sections")
    assert verdict.log == ("odd: module has no symbols (stripped?)",)
    nameless = answer(_stripped(_with(this_module=False)).replace(b"name=odd", b"game=odd"))
    assert nameless.log == ("(missing .modinfo section or name field): module has no symbols (stripped?)",)
    empty_name = answer(_stripped(_with()).replace(b"name=odd\0", b"name=\0odd"))
    assert empty_name.log == (": module has no symbols (stripped?)",)


def test_no_struct_module() -> None:
    assert answer(_with(this_module=False)).log == ("odd: No module found in object",)
    nameless = _with(this_module=False).replace(b"name=odd", b"game=odd")
    assert answer(nameless).log == ("(missing .modinfo section or name field): No module found in object",)
    modern = answer(_with(this_module=False), profile=MODERN)
    assert modern.log == ("module odd: Exactly one .gnu.linkonce.this_module section must exist.",)
    assert modern.errno == errno.ENOEXEC


def test_a_struct_module_of_another_kernel() -> None:
    other = replace(recipe("odd"), struct_module_size=0x400)
    assert answer(other).loads  # 6.1 does not look
    verdict = answer(other, profile=MODERN)
    assert (verdict.errno, verdict.stage) == (errno.ENOEXEC, "sections")
    assert verdict.log[0].startswith("module odd: .gnu.linkonce.this_module section size must match the kernel's ")
    assert verdict.log[0].endswith("built struct module size at run time")
    assert answer(other, profile=replace(MODERN, struct_module_size=None)).loads  # nothing to compare with


@pytest.mark.parametrize("profile", [PROFILE, MODERN])
def test_writable_code(profile: KernelProfile) -> None:
    data = _with((".wild", _CODE | SectionFlag.WRITE))
    verdict = answer(data, profile=profile)
    assert (verdict.errno, verdict.stage) == (errno.ENOEXEC, "section flags")
    assert verdict.log == ("odd: section .wild (index 4) has invalid WRITE|EXEC flags",)
    assert answer(data, profile=configured(STRICT_MODULE_RWX=False)).loads


def test_writable_code_leaves_taints_on_old_kernels_only() -> None:
    data = _with((".wild", _CODE | SectionFlag.WRITE)).replace(b"intree=Y", b"outree=Y")
    assert answer(data).log == (
        "odd: loading out-of-tree module taints kernel.",
        "odd: section .wild (index 4) has invalid WRITE|EXEC flags",
    )
    assert answer(data, profile=MODERN).log == ("odd: section .wild (index 4) has invalid WRITE|EXEC flags",)
    assert answer(data, profile=MODERN).state.taint == 0


def test_constructors_of_two_kinds() -> None:
    data = _with((".ctors", SectionFlag.ALLOC), (".init_array", SectionFlag.ALLOC))
    assert answer(data).loads  # this kernel runs none
    verdict = answer(data, profile=configured(CONSTRUCTORS=True))
    assert (verdict.errno, verdict.stage) == (errno.EINVAL, "constructors")
    assert verdict.log == ("odd: has both .ctors and .init_array.",)


def test_obsolete_parameters() -> None:
    verdict = answer(_with(("__obsparm", SectionFlag.ALLOC)))
    assert verdict.loads
    assert verdict.log == ("odd: Ignoring obsolete parameters",)


def test_only_sections_that_take_up_memory_count() -> None:
    assert answer(_with(("__obsparm", SectionFlag(0)))).log == ()


def test_what_does_not_take_up_memory_says_nothing_either() -> None:
    """A .modinfo that is not loaded is none: neither name nor version magic nor licence."""
    data = bytearray(_with())
    table = int.from_bytes(data[40:48], "little")
    data[table + 64 + 8] = 0  # the flags of the first section
    verdict = answer(bytes(data))
    assert verdict.log[0] == "odd: bad vermagic: kernel tainted."
    assert "odd: module license 'unspecified' taints kernel." in verdict.log


def test_a_module_without_any_name() -> None:
    """Up to its directory in sysfs, which must have a name, nothing asks for one."""
    verdict = answer(recipe("", without=("name",)))
    assert (verdict.errno, verdict.stage, verdict.log) == (errno.EINVAL, "built-in name", ())


def test_init_and_exit_are_noticed() -> None:
    full = answer(recipe()).record
    permanent = answer(replace(recipe(), exit_offset=None)).record
    silent = answer(replace(recipe(), init_offset=None, exit_offset=None)).record
    assert [(r.has_init, r.has_exit) for r in (full, permanent, silent) if r] == [(1, 1), (1, 0), (0, 0)]


def test_a_module_that_needs_init_module_has_none() -> None:
    odd = replace(recipe(imports=needs("init_module", weak=True)), init_offset=None, exit_offset=None)
    record = answer(odd).record
    assert record is not None
    assert not record.has_init
