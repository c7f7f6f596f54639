"""What asks for a module on this system."""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from lkm.actions.session import Session
from lkm.actions.wanted import Want, for_boot, for_devices, for_mounts, loaded_now
from lkm.formats.module_name import from_path

__all__ = ["Pull", "pulls_of"]


class Pull(NamedTuple):
    """Something that asks for a module.

    :param kind: ``device``, ``boot``, ``mount``, ``dependency`` or ``softdep``
    :param text: what it is, in words
    :param module: the module through which it comes, where it is another one: that depends on this one
    :param alias: what is asked for by name; None for dependencies
    """

    kind: str
    text: str
    module: str | None = None
    alias: str | None = None


def pulls_of(session: Session, name: str) -> tuple[Pull, ...]:
    """List what asks for a module: devices, the boot, mounts, and other modules that need it.

    What asks for another module that needs this one asks for this one, too.

    :param name: canonical
    """
    users = _users(session, name)
    asked = [_pull(kind, want, name) for kind, want in _wants(session) if want.module == name or want.module in users]
    return tuple(dict.fromkeys((*asked, *_dependents(session, name), *_softdeps(session, name))))


def _wants(session: Session) -> Iterator[tuple[str, Want]]:
    sources = (
        ("device", for_devices(session)),
        ("boot", for_boot(session, lambda _: None)),
        ("mount", for_mounts(session)),
    )
    return chain.from_iterable(((kind, want) for want in wants) for kind, wants in sources)


def _pull(kind: str, want: Want, name: str) -> Pull:
    return Pull(kind, want.reason, None if want.module == name else want.module, want.alias)


def _users(session: Session, name: str) -> frozenset[str]:
    """Name the modules that need this one, directly or not."""
    return frozenset(session.tree.dependents(name))


def _dependents(session: Session, name: str) -> Iterator[Pull]:
    """Give the modules that use what this one exports, those that are loaded first."""
    loaded = {want.module for want in loaded_now(session)}
    direct = [user for user in session.tree.dependents(name) if _needs_directly(session, user, name)]
    for user in sorted(direct, key=lambda user: user not in loaded):
        state = ", which is loaded" if user in loaded else ""
        yield Pull("dependency", f"{user} uses its symbols{state}", user)


def _needs_directly(session: Session, user: str, name: str) -> bool:
    """Tell whether no other module that the user needs needs this one; modules.dep does not say more."""
    needed = [from_path(module.path) for module in session.tree.dependencies(user)]
    users = _users(session, name)
    return not any(other in users for other in needed)


def _softdeps(session: Session, name: str) -> Iterator[Pull]:
    for line in session.configuration.softdeps:
        for kind, names in (("before", line.pre), ("after", line.post)):
            for wanted in names:
                if any(candidate.name == name for candidate in session.resolver.lookup(wanted)):
                    text = f"{line.module} has it loaded {kind} itself, by a softdep line ({line.file}:{line.line})"
                    yield Pull("softdep", text, line.module)
