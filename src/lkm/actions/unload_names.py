"""From names that a user gives to plans of removing them."""

from lkm.actions.load_names import not_found
from lkm.actions.session import Session
from lkm.formats.module_name import canonical, is_sane
from lkm.rules.planning.steps import UnloadStep
from lkm.rules.planning.unload import UnloadOptions, plan_unload
from lkm.rules.resolving import Candidate

__all__ = ["steps_for"]


def steps_for(
    session: Session, name: str, *, holders: bool, ignore_commands: bool, wait: bool
) -> tuple[UnloadStep, ...]:
    """Plan to remove what a name stands for, all that is left over included.

    A loaded module is known by its name even where the tree does not know it, as after a kernel upgrade.

    :param name: a module's name or an alias
    :param wait: being in use is no obstacle yet
    :raises ModuleNotFound: nothing answers to the name
    """
    loaded = {module.name: module for module in session.kernel.loaded()}
    options = UnloadOptions(
        remove_holders=holders, ignore_commands=ignore_commands, first_time=True, wait=wait, deep=True
    )
    found = session.resolver.lookup(name)
    if not found and is_sane(name) and canonical(name) in loaded:
        found = (Candidate(canonical(name)),)
    if not found:
        raise not_found(session, name)
    return tuple(step for candidate in found for step in plan_unload(session.resolver, candidate, loaded, options))
