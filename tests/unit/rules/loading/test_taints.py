"""Taints and the lines that announce them, in the kernel's order."""

import errno
from dataclasses import replace

import pytest
from tests.support.loader import MODERN, PROFILE, answer, configured, needs, recipe

from lkm.rules.loading.attempt import KernelState
from lkm.rules.loading.taints import GPL_LICENSES
from lkm.rules.signatures.check import UNSIGNED
from lkm.rules.taint import Taint

LOCKDEP = "Disabling lock debugging due to kernel taint"
OOT = "mod: loading out-of-tree module taints kernel."
STAGING = "mod: module is from the staging directory, the quality is unknown, you have been warned."
LIVEPATCH = "mod: tainting kernel with TAINT_LIVEPATCH"
TEST = "mod: loading test module taints kernel."
SIGNATURE = "mod: module verification failed: signature and/or required key missing - tainting kernel"
EVERYTHING = recipe(licence="Closed", intree=False, extra=(("test", "Y"), ("livepatch", "Y"), ("staging", "Y")))


def test_a_good_module_taints_nothing() -> None:
    verdict = answer(recipe())
    assert (verdict.log, verdict.state.taint) == ((), 0)


@pytest.mark.parametrize(
    ("extra", "flag", "line"),
    [
        ((("staging", "Y"),), Taint.CRAP, STAGING),
        ((("test", "Y"),), Taint.TEST, TEST),
        ((("livepatch", "Y"),), Taint.LIVEPATCH, LIVEPATCH),
        ((("staging", ""),), Taint.CRAP, STAGING),  # that it is there is enough
    ],
)
def test_one_at_a_time(extra: tuple[tuple[str, str], ...], flag: Taint, line: str) -> None:
    verdict = answer(recipe(extra=extra))
    assert verdict.log == (line,)
    assert verdict.state.taint == int(flag)
    assert verdict.record is not None
    assert verdict.record.taints == int(flag)


def test_all_at_once_in_order() -> None:
    lines = (
        OOT,
        STAGING,
        LIVEPATCH,
        "mod: module license 'Closed' taints kernel.",
        LOCKDEP,
        TEST,
        SIGNATURE,
    )
    old, new = (answer(EVERYTHING, profile=profile, signature=UNSIGNED) for profile in (PROFILE, MODERN))
    assert old.log == lines
    assert new.log == (*lines, "mod: module license taints kernel.")
    expected = Taint.OOT_MODULE | Taint.CRAP | Taint.LIVEPATCH | Taint.PROPRIETARY_MODULE | Taint.TEST
    assert old.state.taint == new.state.taint == int(expected | Taint.UNSIGNED_MODULE)


def test_what_was_said_before_is_not_said_again() -> None:
    first = answer(EVERYTHING, signature=UNSIGNED)
    second = answer(replace(EVERYTHING, name="again"), state=first.state, signature=UNSIGNED)
    assert second.loads
    assert second.log == (STAGING.replace("mod:", "again:"),)  # this one comes each time
    assert second.record is not None
    assert second.record.taints == first.state.taint


@pytest.mark.parametrize("licence", sorted(GPL_LICENSES))
def test_licences_that_go_with_the_kernels(licence: str) -> None:
    assert answer(recipe(licence=licence)).log == ()


@pytest.mark.parametrize("licence", ["Proprietary", "gpl", "GPL ", "GPLv2", "MIT", "BSD", "GPL v3", ""])
def test_licences_that_do_not(licence: str) -> None:
    verdict = answer(recipe(licence=licence))
    assert verdict.log == (f"mod: module license '{licence}' taints kernel.", LOCKDEP)
    assert verdict.state.taint == int(Taint.PROPRIETARY_MODULE)


def test_no_licence() -> None:
    verdict = answer(recipe(without=("license",)))
    assert verdict.log == ("mod: module license 'unspecified' taints kernel.", LOCKDEP)


def test_only_the_first_licence_counts() -> None:
    assert answer(recipe(extra=(("license", "Closed"),))).log == ()
    two = replace(recipe(), modinfo=(("license", "Closed"), *recipe().modinfo))
    assert answer(two).state.taint == int(Taint.PROPRIETARY_MODULE)


