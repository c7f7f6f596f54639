"""What else differs from version to version: order of the taints, letters of booleans, words."""

import errno
from dataclasses import replace

import pytest
from tests.support.loader import JOINT, MODERN, NEWEST, OLD, PROFILE, answer, configured, export, needs, recipe
from tests.support.module_edit import with_section

from lkm.formats.elf.constants import SectionFlag, SectionType
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.formats.parameters import Parameter
from lkm.rules.loading.attempt import KernelState, ModuleRecord
from lkm.rules.taint import Taint
from lkm.system.kernel_profile import KernelProfile

GOOD = write(recipe())
ALL = (OLD, PROFILE, JOINT, MODERN, NEWEST)
OOT = "mod: loading out-of-tree module taints kernel."
LOCKDEP = "Disabling lock debugging due to kernel taint"


def _add(name: str, contents: bytes = b"x", flags: int = SectionFlag.ALLOC) -> bytes:
    return with_section(GOOD, name, SectionType.PROGBITS, flags, contents)


def test_an_old_duplicate_taints() -> None:
    state = KernelState(modules=(ModuleRecord("mod"),))
    for profile in ALL:
        verdict = answer(recipe(intree=False), profile=profile, state=state)
        assert verdict.errno == errno.EEXIST
        assert bool(verdict.log) is (profile in ALL[:2])


def test_the_test_taint_is_younger_than_5_10() -> None:
    module = recipe(extra=(("test", "Y"),))
    assert answer(module, profile=OLD).state.taint == 0
    assert answer(module, profile=PROFILE).state.taint == Taint.TEST


def test_the_second_line_on_a_licence() -> None:
    closed = recipe(licence="Closed")
    first = ("mod: module license 'Closed' taints kernel.", LOCKDEP)
    for profile in ALL:
        extra = () if profile in ALL[:2] else ("mod: module license taints kernel.",)
        assert answer(closed, profile=profile).log == (*first, *extra)


def test_names_that_lie_come_before_sections_since_6_4() -> None:
    data = with_section(write(recipe("lve")), ".ctors", SectionType.PROGBITS, SectionFlag.ALLOC, b"x")
    both = with_section(data, ".init_array", SectionType.PROGBITS, SectionFlag.ALLOC, b"x")
    for profile in (PROFILE, JOINT):
        verdict = answer(both, profile=configured(profile, CONSTRUCTORS=True))
        assert (verdict.errno, verdict.log[-1]) == (errno.EINVAL, "lve: has both .ctors and .init_array.")
        assert bool(verdict.state.taint & Taint.PROPRIETARY_MODULE) is (profile is JOINT)


def test_inherited_taint_is_told_with_the_symbol_since_5_17() -> None:
    state = KernelState(modules=(ModuleRecord("shut", exports=(export("mine"),), taints=1),))
    module = recipe(imports=needs("mine"))
    line = "mod: module uses symbols {}from proprietary module shut, inheriting taint."
    assert answer(module, profile=OLD, state=state).log == (line.format(""),)
    assert answer(module, profile=PROFILE, state=state).log == (line.format("mine "),)


@pytest.mark.parametrize(
    ("value", "kernels"),
    [("t", ALL[1:]), ("F", ALL[1:]), ("enabled", ALL[3:]), ("D", ALL[3:]), ("y", ALL), ("maybe", ())],
)
def test_booleans(value: str, kernels: tuple[KernelProfile, ...]) -> None:
    flag = Parameter("flag", "bool", permissions=0o644)
    module = write(_with_parameter(flag))
    for profile in ALL:
        known = configured(profile)
        exports = {**known.exports, "param_ops_bool": export("param_ops_bool")}
        verdict = answer(module, f"flag={value}", profile=_with_exports(known, exports))
        assert verdict.loads is (profile in kernels), profile.release


def _with_parameter(parameter: Parameter) -> ModuleRecipe:
    return replace(recipe(imports=needs("param_ops_bool")), parameters=(parameter,))


def _with_exports(profile: KernelProfile, exports: dict[str, Export]) -> KernelProfile:
    return replace(profile, exports=exports)


def test_dynamic_debugging_cuts_names_at_a_dot() -> None:
    assert answer(GOOD, "other.number=1").log == ("mod: unknown parameter 'other' ignored",)
    assert answer(GOOD, "other.dyndbg=+p").log == ()
    plain = configured(DYNAMIC_DEBUG=False)
    assert answer(GOOD, "other.number=1", profile=plain).log == ("mod: unknown parameter 'other.number' ignored",)
    note = "dyndbg param is supported only in CONFIG_DYNAMIC_DEBUG builds"
    assert answer(GOOD, "dyndbg", profile=plain).log == (note,)


def test_tables_of_exports_that_are_no_more() -> None:
    for name in ("__ksymtab_gpl", "__kcrctab_gpl"):
        assert answer(_add(name), profile=NEWEST).log == (f"mod: ignoring obsolete section {name}",)
        assert answer(_add(name), profile=MODERN).log == ()
    verdict = answer(recipe(exports=(export("mine"),)), profile=NEWEST)
    assert (verdict.errno, verdict.log) == (errno.ENOEXEC, ("mod: no flags for exported symbols",))
    assert answer(recipe(exports=(export("mine"),)), profile=MODERN).loads


def test_two_sections_of_one_name() -> None:
    twice = with_section(_add(".mine"), ".mine", SectionType.PROGBITS, SectionFlag.ALLOC, b"y")
    line = "sysfs: cannot create duplicate filename '/module/mod/sections/.mine'"
    assert answer(twice, profile=JOINT).loads
    verdict = answer(twice, profile=NEWEST)
    assert (verdict.errno, verdict.stage, verdict.log) == (errno.EEXIST, "section names", (line,))
    assert "the dump of the kernel's stack in the log" in verdict.undecidable


def test_an_empty_section_where_nothing_else_is_has_no_address() -> None:
    line = "mod: Ignoring obsolete parameters"
    empty = _add("__obsparm", b"", SectionFlag.ALLOC | SectionFlag.EXECINSTR)
    assert line in answer(_add("__obsparm"), profile=NEWEST).log
    assert line in answer(empty, profile=PROFILE).log


def test_lines_of_old_kernels_are_shorter() -> None:
    long = "x" * 1100
    assert len(answer(GOOD, long, profile=OLD).log[0]) == 989
    assert len(answer(GOOD, long, profile=PROFILE).log[0]) == 989
    assert len(answer(GOOD, long, profile=JOINT).log[0]) == 1021


def test_what_init_returns_is_asked_only_of_modules_that_have_one() -> None:
    question = "what the module's init function returns"
    assert question in answer(GOOD).undecidable
    assert question not in answer(write(replace(recipe(), init_offset=None))).undecidable
