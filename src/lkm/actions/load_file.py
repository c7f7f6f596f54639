"""Planning to load a module file that need not be the tree's own."""

from collections.abc import Iterable
from dataclasses import replace

from lkm.errors import LkmError
from lkm.rules.planning.load import LoadOptions, LoadPlan, plan_load
from lkm.rules.planning.steps import LoadStep
from lkm.rules.resolving import Candidate, Resolver
from lkm.system.module_file import ModuleFile

__all__ = ["once", "plan_file", "steps_before"]


def plan_file(resolver: Resolver, module: ModuleFile, options: LoadOptions) -> LoadPlan:
    """Plan what modprobe would do with a path: the module of that name, but from this file.

    Options, commands and dependencies go by the name (kmod 31, tools/modprobe.c ``insmod``). A name that the indexes do
    not know has no dependencies for kmod; here the file's own list counts then.
    """
    plan = plan_load(resolver, Candidate(module.name), replace(options, file=module))
    if not plan.steps or resolver.tree.module(module.name):
        return plan
    try:
        before = steps_before(resolver, module, options)
    except LkmError:
        return plan  # the kernel's answer will say more than a guess here
    return replace(plan, steps=once((*before, *plan.steps)))


def steps_before(resolver: Resolver, module: ModuleFile, options: LoadOptions) -> tuple[LoadStep, ...]:
    """Plan to load what a file's .modinfo says that it depends on.

    :raises Unreadable: the file can't be read, or is no module
    """
    image = module.image
    with module.located():
        needed = (image.modinfo.first("depends") or "").split(",")
    of_others = LoadOptions(softdeps=options.softdeps, is_loaded=options.is_loaded)
    found = (candidate for name in needed if name for candidate in resolver.lookup(name))
    return once(step for candidate in found for step in plan_load(resolver, candidate, of_others).steps)


def once(steps: Iterable[LoadStep]) -> tuple[LoadStep, ...]:
    """Leave of several steps for one module the first, required if one of them is: kmod lists them all."""
    found: dict[str, LoadStep] = {}
    for step in steps:
        first = found.setdefault(step.name, step)
        if step.required and not first.required:
            found[step.name] = replace(first, required=True)
    return tuple(found.values())
