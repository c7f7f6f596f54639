"""Whether a module is one for this kernel, and not there already."""

import errno
from dataclasses import replace

import pytest
from tests.support.loader import LAYOUT_CRC, MODERN, PROFILE, VERMAGIC, answer, configured, export, recipe

from lkm.formats.module_writer import ModuleRecipe
from lkm.rules.loading.attempt import IGNORE_MODVERSIONS, IGNORE_VERMAGIC, KernelState, ModuleRecord
from lkm.rules.taint import Taint
from lkm.system.kernel_profile import KernelProfile

FORCED = int(Taint.FORCED_MODULE)
NO_FORCE = configured(MODULE_FORCE_LOAD=False)
PLAIN = configured(MODVERSIONS=False)


# --- module_blacklist= ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command_line", "refused"),
    [
        ("module_blacklist=mod", True),
        ("quiet module_blacklist=a,mod,b", True),
        ("module-blacklist=mod", True),  # dashes and underscores of a parameter are equal
        ("module_blacklist=mods,mo,xmod", False),
        ("module_blacklist=mod module_blacklist=other", False),  # the later one takes the place of the earlier
        ("module_blacklist=other module_blacklist=mod", True),
        ("module_blacklist=mod module_blacklist", True),  # without a value it is no setting
        ("module_blacklist=", False),
        ("-- module_blacklist=mod", False),
    ],
)
def test_the_blacklist_of_the_command_line(command_line: str, refused: bool) -> None:  # noqa: FBT001  a column
    verdict = answer(recipe(), command_line=command_line)
    assert (verdict.errno, verdict.stage, verdict.log) == (
        (errno.EPERM, "blacklist", ("Module mod is blacklisted",)) if refused else (0, "", ())
    )


def test_the_blacklist_goes_by_the_name_in_modinfo() -> None:
    other = ModuleRecipe("inner", recipe("outer").modinfo, layout_crc=LAYOUT_CRC)
    assert answer(other, command_line="module_blacklist=outer").log == ("Module outer is blacklisted",)
    assert answer(other, command_line="module_blacklist=inner").loads
    nameless = ModuleRecipe("inner", recipe(without=("name",)).modinfo, layout_crc=LAYOUT_CRC)
    assert answer(nameless, command_line="module_blacklist=inner").log == ("Module inner is blacklisted",)
    spelt = ModuleRecipe("a_b", recipe("a-b").modinfo, layout_crc=LAYOUT_CRC)
    assert answer(spelt, command_line="module_blacklist=a_b").loads  # here they are not equal


# --- module_layout ----------------------------------------------------------------------------------------------------


def test_the_version_of_struct_module() -> None:
    verdict = answer(replace(recipe(), layout_crc=1))
    assert (verdict.errno, verdict.stage) == (errno.ENOEXEC, "struct version")
    assert verdict.log == ("mod: disagrees about version of symbol module_layout",)
    missing = answer(replace(recipe(), layout_crc=None))
    assert (missing.errno, missing.log) == (errno.ENOEXEC, ("mod: no symbol version for module_layout",))
    assert answer(replace(recipe(), layout_crc=1), profile=PLAIN).loads


def test_a_crc_is_compared_in_all_of_an_unsigned_long() -> None:
    assert answer(replace(recipe(), layout_crc=LAYOUT_CRC | 1 << 32)).errno == errno.ENOEXEC


def test_no_versions_at_all_is_a_forced_load() -> None:
    bare = replace(recipe(), with_versions=False)
    verdict = answer(bare)
    assert verdict.loads
    assert verdict.log == (
        "mod: module_layout: kernel tainted.",
        "Disabling lock debugging due to kernel taint",
    )
    assert verdict.state.taint == FORCED
    assert verdict.record is not None
    assert verdict.record.taints == FORCED
    refused = answer(bare, profile=NO_FORCE)
    assert (refused.errno, refused.stage, refused.log) == (errno.ENOEXEC, "struct version", ())


def test_forced_loads_are_announced_while_the_kernel_is_clean() -> None:
    bare = replace(recipe(), with_versions=False)
    state = KernelState(taint=FORCED, said=frozenset({"lockdep"}))
    assert answer(bare, state=state).log == ()


