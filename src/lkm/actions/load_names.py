"""From names and files that a user gives to plans of loading them."""

import os
from collections.abc import Sequence

from lkm.actions.session import Session
from lkm.errors import Blocked, ModuleNotFound, UsageError
from lkm.formats.module_name import EXTENSIONS, is_sane
from lkm.rules.planning.load import BlacklistScope, LoadOptions, LoadPlan, Softdeps, plan_load
from lkm.rules.planning.steps import Insert, LoadStep, RunInstall
from lkm.rules.resolving import Candidate
from lkm.rules.suggestions import similar
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

__all__ = ["file_for", "looks_like_path", "not_found", "plans_for"]

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
    :raises Blocked: an install line of modprobe.d that does nothing stands in place of a module
    """
    options = LoadOptions(
        parameters=parameters,
        ignore_commands=ignore_commands,
        blacklist=BlacklistScope.NAMES if blacklist_names else BlacklistScope.ALIASES,
        softdeps=Softdeps.IMPROVED,
        is_loaded=lambda name: session.kernel.state(name) == "live",
    )
    plans = [plan for name in names for plan in _plans(session, name, options)]
    for plan in plans:
        _raise_if_stopped(plan)
    return tuple(plans)


def _plans(session: Session, name: str, options: LoadOptions) -> list[LoadPlan]:
    if looks_like_path(name):
        return [_plan_file(session, file_for(name), options)]
    session.tree.require_indexes()
    found = session.resolver.lookup(name)
    if not found:
        raise not_found(session, name)
    return [plan_load(session.resolver, candidate, options) for candidate in found]


def file_for(path: str) -> ModuleFile:
    """Give the module file of a path of the host."""
    if not is_sane(path):
        raise UsageError("the path is empty, too long, or holds a NUL character")
    return ModuleFile(Root(), os.path.abspath(path))  # noqa: PTH100


def _plan_file(session: Session, module: ModuleFile, options: LoadOptions) -> LoadPlan:
    """Plan to load a file: first what its .modinfo says it depends on, then the file itself."""
    info = module.image.modinfo
    target = Candidate(module.image.name or module.name)
    needed = [name for name in (info.first("depends") or "").split(",") if name]
    steps: list[LoadStep] = []
    dependency_options = LoadOptions(softdeps=options.softdeps, is_loaded=options.is_loaded)
    for name in needed:
        for candidate in session.resolver.lookup(name):
            steps.extend(plan_load(session.resolver, candidate, dependency_options).steps)
    return LoadPlan(target, (*dict.fromkeys(steps), Insert(target.name, module, options.parameters)))


def not_found(session: Session, name: str) -> ModuleNotFound:
    """Make the error for a name that nothing answers to, with names that are alike."""
    shown = name if len(name) <= 64 else f"{name[:61]}..."
    alike = similar(name, (module.name for module in session.tree.modules()))
    hint = f"did you mean {' or '.join(alike)}?" if alike else f"look for it: lkm find '{shown}'"
    return ModuleNotFound(
        f"no module, alias or built-in is called {shown!r} in {session.tree.display_directory}", hint=hint
    )


def _raise_if_stopped(plan: LoadPlan) -> None:
    for step in plan.steps:
        if isinstance(step, RunInstall) and step.required and step.command.split(maxsplit=1)[0] in _DO_NOTHING:
            own = "" if step.name == plan.target.name else f", which {plan.target.name} needs"
            raise Blocked(
                f"modprobe.d forbids {step.name}{own}: its install command is {step.command!r}",
                where=step.where,
                hint=f"take that line out, or go round it: lkm load --ignore-install {step.name}",
            )
