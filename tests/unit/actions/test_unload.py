"""Carrying a removal out: waiting, what may fail, and refusals in words."""

import errno
from pathlib import Path

import pytest
from tests.support.scripted_kernel import ScriptedKernel

from lkm.actions import unload
from lkm.actions.unload import carry_out
from lkm.errors import BuiltIn, CommandFailed, InUse, LkmError, NotLoaded, UnloadRefused
from lkm.kernels.base import UnloadFlags
from lkm.rules.planning.steps import Obstacle, Refused, Remove, RunRemove


class _Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(unload, "time", clock)
    return clock


def test_in_order() -> None:
    kernel = ScriptedKernel(live={"a", "b"})
    said: list[str] = []
    report = carry_out(
        (Remove("a"), Remove("b", required=False, leftover=True)),
        kernel,
        flags=UnloadFlags.FORCE,
        announce=lambda step: said.append(step.name),
    )
    assert kernel.calls == ["unload a 512", "unload b 512"]
    assert (report.removed, report.log, said) == (["a", "b"], ["a: gone", "b: gone"], ["a", "b"])


def test_a_refusal_ends_it_with_its_causes() -> None:
    kernel = ScriptedKernel(refusals={"a": [errno.EBUSY]})
    with pytest.raises(UnloadRefused) as caught:
        carry_out((Remove("a"), Remove("b")), kernel)
    assert [cause.id for cause in caught.value.causes] == ["permanent"]
    assert kernel.calls == ["unload a 0"]


def test_what_may_fail_may_fail() -> None:
    kernel = ScriptedKernel(refusals={"a": [errno.EAGAIN]})
    steps = (
        Remove("a", required=False),
        Refused("u", Obstacle.IN_USE, required=False),
        RunRemove("c", "exit 4", "test.conf:1", required=False),
        Remove("b"),
    )
    report = carry_out(steps, kernel)
    assert report.removed == ["b"]
    assert [type(error) for error in report.tolerated] == [UnloadRefused, InUse, CommandFailed]
    first = report.tolerated[0]
    assert isinstance(first, UnloadRefused)
    assert [cause.id for cause in first.causes] == ["in-use"]


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_waiting_until_it_is_free(clock: _Clock) -> None:
    kernel = ScriptedKernel(refusals={"a": [errno.EAGAIN] * 12})
    report = carry_out((Remove("a"),), kernel, wait=60)
    assert report.removed == ["a"]
    assert len(kernel.calls) == 13
    assert clock.pauses[:3] == [0.001, 0.002, 0.004]
    assert max(clock.pauses) == 0.5


def test_waiting_has_an_end(clock: _Clock) -> None:
    kernel = ScriptedKernel(refusals={"a": [errno.EAGAIN] * 1000})
    with pytest.raises(UnloadRefused):
        carry_out((Remove("a"),), kernel, wait=3)
    assert clock.now == pytest.approx(103)


def test_without_waiting_it_is_tried_once(clock: _Clock) -> None:
    kernel = ScriptedKernel(refusals={"a": [errno.EAGAIN] * 2})
    with pytest.raises(UnloadRefused):
        carry_out((Remove("a"),), kernel)
    assert (len(kernel.calls), clock.pauses) == (1, [])


@pytest.mark.parametrize("code", [errno.EBUSY, errno.ENOENT, errno.EPERM])
def test_only_use_is_waited_for(clock: _Clock, code: int) -> None:
    kernel = ScriptedKernel(refusals={"a": [code] * 5})
    with pytest.raises(UnloadRefused):
        carry_out((Remove("a"),), kernel, wait=60)
    assert (len(kernel.calls), clock.pauses) == (1, [])


# --- remove commands --------------------------------------------------------------------------------------------------


def test_remove_commands(tmp_path: Path) -> None:
    command = f'echo "$MODPROBE_MODULE" > {tmp_path}/out'
    report = carry_out((RunRemove("a", command, "test.conf:3"),), ScriptedKernel())
    assert (report.removed, (tmp_path / "out").read_text()) == (["a"], "a\n")
    with pytest.raises(CommandFailed, match="the remove command of a ended with status 1: false") as caught:
        carry_out((RunRemove("a", "false", "test.conf:3"),), ScriptedKernel())
    assert (caught.value.where, caught.value.hint) == ("test.conf:3", None)


# --- refusals of the plan ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "kind", "words"),
    [
        (Refused("a", Obstacle.BUILT_IN), BuiltIn, "a is built into the kernel and can't be removed"),
        (Refused("a", Obstacle.NOT_LOADED), NotLoaded, "a is not loaded"),
        (Refused("a", Obstacle.IN_USE, ("b", "c"), 2), InUse, "a is in use: used by b, c"),
        (
            Refused("a", Obstacle.IN_USE, ("b",), 2),
            InUse,
            "a is in use: used by b and held by 1 other use, such as a mount, a device or an open file",
        ),
        (
            Refused("a", Obstacle.IN_USE, (), 3),
            InUse,
            "a is in use: held by 3 other uses, such as a mount, a device or an open file",
        ),
        (Refused("a", Obstacle.IN_USE), InUse, "a is in use: its reference count is not zero"),
    ],
)
def test_obstacles_in_words(step: Refused, kind: type[LkmError], words: str) -> None:
    with pytest.raises(kind) as caught:
        carry_out((step,), ScriptedKernel())
    assert str(caught.value) == words


def test_what_to_do_about_use() -> None:
    with pytest.raises(InUse) as caught:
        carry_out((Refused("a", Obstacle.IN_USE, ("b",), 1),), ScriptedKernel())
    assert caught.value.hint == "remove them with it: lkm unload --holders a"
    with pytest.raises(InUse) as caught:
        carry_out((Refused("a", Obstacle.IN_USE, (), 1),), ScriptedKernel())
    assert caught.value.hint == "end what uses it, then try again"
