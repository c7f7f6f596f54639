"""Loading a module again, so that it reads its parameters anew."""

from lkm.actions.load import carry_out
from lkm.actions.load_names import forbidden, plans_for
from lkm.actions.session import Session
from lkm.errors import InUse, LkmError

__all__ = ["reload_module", "require_unused"]


def require_unused(session: Session, name: str) -> None:
    """Make sure that nothing uses a module.

    :raises InUse: modules or open files do
    """
    found = next((module for module in session.kernel.loaded() if module.name == name), None)
    if found is None:
        return
    if found.used_by:
        raise InUse(
            f"{name} is used by {', '.join(found.used_by)}",
            hint=f"remove them first: lkm unload --holders {name}; then load what you need again",
        )
    if found.refcount:
        raise InUse(
            f"{name} is in use: its reference count is {found.refcount}",
            hint="end what uses it (a mount, an open device, a network interface), or reboot",
        )
    if found.permanent:
        raise InUse(f"{name} can't be removed: it has no exit function", hint="reboot")


def reload_module(session: Session, name: str, parameters: str) -> None:
    """Remove a module and load it again.

    :param name: canonical
    :param parameters: for the kernel, after those of modprobe.d
    :raises InUse: something uses it: nothing was done
    :raises KernelRefused, Blocked, LkmError: it could not be removed, or not be loaded again
    """
    require_unused(session, name)
    plans = plans_for(session, [name], parameters=parameters, ignore_commands=False, blacklist_names=False)
    for plan in plans:
        error = forbidden(plan)
        if error is not None:
            raise error
    session.kernel.unload(name)
    try:
        for plan in plans_for(session, [name], parameters=parameters, ignore_commands=False, blacklist_names=False):
            carry_out(plan, session.kernel)
    except LkmError as error:
        error.hint = f"the module is not loaded now; take the change back (lkm undo), and load it: lkm load {name}"
        raise