def test_a_kernel_that_gives_no_crc_of_its_own_passes() -> None:
    exports = {**PROFILE.exports, "module_layout": export("module_layout", None)}
    assert answer(replace(recipe(), layout_crc=1), profile=replace(PROFILE, exports=exports)).loads
    assert answer(replace(recipe(), layout_crc=1), profile=replace(PROFILE, exports={})).loads


# --- vermagic ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("magic", "with_versions", "without_versions"),
    [
        (VERMAGIC, True, True),
        ("9.9 SMP preempt mod_unload modversions ", True, False),  # versions say more than the release
        ("9.9 SMP preempt mod_unload modversions", False, False),  # the last blank counts
        ("6.1.0-test SMP mod_unload modversions ", False, False),
        ("6.1.0-test", False, False),
        ("", False, False),
    ],
)
def test_vermagic(magic: str, with_versions: bool, without_versions: bool) -> None:  # noqa: FBT001  columns
    for profile, agrees in ((PROFILE, with_versions), (PLAIN, without_versions)):
        verdict = answer(recipe(vermagic=magic), profile=profile)
        line = f"mod: version magic '{magic}' should be '{VERMAGIC}'"
        expected = (0, "", ()) if agrees else (errno.ENOEXEC, "vermagic", (line,))
        assert (verdict.errno, verdict.stage, verdict.log) == expected


def test_vermagic_names_the_module_as_modinfo_does() -> None:
    other = ModuleRecipe("inner", recipe("outer", vermagic="9").modinfo, layout_crc=LAYOUT_CRC)
    assert answer(other).log[0].startswith("outer: version magic")


def test_no_vermagic_is_a_forced_load() -> None:
    for module, flags in ((recipe(without=("vermagic",)), 0), (recipe(vermagic="9.9"), IGNORE_VERMAGIC)):
        verdict = answer(module, flags=flags, profile=configured(MODULE_SIG=False))
        assert verdict.loads
        assert verdict.log == ("mod: bad vermagic: kernel tainted.", "Disabling lock debugging due to kernel taint")
        refused = answer(module, flags=flags, profile=configured(NO_FORCE, MODULE_SIG=False))
        assert (refused.errno, refused.stage, refused.log) == (errno.ENOEXEC, "vermagic", ())


def test_without_versions_the_release_counts_and_the_taint_stays() -> None:
    """Flag 1 takes the symbol versions away, and with them the excuse for another release."""
    profile = configured(MODULE_SIG=False)
    verdict = answer(recipe(vermagic=VERMAGIC.replace("6.1.0", "6.1.9")), flags=IGNORE_MODVERSIONS, profile=profile)
    assert (verdict.errno, verdict.stage) == (errno.ENOEXEC, "vermagic")
    assert verdict.log[0] == "mod: module_layout: kernel tainted."
    assert verdict.state.taint == FORCED
    assert verdict.record is None


# --- names that are taken ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [PROFILE, MODERN])
def test_a_duplicate_by_the_name_in_struct_module(profile: KernelProfile) -> None:
    state = KernelState(modules=(ModuleRecord("mod"),))
    verdict = answer(recipe(), state=state, profile=profile)
    assert (verdict.errno, verdict.stage, verdict.log) == (errno.EEXIST, "duplicate", ())
    assert verdict.state.modules == state.modules
    other = ModuleRecipe("inner", recipe("mod").modinfo, layout_crc=LAYOUT_CRC)
    assert answer(other, state=state).loads


def test_a_duplicate_taints_an_old_kernel_first() -> None:
    state = KernelState(modules=(ModuleRecord("mod"),))
    old, new = (answer(recipe(intree=False), state=state, profile=profile) for profile in (PROFILE, MODERN))
    assert (old.errno, old.state.taint) == (errno.EEXIST, int(Taint.OOT_MODULE))
    assert old.log == ("mod: loading out-of-tree module taints kernel.",)
    assert (new.errno, new.state.taint, new.log) == (errno.EEXIST, 0, ())


def test_the_name_of_a_built_in_that_shows_in_sysfs() -> None:
    profile = replace(PROFILE, visible_builtins=frozenset({"mod"}))
    verdict = answer(recipe(), profile=profile)
    assert (verdict.errno, verdict.stage) == (errno.EINVAL, "built-in name")
    assert verdict.log == ("mod: module is already loaded",)
