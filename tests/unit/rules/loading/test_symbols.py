"""Symbols: who offers what to whom, under which versions, licences and namespaces."""

import errno
from dataclasses import replace

import pytest
from tests.support.loader import LAYOUT_CRC, MODERN, PROFILE, answer, configured, export, needs, recipe

from lkm.formats.elf.constants import Machine, SectionIndex, SymbolBinding
from lkm.formats.elf.reader import Elf
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import write
from lkm.formats.symbol_versions import Import
from lkm.rules.loading.attempt import IGNORE_MODVERSIONS, KernelState, ModuleRecord
from lkm.rules.taint import Taint

PROPRIETARY = int(Taint.PROPRIETARY_MODULE)
LOCKDEP = "Disabling lock debugging due to kernel taint"


def _state(*modules: tuple[str, tuple[Export, ...], int]) -> KernelState:
    records = tuple(ModuleRecord(name, exports=exports, taints=taints) for name, exports, taints in modules)
    return KernelState(modules=records)


OTHER = _state(("other", (export("shared"), export("shared_gpl", gpl_only=True)), 0))
CLOSED = _state(("closed", (export("secret"),), PROPRIETARY))


def test_from_the_kernel() -> None:
    verdict = answer(recipe(imports=needs("_printk", "gpl_symbol")))
    assert verdict.loads
    assert verdict.record is not None
    assert verdict.record.uses == ()


def test_from_a_module_which_is_used_from_then_on() -> None:
    verdict = answer(recipe(imports=needs("shared", "shared_gpl")), state=OTHER)
    assert verdict.loads
    assert verdict.record is not None
    assert verdict.record.uses == ("other",)
    assert verdict.state.users("other") == ("mod",)
    assert verdict.state.users("mod") == ()


def test_the_kernels_own_come_first_then_the_newest_module() -> None:
    state = _state(("new", (export("twice", 1), export("_printk", 2)), 0), ("old", (export("twice", 3),), 0))
    assert answer(recipe(imports=needs("twice", crc=1) + needs("_printk")), state=state).loads


def test_unknown_symbols_are_all_named() -> None:
    verdict = answer(recipe(imports=needs("one", "two")))
    assert (verdict.errno, verdict.stage) == (errno.ENOENT, "symbols")
    assert verdict.log == ("mod: Unknown symbol one (err -2)", "mod: Unknown symbol two (err -2)")


def test_weak_symbols_may_be_missing_but_not_wrong() -> None:
    assert answer(recipe(imports=needs("one", weak=True))).log == ()
    verdict = answer(recipe(imports=needs("_printk", crc=1, weak=True)))
    assert verdict.errno == errno.EINVAL
    assert verdict.log[-1] == "mod: Unknown symbol _printk (err -22)"


def test_only_x86_looks_away_from_the_global_offset_table() -> None:
    table = recipe(imports=needs("_GLOBAL_OFFSET_TABLE_"))
    assert answer(table).log == ()
    verdict = answer(replace(table, machine=Machine.AARCH64), profile=replace(PROFILE, machine=Machine.AARCH64))
    assert verdict.log == ("mod: Unknown symbol _GLOBAL_OFFSET_TABLE_ (err -2)",)


@pytest.mark.parametrize(
    ("imports", "code"),
    [
        (needs("missing") + needs("_printk", crc=1), errno.EINVAL),
        (needs("_printk", crc=1) + needs("missing"), errno.ENOENT),
        (needs("missing") + needs("_printk"), errno.ENOENT),
    ],
)
def test_the_last_failure_decides(imports: tuple[Import, ...], code: int) -> None:
    assert answer(recipe(imports=imports)).errno == code


# --- licences ---------------------------------------------------------------------------------------------------------


def test_gpl_only_symbols_are_not_there_for_proprietary_modules() -> None:
    verdict = answer(recipe(licence="Closed", imports=needs("gpl_symbol", "_printk")))
    assert verdict.errno == errno.ENOENT
    assert verdict.log[-1] == "mod: Unknown symbol gpl_symbol (err -2)"
    assert verdict.state.taint == PROPRIETARY


def test_a_module_may_offer_freely_what_the_kernel_does_not() -> None:
    state = _state(("kind", (export("gpl_symbol", 0xAC),), 0))
    verdict = answer(recipe(licence="Closed", imports=needs("gpl_symbol")), state=state)
    assert verdict.record is not None
    assert verdict.record.uses == ("kind",)


def test_inheriting_the_taint_of_a_proprietary_exporter() -> None:
    verdict = answer(recipe(imports=needs("secret")), state=CLOSED)
    assert verdict.loads
    assert verdict.log == ("mod: module uses symbols secret from proprietary module closed, inheriting taint.",)
    assert verdict.record is not None
    assert verdict.record.taints == PROPRIETARY
    assert verdict.state.taint == 0  # the module's bit alone


