"""``modprobe -r NAME``: remove a module and what is left over, or show what that would mean.

Facts: kmod 30, tools/modprobe.c ``rmmod``, ``rmmod_do_module``.
"""

from collections.abc import Mapping, Sequence

from lkm.actions.unload import carry_out
from lkm.errors import CommandFailed, LkmError, ModuleSupportMissing
from lkm.formats.module_name import canonical
from lkm.formats.proc_modules import LoadedModule
from lkm.interfaces.compat.holders import in_sysfs_order
from lkm.interfaces.compat.modprobe_run import Run
from lkm.interfaces.compat.refusals import REMOVAL, errno_of, explain, text_of
from lkm.kernels.base import UnloadFlags
from lkm.rules.planning.steps import Obstacle, Refused, Remove, RunRemove, UnloadStep
from lkm.rules.planning.unload import UnloadOptions, plan_unload
from lkm.rules.resolving import Candidate

__all__ = ["remove_all"]

_OBSTACLES = {
    Obstacle.IN_USE: "is in use.",
    Obstacle.BUILT_IN: "is builtin.",
    Obstacle.NOT_LOADED: "is not in kernel.",
}


def remove_all(run: Run, names: Sequence[str]) -> bool:
    """Remove each of the names.

    :returns: whether all are gone
    """
    done = [_remove(run, name) for name in names]
    return all(done)


def _remove(run: Run, name: str) -> bool:
    loaded = _loaded(run)
    found, hints = run.lookup(name)
    if not found:
        known = (f"a module of this name is loaded, which the module tree does not know: rmmod {name}",)
        run.complain(f"Module {name} not found.", *(known if canonical(name) in loaded else hints))
        return False
    return all(_remove_candidate(run, candidate, loaded) for candidate in found)


def _loaded(run: Run) -> dict[str, LoadedModule]:
    try:
        modules = run.context.kernel.loaded()
    except ModuleSupportMissing:
        return {}  # as kmod: nothing is loaded
    return {module.name: module._replace(used_by=tuple(in_sysfs_order(module.used_by))) for module in modules}


def _remove_candidate(run: Run, candidate: Candidate, loaded: Mapping[str, LoadedModule]) -> bool:
    settings = run.settings
    options = UnloadOptions(
        remove_holders=settings.remove_holders,
        ignore_commands=settings.ignore_commands,
        ignore_loaded=settings.show_depends,
        first_time=settings.first_time,
        wait=settings.wait > 0,
        simulate=not run.is_dry,
    )
    steps = plan_unload(run.context.resolver, candidate, loaded, options)
    return all(_do(run, step) or not step.required for step in steps)


def _do(run: Run, step: UnloadStep) -> bool:
    """Do one step; that one fails which is not required ends nothing, but is said."""
    if isinstance(step, Refused):
        run.complain(f"Module {step.name} {_OBSTACLES[step.obstacle]}", *_why_in_use(step))
        return False
    if run.is_dry:
        _announce(run, step)
        return True
    flags = UnloadFlags.FORCE if run.settings.force else UnloadFlags.NONE
    try:
        report = carry_out(
            [step],
            run.context.kernel,
            flags=flags,
            wait=run.settings.wait,
            announce=lambda shown: _announce(run, shown),
        )
    except LkmError as error:
        _say_failure(run, step, error)
        return False
    for tolerated in report.tolerated:
        _say_failure(run, step, tolerated)
    return not report.tolerated


def _say_failure(run: Run, step: UnloadStep, error: LkmError) -> None:
    if isinstance(error, CommandFailed):
        run.complain(f"Error running remove command for {step.name}", str(error))
        return
    text = f"could not remove '{step.name}': {text_of(errno_of(error), {})}"
    if run.settings.wait:  # only then the tool says it itself, and the library does not
        run.messages.error(text)
    else:
        run.messages.library(REMOVAL, text)
    explain(run.messages, error)


def _why_in_use(step: Refused) -> tuple[str, ...]:
    if step.obstacle is not Obstacle.IN_USE:
        return ()
    if step.users:
        users = ", ".join(step.users)
        return (f"in use by {users}; --remove-holders removes what uses a module, too",)
    return (f"{step.references} open files, mounts or devices hold it, or it has no exit function",)


def _announce(run: Run, step: UnloadStep) -> None:
    match step:
        case Remove():
            run.show(f"rmmod {step.name}", at_once=True)
        case RunRemove():
            run.show(f"remove {step.shell}", at_once=True)
