"""What the kernel answers when it is asked to remove a module: every branch of delete_module."""

import errno
from dataclasses import replace

import pytest
from tests.support.loader import OLD, PROFILE, configured

from lkm.rules.loading.attempt import KernelState, ModuleRecord
from lkm.rules.taint import Taint
from lkm.rules.unloading import judge_unload

LOCKDEP = "Disabling lock debugging due to kernel taint"


def _state(**changes: object) -> KernelState:
    module = replace(ModuleRecord("mod"), **changes)  # type: ignore[arg-type]  # the tests name fields that exist
    return KernelState(modules=(ModuleRecord("other"), module))


def test_it_goes() -> None:
    verdict = judge_unload(PROFILE, _state(), "mod")
    assert (verdict.errno, verdict.log) == (0, ())
    assert [module.name for module in verdict.state.modules] == ["other"]


def test_a_kernel_that_can_remove_nothing() -> None:
    verdict = judge_unload(configured(MODULE_UNLOAD=False), _state(), "mod", privileged=False)
    assert verdict.errno == errno.ENOSYS


@pytest.mark.parametrize(
    ("changes", "privileged"),
    [
        ({}, False),
        ({"modules_disabled": True}, True),
        ({"command_line": "nomodule"}, True),
        ({"command_line": "nomodule=0", "modules_disabled": True}, True),
    ],
)
def test_who_may(changes: dict[str, object], privileged: bool) -> None:  # noqa: FBT001  a column
    state = replace(_state(), **changes)  # type: ignore[arg-type]  # as above
    verdict = judge_unload(PROFILE, state, "nobody", privileged=privileged)
    assert (verdict.errno, verdict.state) == (errno.EPERM, state)
    assert judge_unload(PROFILE, replace(_state(), command_line="nomodule=0"), "mod").errno == 0


@pytest.mark.parametrize("name", ["", "nobody", "MOD", "mod\n", "x" * 55, "x" * 56, "é" * 28, "\udcff"])
def test_names_that_are_not_there(name: str) -> None:
    assert judge_unload(PROFILE, _state(), name).errno == errno.ENOENT


def test_the_longest_name() -> None:
    for length, code in ((55, 0), (56, errno.ENOENT)):
        name = "x" * length
        assert judge_unload(PROFILE, KernelState(modules=(ModuleRecord(name),)), name).errno == code
    narrow = replace(PROFILE, is_64bit=False)
    assert judge_unload(narrow, KernelState(modules=(ModuleRecord("x" * 59),)), "x" * 59).errno == 0


@pytest.mark.parametrize("force", [False, True])
def test_holders_can_not_be_forced(force: bool) -> None:  # noqa: FBT001  a column
    state = KernelState(modules=(ModuleRecord("user", uses=("mod",)), ModuleRecord("mod", has_exit=False)))
    verdict = judge_unload(PROFILE, state, "mod", force=force)
    assert (verdict.errno, verdict.state) == (errno.EWOULDBLOCK, state)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"has_exit": False}, errno.EBUSY), ({"references": 1}, errno.EWOULDBLOCK)],
)
def test_what_can_be_forced(changes: dict[str, object], code: int) -> None:
    state = _state(**changes)
    assert judge_unload(PROFILE, state, "mod").errno == code
    assert judge_unload(configured(MODULE_FORCE_UNLOAD=False), state, "mod", force=True).errno == code
    verdict = judge_unload(PROFILE, state, "mod", force=True)
    assert (verdict.errno, verdict.log) == (0, (LOCKDEP,))
    assert verdict.state.taint == int(Taint.FORCED_RMMOD)
    again = judge_unload(PROFILE, replace(verdict.state, modules=state.modules), "mod", force=True)
    assert again.log == ()


def test_force_that_was_not_needed_leaves_no_trace() -> None:
    verdict = judge_unload(PROFILE, _state(), "mod", force=True)
    assert (verdict.errno, verdict.log, verdict.state.taint) == (0, (), 0)


def test_no_init_needs_no_exit() -> None:
    assert judge_unload(PROFILE, _state(has_init=False, has_exit=False), "mod").errno == 0
    both = judge_unload(PROFILE, _state(has_exit=False, references=2), "mod")
    assert both.errno == errno.EBUSY  # which comes first


def test_old_kernels_cut_names_that_are_too_long() -> None:
    long = "m" * 55
    state = KernelState(modules=(ModuleRecord(long),))
    assert judge_unload(OLD, state, long + "more").errno == 0
    assert judge_unload(PROFILE, state, long + "more").errno == errno.ENOENT
    assert judge_unload(PROFILE, state, long).errno == 0
    assert judge_unload(OLD, state, "").errno == errno.ENOENT
