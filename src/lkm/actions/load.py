"""Loading: plan, carry out step by step, say what happened."""

import errno
from collections.abc import Callable
from dataclasses import dataclass, field

from lkm.actions.refusals import causes_of_refusal
from lkm.actions.shell import run_command
from lkm.errors import BuiltIn, KernelRefused, LkmError, LoadRefused, ModuleNotFound
from lkm.kernels.base import Kernel, LoadFlags
from lkm.rules.planning.load import LoadPlan
from lkm.rules.planning.steps import Absent, Insert, LoadStep, Present, RunInstall

__all__ = ["LoadReport", "carry_out"]


@dataclass(slots=True)
class LoadReport:
    """What carrying a plan out did.

    :param inserted: the modules that the kernel took, in order
    :param present: the modules that were there already
    :param tolerated: what failed and did not matter, because only a soft dependency asked for it
    :param log: the kernel's lines
    """

    inserted: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    tolerated: list[LkmError] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


def carry_out(
    plan: LoadPlan,
    kernel: Kernel,
    *,
    flags: LoadFlags = LoadFlags.NONE,
    fail_if_loaded: bool = False,
    announce: Callable[[LoadStep], None] = lambda _: None,
    on_failure: Callable[[LoadStep, LkmError], None] = lambda _step, _error: None,
) -> LoadReport:
    """Do the steps of a plan.

    What only a soft dependency asked for may fail; so may a module that somebody else loaded meanwhile
    (kmod 30, libkmod/libkmod-module.c ``kmod_module_probe_insert_module``).

    :param fail_if_loaded: a target that is loaded already is an error (``--first-time``)
    :param announce: called before each step
    :param on_failure: called for each step that fails, whether that ends the plan or not
    :raises LoadRefused: the kernel refused a module that is needed; its ``causes`` are filled
    :raises BuiltIn: ``fail_if_loaded`` was asked for a module that is part of the kernel
    :raises CommandFailed: an install command failed that is needed
    :raises ModuleNotFound: a needed step has neither file nor command
    """
    report = LoadReport()
    for step in plan.steps:
        is_target = step.name == plan.target.name
        try:
            done = _do(step, kernel, flags, report, announce)
            if fail_if_loaded and is_target and isinstance(done, Present):
                raise _present(done)
        except LoadRefused as error:
            if error.errno == errno.EEXIST and not (is_target and fail_if_loaded):
                report.present.append(step.name)
                continue
            error.causes = causes_of_refusal(error, step.name, kernel)
            on_failure(step, error)
            _tolerate_or_raise(error, step, report)
        except LkmError as error:
            on_failure(step, error)
            _tolerate_or_raise(error, step, report)
    return report


def _present(step: Present) -> LkmError:
    if step.builtin:
        return BuiltIn(f"{step.name} is built into the kernel")
    return LoadRefused(step.name, errno.EEXIST)


def _tolerate_or_raise(error: LkmError, step: LoadStep, report: LoadReport) -> None:
    if step.required:
        raise error
    report.tolerated.append(error)
    if isinstance(error, KernelRefused):
        report.log.extend(error.log)


def _do(
    step: LoadStep,
    kernel: Kernel,
    flags: LoadFlags,
    report: LoadReport,
    announce: Callable[[LoadStep], None],
) -> LoadStep:
    """Do one step; give what it came to."""
    if not isinstance(step, Present) and kernel.state(step.name) == "live":
        step = Present(step.name, required=step.required)  # an install command, or somebody else, was faster
    if not isinstance(step, Present):
        announce(step)
    match step:
        case Present():
            report.present.append(step.name)
        case RunInstall():
            run_command("install", step.name, step.shell, where=step.where)
            report.inserted.append(step.name)
        case Absent():
            promised = f"the alias {step.alias!r} leads to {step.name}, and " if step.alias else ""
            raise ModuleNotFound(f"{promised}there is no module {step.name}")
        case Insert():
            report.log.extend(kernel.load(step.module, step.parameters, flags))
            report.inserted.append(step.name)
    return step