def test_lock_debugging_ends_once() -> None:
    state = KernelState(said=frozenset({"lockdep"}))
    assert answer(recipe(licence="X"), state=state).log == ("mod: module license 'X' taints kernel.",)
    out_of_tree = answer(recipe(intree=False))
    assert out_of_tree.log == (OOT,)  # only proprietary and forced modules end it
    assert out_of_tree.state.said == frozenset()


# --- retpolines -------------------------------------------------------------------------------------------------------

RETPOLINE = (
    "Spectre V2 : System may be vulnerable to spectre v2",
    "mod: loading module not compiled with retpoline compiler.",
)


@pytest.mark.parametrize("option", ["RETPOLINE", "MITIGATION_RETPOLINE"])
def test_modules_without_retpolines_are_warned_of_and_taint_nothing(option: str) -> None:
    profile = replace(PROFILE, config={**PROFILE.config, option: "y"})
    module = recipe(without=("retpoline",), intree=False)
    verdict = answer(module, profile=profile)
    assert verdict.log == (OOT, *RETPOLINE)
    assert verdict.state.taint == int(Taint.OOT_MODULE)
    assert answer(recipe(intree=False), profile=profile).log == (OOT,)
    assert answer(module).log == (OOT,)
    for words in ("nospectre_v2", "spectre_v2=off", "mitigations=off"):
        assert answer(module, profile=profile, command_line=words).log == (OOT,)


# --- live patches -----------------------------------------------------------------------------------------------------


def test_a_live_patch_for_a_kernel_that_takes_none() -> None:
    patch = recipe(intree=False, extra=(("livepatch", "Y"),))
    line = "mod: module is marked as livepatch module, but livepatch support is disabled"
    old = answer(patch, profile=configured(LIVEPATCH=False))
    assert (old.errno, old.stage, old.log) == (errno.ENOEXEC, "taints", (OOT, line))
    assert old.state.taint == int(Taint.OOT_MODULE)
    new = answer(patch, profile=configured(MODERN, LIVEPATCH=False))
    assert (new.errno, new.stage, new.log, new.state.taint) == (errno.ENOEXEC, "livepatch", (line,), 0)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["driverloader", "lve"])
def test_modules_that_lie_about_their_licence(name: str) -> None:
    verdict = answer(recipe(name))
    assert verdict.log == (LOCKDEP, f"{name}: module license taints kernel.")
    assert verdict.record is not None
    assert verdict.record.taints == int(Taint.PROPRIETARY_MODULE)
    assert answer(recipe(name, imports=needs("gpl_symbol"))).errno == errno.ENOENT


def test_ndiswrapper_taints_the_kernel_and_not_itself() -> None:
    verdict = answer(recipe("ndiswrapper", imports=needs("gpl_symbol")))
    assert verdict.loads
    assert verdict.log == (LOCKDEP, "ndiswrapper: module license taints kernel.")
    assert verdict.record is not None
    assert (verdict.record.taints, verdict.state.taint) == (0, int(Taint.PROPRIETARY_MODULE))


def test_the_line_about_a_name_comes_only_with_a_new_taint() -> None:
    state = KernelState(taint=int(Taint.PROPRIETARY_MODULE), said=frozenset({"lockdep"}))
    assert answer(recipe("lve"), state=state).log == ()
    closed = recipe("lve", licence="Closed")
    assert answer(closed).log == ("lve: module license 'Closed' taints kernel.", LOCKDEP)


# --- what stays after a refusal ---------------------------------------------------------------------------------------


def test_taints_stay_when_a_later_stage_refuses() -> None:
    closed = recipe(licence="Closed", intree=False, imports=needs("nobody"))
    verdict = answer(closed, signature=UNSIGNED)
    assert verdict.errno == errno.ENOENT
    assert verdict.record is None
    assert verdict.state.modules == ()
    assert verdict.state.taint == int(Taint.OOT_MODULE | Taint.PROPRIETARY_MODULE | Taint.UNSIGNED_MODULE)
    assert verdict.state.said == {"lockdep", "unsigned"}


def test_nothing_stays_when_an_earlier_stage_refuses() -> None:
    closed = recipe(licence="Closed", intree=False, vermagic="other")
    verdict = answer(closed, signature=UNSIGNED)
    assert (verdict.stage, verdict.state.taint, verdict.state.said) == ("vermagic", 0, frozenset())
