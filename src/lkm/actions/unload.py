"""Removing: carry a plan out step by step, say what happened."""

import errno
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lkm.actions.shell import run_command
from lkm.errors import BuiltIn, InUse, LkmError, NotLoaded, UnloadRefused
from lkm.kernels.base import Kernel, UnloadFlags
from lkm.rules.causes import causes_of_unload
from lkm.rules.planning.steps import Obstacle, Refused, Remove, RunRemove, UnloadStep

__all__ = ["UnloadReport", "carry_out"]

_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.5


@dataclass(slots=True)
class UnloadReport:
    """What carrying a plan out did.

    :param removed: the modules that are gone, in order
    :param tolerated: what failed and did not matter
    :param log: the kernel's lines
    """

    removed: list[str] = field(default_factory=list)
    tolerated: list[LkmError] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


def carry_out(
    steps: Sequence[UnloadStep],
    kernel: Kernel,
    *,
    flags: UnloadFlags = UnloadFlags.NONE,
    wait: float = 0.0,
    announce: Callable[[UnloadStep], None] = lambda _: None,
) -> UnloadReport:
    """Do the steps of a plan.

    :param wait: how long to wait for a module that is in use, in seconds
    :param announce: called before each step
    :raises UnloadRefused: the kernel refused; its ``causes`` are filled
    :raises CommandFailed: a remove command failed
    :raises InUse, BuiltIn, NotLoaded: the plan says that it can't be done
    """
    report = UnloadReport()
    for step in steps:
        try:
            _do(step, kernel, flags, wait, report, announce)
        except LkmError as error:
            if isinstance(error, UnloadRefused):
                error.causes = causes_of_unload(error)
            if step.required:
                raise
            report.tolerated.append(error)
    return report


def _do(
    step: UnloadStep,
    kernel: Kernel,
    flags: UnloadFlags,
    wait: float,
    report: UnloadReport,
    announce: Callable[[UnloadStep], None],
) -> None:
    match step:
        case Refused():
            raise _refusal(step)
        case RunRemove():
            announce(step)
            run_command("remove", step.name, step.shell, where=step.where)
            report.removed.append(step.name)
        case Remove():
            announce(step)
            report.log.extend(_remove(step.name, kernel, flags, wait))
            report.removed.append(step.name)


def _remove(name: str, kernel: Kernel, flags: UnloadFlags, wait: float) -> tuple[str, ...]:
    """Try until the time is up; pauses double, so that a module that is freed at once is gone at once."""
    end = time.monotonic() + wait
    pause = _FIRST_PAUSE
    while True:
        try:
            return kernel.unload(name, flags)
        except UnloadRefused as error:
            remaining = end - time.monotonic()
            if error.errno != errno.EAGAIN or remaining <= 0:
                raise
            time.sleep(min(pause, remaining))
            pause = min(pause * 2, _LONGEST_PAUSE)


def _refusal(step: Refused) -> LkmError:
    name = step.name
    match step.obstacle:
        case Obstacle.BUILT_IN:
            return BuiltIn(f"{name} is built into the kernel and can't be removed")
        case Obstacle.NOT_LOADED:
            return NotLoaded(f"{name} is not loaded", hint="see what is: lkm list")
        case Obstacle.IN_USE:
            return _in_use(name, step.users, step.references)


def _in_use(name: str, users: tuple[str, ...], references: int) -> InUse:
    others = references - len(users)
    by = [f"used by {', '.join(users)}"] if users else []
    if others > 0:
        by.append(f"held by {others} other use{'s' if others > 1 else ''}, such as a mount, a device or an open file")
    hint = f"remove them with it: lkm unload --holders {name}" if users else "end what uses it, then try again"
    return InUse(f"{name} is in use: {' and '.join(by) or 'its reference count is not zero'}", hint=hint)
