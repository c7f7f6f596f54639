"""What is known of a kernel and of one attempt to load a module."""

from dataclasses import replace

from tests.support.loader import PROFILE, answer, recipe

from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.loading.attempt import Attempt, KernelState, ModuleRecord, Request
from lkm.rules.signatures.policy import Lockdown
from lkm.rules.taint import Taint


def _attempt(contents: bytes, state: KernelState | None = None) -> Attempt:
    state = state or KernelState()
    return Attempt(Request(contents), PROFILE, state, PROFILE.traits, Cmdline(""), Lockdown.NONE)


def test_users_are_named_newest_first() -> None:
    state = KernelState(modules=(ModuleRecord("c", uses=("a",)), ModuleRecord("b", uses=("a",)), ModuleRecord("a")))
    assert state.users("a") == ("c", "b")
    assert state.module("b") is state.modules[1]
    assert state.module("A") is None


def test_long_lines_are_cut_in_bytes() -> None:
    attempt = _attempt(b"")
    longest = attempt.traits.longest_line
    attempt.say("é" * longest)
    attempt.say("x" * (longest + 1))
    assert attempt.log[1] == "x" * longest
    assert len(attempt.log[0].encode("utf-8", "surrogateescape")) == longest


def test_a_newline_in_a_line_begins_another() -> None:
    attempt = _attempt(b"")
    attempt.say("mod: `7\n\n' invalid")
    assert attempt.log == ["mod: `7", "", "' invalid"]


def test_once_is_once_and_is_remembered() -> None:
    attempt = _attempt(b"")
    attempt.say_once("key", "a line")
    attempt.say_once("key", "another")
    assert attempt.log == ["a line"]
    assert attempt.state.said == {"key"}


def test_taints_of_the_kernel_alone() -> None:
    attempt = _attempt(b"")
    attempt.add_taint(Taint.USER, kernel_only=True)
    attempt.add_taint(Taint.CRAP)
    assert (attempt.taints, attempt.state.taint) == (Taint.CRAP, Taint.USER | Taint.CRAP)
    assert attempt.taint_before == 0


def test_the_state_before_is_left_alone() -> None:
    before = KernelState(modules=(ModuleRecord("other"),), taint=4)
    verdict = answer(recipe(intree=False), state=before)
    assert before == KernelState(modules=(ModuleRecord("other"),), taint=4)
    assert [module.name for module in verdict.state.modules] == ["mod", "other"]
    assert verdict.state.taint == 4 | Taint.OOT_MODULE


def test_a_verdict_says_whether_the_module_loads() -> None:
    assert answer(recipe()).loads
    assert not replace(answer(recipe()), errno=1).loads
