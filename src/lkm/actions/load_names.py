"""From names and files that a user gives to plans of loading them."""

import os
from collections.abc import Sequence
from dataclasses import replace

from lkm.actions.load_file import once, steps_before
from lkm.actions.session import Session
from lkm.errors import Blocked, ModuleNotFound, UsageError
from lkm.formats.module_name import EXTENSIONS, is_sane
from lkm.rules.planning.load import BlacklistScope, LoadOptions, LoadPlan, Softdeps, plan_load
from lkm.rules.planning.steps import Insert, RunInstall
from lkm.rules.resolving import Candidate
from lkm.rules.suggestions import similar
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

__all__ = ["does_nothing", "file_for", "forbidden", "looks_like_path", "not_found", "plans_for"]

_LONGEST_SHOWN = 64
_MORE_COMMANDS = (";", "&", "|", "`", "$(")
_DO_NOTHING = {"/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false", "true", "false", ":", "exit"}


def looks_like_path(name: str) -> bool:
    """Tell whether a user means a file: a path, or a name that ends as module files do."""
    return "/" in name or name.endswith(EXTENSIONS)


def plans_for(
    session: Session, names: Sequence[str], *, parameters: str, ignore_commands: bool, blacklist_names: bool
) -> tuple[LoadPlan, ...]:
    """Plan to load each of the names, with lkm's improved rules for soft dependencies.

    :param names: module names, aliases, or paths of module files
    :raises ModuleNotFound: nothing answers to a name
    """
    options = LoadOptions(
        parameters=parameters,
        ignore_commands=ignore_commands,
        blacklist=BlacklistScope.NAMES if blacklist_names else BlacklistScope.ALIASES,
        softdeps=Softdeps.IMPROVED,
        is_loaded=lambda name: session.kernel.state(name) == "live",
    )
    return tuple(plan for name in names for plan in _plans(session, name, options))


def _plans(session: Session, name: str, options: LoadOptions) -> list[LoadPlan]:
    if looks_like_path(name):
        return [_plan_file(session, file_for(name), options)]
    session.tree.require_indexes()
    found = session.resolver.lookup(name)
    if not found:
        raise not_found(session, name)
    plans = [plan_load(session.resolver, candidate, options) for candidate in found]
    return [replace(plan, steps=once(plan.steps)) for plan in plans]


def file_for(path: str) -> ModuleFile:
    """Give the module file of a path of the host.

    :raises UsageError: no file can have such a path
    """
    if not is_sane(path):
        raise UsageError("the path is empty, too long, or holds a NUL character", where=repr(path[:_LONGEST_SHOWN]))
    return ModuleFile(Root(), os.path.abspath(path))  # noqa: PTH100


def _plan_file(session: Session, module: ModuleFile, options: LoadOptions) -> LoadPlan:
    """Plan to load a file: first what its .modinfo says it depends on, then the file itself."""
    image = module.image
    with module.located():
        target = Candidate(image.name)
    before = steps_before(session.resolver, module, options)
    return LoadPlan(target, (*before, Insert(target.name, module, options.parameters)))


def not_found(session: Session, name: str) -> ModuleNotFound:
    """Make the error for a name that nothing answers to, with names that are alike."""
    is_odd = not name or len(name) > _LONGEST_SHOWN or not name.isprintable()
    shown = f"{name[:_LONGEST_SHOWN]}..." if len(name) > _LONGEST_SHOWN else name
    alike = similar(name, (module.name for module in session.tree.modules()))
    look = "that is no name of a module" if is_odd else f"look for it: lkm find '{shown}'"
    hint = f"did you mean {' or '.join(alike)}?" if alike else look
    return ModuleNotFound(
        f"no module, alias or built-in is called {shown!r} in {session.tree.display_directory}", hint=hint
    )


def does_nothing(command: str) -> bool:
    """Tell whether a command is there only to keep a module out: one program of those that do nothing, and no more."""
    words = command.split()
    return bool(words) and words[0] in _DO_NOTHING and not any(mark in command for mark in _MORE_COMMANDS)


def forbidden(plan: LoadPlan) -> Blocked | None:
    """Give the error for a plan that modprobe.d forbids: by a blacklist line, or by an install line that does nothing.

    :param plan: one of :func:`plans_for`
    """
    line = plan.blocked_by
    if line is not None:
        asked = f" (asked for as {plan.target.alias})" if plan.target.alias else ""
        by_name = f"a blacklist line stops loading by alias, not by name: lkm load {plan.target.name}"
        return Blocked(
            f"{plan.target.name}{asked} is blacklisted",
            where=f"{line.file}:{line.line}",
            hint=_unblock(plan.target.name, line.file) or f"{by_name}; or take the line out",
        )
    for step in plan.steps:
        if isinstance(step, RunInstall) and step.required and does_nothing(step.command):
            own = "" if step.name == plan.target.name else f", which {plan.target.name} needs"
            way_out = _unblock(step.name, step.where.rpartition(":")[0]) or "take that line out"
            return Blocked(
                f"modprobe.d forbids {step.name}{own}: its install command is {step.command!r}",
                where=step.where,
                hint=f"{way_out}, or go round it: lkm load --ignore-install {step.name}",
            )
    return None


def _unblock(name: str, file: str) -> str:
    """Give the command that takes back a line which lkm wrote; empty where somebody else did."""
    from lkm.formats.own_files import is_own_name  # noqa: PLC0415  only for an error

    return f"lkm unblock {name}" if is_own_name(file) else ""