def test_it_is_inherited_once() -> None:
    state = _state(("closed", (export("one"), export("two")), PROPRIETARY))
    assert len(answer(recipe(imports=needs("one", "two")), state=state).log) == 1
    own = answer(recipe(licence="X", imports=needs("one")), state=state)
    assert own.log == ("mod: module license 'X' taints kernel.", LOCKDEP)


def test_gpl_only_and_proprietary_do_not_mix() -> None:
    verdict = answer(recipe(imports=needs("gpl_symbol", "secret")), state=CLOSED)
    assert verdict.errno == errno.ENOENT
    assert verdict.log == (
        "mod: module using GPL-only symbols uses symbols secret from proprietary module closed.",
        "mod: Unknown symbol secret (err -2)",
    )
    other_way_round = answer(recipe(imports=needs("secret", "gpl_symbol")), state=CLOSED)
    assert other_way_round.log[-1] == "mod: Unknown symbol gpl_symbol (err -2)"  # it inherited the taint first


def test_mixing_is_forgiven_to_weak_symbols() -> None:
    verdict = answer(recipe(imports=needs("gpl_symbol") + needs("secret", weak=True)), state=CLOSED)
    assert verdict.loads


# --- versions ---------------------------------------------------------------------------------------------------------


def test_another_version() -> None:
    verdict = answer(recipe(imports=needs("_printk", crc=1)))
    assert (verdict.errno, verdict.stage) == (errno.EINVAL, "symbols")
    assert verdict.log == (
        "mod: disagrees about version of symbol _printk",
        "mod: Unknown symbol _printk (err -22)",
    )


def test_no_version() -> None:
    verdict = answer(recipe(imports=(Import("_printk", weak=False, crc=None),)))
    assert verdict.errno == errno.EINVAL
    assert verdict.log == ("mod: no symbol version for _printk", "mod: Unknown symbol _printk (err -22)")


def test_versions_are_not_asked_for() -> None:
    assert answer(recipe(imports=needs("_printk", crc=1)), profile=configured(MODVERSIONS=False)).log == ()
    assert answer(recipe(imports=needs("without_crc", crc=1))).log == ()  # the exporter gives none
    state = _state(("other", (export("bare", None),), 0))
    assert answer(recipe(imports=needs("bare", crc=1)), state=state).log == ()


def test_version_lines_name_the_module_as_modinfo_does() -> None:
    info = recipe("outer").modinfo
    verdict = answer(replace(recipe("inner", imports=needs("_printk", crc=1)), modinfo=info))
    assert verdict.log == (
        "outer: disagrees about version of symbol _printk",
        "inner: Unknown symbol _printk (err -22)",
    )


def test_forced_loads_look_at_no_version() -> None:
    profile = configured(MODULE_SIG=False)
    wrong = recipe(imports=needs("_printk", crc=1))
    verdict = answer(wrong, flags=IGNORE_MODVERSIONS, profile=profile)
    assert verdict.loads
    assert verdict.log == ("mod: module_layout: kernel tainted.", LOCKDEP)
    assert verdict.state.taint == int(Taint.FORCED_MODULE)


def test_extended_versions_count_alone_where_they_are_read() -> None:
    both = replace(recipe(imports=needs("_printk")), extended_versions=True)
    assert answer(both).loads
    data = write(both)
    crcs = Elf(data).section("__version_ext_crcs")
    assert crcs is not None
    wrong = bytearray(data)
    wrong[crcs.offset + 4 : crcs.offset + 8] = b"\1\0\0\0"  # that of _printk
    assert answer(bytes(wrong)).loads  # 6.1 knows the old form alone
    verdict = answer(bytes(wrong), profile=MODERN)
    assert verdict.log == (
        "mod: disagrees about version of symbol _printk",
        "mod: Unknown symbol _printk (err -22)",
    )


def test_a_missing_extended_version_is_forgiven_and_said_once() -> None:
    without = (Import("_printk", weak=False, crc=None), Import("gpl_symbol", weak=False, crc=None))
    module = replace(recipe(imports=without), extended_versions=True, with_versions=False)
    verdict = answer(module, profile=MODERN)
    assert verdict.loads
    assert verdict.log == ("mod: no extended symbol version for _printk",)


# --- namespaces -------------------------------------------------------------------------------------------------------

SPACED = "mod: module uses symbol (spaced) from namespace SPACE, but does not import it."


def test_namespaces() -> None:
    verdict = answer(recipe(imports=needs("spaced")))
    assert (verdict.errno, verdict.log) == (errno.EINVAL, (SPACED, "mod: Unknown symbol spaced (err -22)"))
    imported = recipe(imports=needs("spaced"), extra=(("import_ns", "OTHER"), ("import_ns", "SPACE")))
    assert answer(imported).log == ()
    lenient = configured(MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=True)
    assert answer(recipe(imports=needs("spaced")), profile=lenient).log == (SPACED,)
    assert answer(recipe(imports=needs("spaced")), profile=lenient).loads


def test_the_version_is_looked_at_before_the_namespace() -> None:
    assert answer(recipe(imports=needs("spaced", crc=1))).log[0] == "mod: disagrees about version of symbol spaced"


# --- symbols with a place ---------------------------------------------------------------------------------------------


def _with_symbol(section: int, name: str = "placed") -> bytes:
    """Give the section index of an absolute symbol another value."""
    from lkm.formats.elf.constants import SectionFlag, SectionType  # noqa: PLC0415
    from lkm.formats.elf.writer import ObjectWriter  # noqa: PLC0415

    writer = ObjectWriter(machine=Machine.X86_64)
    alloc = SectionFlag.ALLOC
    info = b"name=mod\0license=GPL\0intree=Y\0vermagic=6.1.0-test SMP preempt mod_unload modversions \0"
    writer.add_section(".modinfo", SectionType.PROGBITS, alloc, info)
    writer.add_section(".gnu.linkonce.this_module", SectionType.PROGBITS, alloc, (bytes(24) + b"mod").ljust(896, b"\0"))
    version = LAYOUT_CRC.to_bytes(8, "little") + b"module_layout".ljust(56, b"\0")
    writer.add_section("__versions", SectionType.PROGBITS, alloc, version)
    writer.add_symbol(name, value=0, section=SectionIndex.ABS, binding=SymbolBinding.LOCAL)
    data = bytearray(writer.to_bytes())
    table = next(found for found in Elf(bytes(data)).sections if found.type == SectionType.SYMTAB)
    at = table.offset + 24 + 6
    data[at : at + 2] = section.to_bytes(2, "little")
    return bytes(data)


COUNT = len(Elf(_with_symbol(1)).sections)


@pytest.mark.parametrize(
    ("section", "name", "line"),
    [
        (SectionIndex.ABS, "placed", None),
        (SectionIndex.LIVEPATCH, "placed", None),
        (1, "placed", None),
        (COUNT - 1, "placed", None),
        (SectionIndex.COMMON, "__gnu_lto_slim", None),
        (SectionIndex.COMMON, "placed", "mod: please compile with -fno-common"),
        (COUNT, "placed", f"mod: Symbol placed has an invalid section index {COUNT} (max {COUNT - 1})"),
        (0xFF00, "placed", f"mod: Symbol placed has an invalid section index 65280 (max {COUNT - 1})"),
        (0xFFFF, "placed", f"mod: Symbol placed has an invalid section index 65535 (max {COUNT - 1})"),
    ],
)
def test_section_indexes(section: int, name: str, line: str | None) -> None:
    verdict = answer(_with_symbol(section, name))
    assert (verdict.errno, verdict.log) == ((errno.ENOEXEC, (line,)) if line else (0, ()))


# --- exports ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "owner"), [("_printk", "kernel"), ("shared", "other"), ("shared_gpl", "other")])
def test_what_others_export_can_not_be_exported_again(name: str, owner: str) -> None:
    verdict = answer(recipe(exports=(export("mine"), export(name))), state=OTHER)
    assert (verdict.errno, verdict.stage) == (errno.ENOEXEC, "duplicate exports")
    assert verdict.log == (f"mod: exports duplicate symbol {name} (owned by {owner})",)


def test_exports_are_offered_from_then_on() -> None:
    first = answer(recipe("first", exports=(export("mine"), export("mine_gpl", gpl_only=True))))
    second = answer(recipe("second", imports=needs("mine", "mine_gpl")), state=first.state)
    assert second.loads
    assert [module.name for module in second.state.modules] == ["second", "first"]


@pytest.mark.parametrize(
    "exports",
    [(export("a", None),), (export("a", None), export("b", 1, gpl_only=True))],
    ids=["no CRC at all", "one table of two without"],
)
def test_exports_without_versions_are_a_forced_load(exports: tuple[Export, ...]) -> None:
    verdict = answer(recipe(exports=exports))
    assert verdict.loads
    assert verdict.log == ("mod: no versions for exported symbols: kernel tainted.", LOCKDEP)
    refused = answer(recipe(exports=exports), profile=configured(MODULE_FORCE_LOAD=False))
    assert (refused.errno, refused.stage) == (errno.ENOEXEC, "export versions")
    assert answer(recipe(exports=exports), profile=configured(MODVERSIONS=False)).log == ()
