"""What a module needs and what needs it, as a graph."""

from dataclasses import dataclass

from lkm.actions.load_names import not_found
from lkm.actions.session import Session
from lkm.errors import LkmError
from lkm.formats.module_name import canonical, from_path
from lkm.rules.resolving import Candidate

__all__ = ["Dependency", "Edge", "dependencies_of", "dependents_of"]


@dataclass(frozen=True, slots=True)
class Edge:
    """One module needs another.

    :param kind: ``hard`` (it uses its symbols), ``pre``, ``post`` or ``weak`` (it asks for it)
    """

    user: str
    needed: str
    kind: str = "hard"


@dataclass(frozen=True, slots=True)
class Dependency:
    """The graph around one module.

    :param edges: each once, in the order in which they are met from the module on
    """

    name: str
    edges: tuple[Edge, ...]

    def next_to(self, name: str, *, reverse: bool) -> tuple[Edge, ...]:
        """Give the edges that lead on from a module."""
        return tuple(edge for edge in self.edges if (edge.needed if reverse else edge.user) == name)


def dependencies_of(session: Session, name: str) -> tuple[Dependency, ...]:
    """Follow what each module behind a name needs, soft dependencies included.

    :raises ModuleNotFound: nothing answers to the name
    """
    return tuple(Dependency(found.name, _walk(session, found.name)) for found in _found(session, name))


def _found(session: Session, name: str) -> tuple[Candidate, ...]:
    session.tree.require_indexes()
    found = session.resolver.lookup(name)
    if not found:
        raise not_found(session, name)
    return found


def _walk(session: Session, start: str) -> tuple[Edge, ...]:
    edges: dict[Edge, None] = {}
    pending = [start]
    seen: set[str] = set()
    while pending:
        name = pending.pop(0)
        if name in seen:
            continue
        seen.add(name)
        for edge in (*_hard(session, name), *_soft(session, name)):
            edges.setdefault(edge)
            pending.append(edge.needed)
    return tuple(edges)


def _hard(session: Session, name: str) -> list[Edge]:
    """Give the direct dependencies.

    modules.dep lists indirect ones too; the module's own ``depends`` sorts them out where it can be read.
    """
    needed = [from_path(module.path) for module in session.tree.dependencies(name)]
    direct = _depends(session, name)
    return [Edge(name, other) for other in reversed(needed) if direct is None or other in direct]


def _depends(session: Session, name: str) -> frozenset[str] | None:
    module = session.tree.module(name)
    try:
        text = module.image.modinfo.first("depends") if module else None
    except LkmError:
        return None
    return None if text is None else frozenset(canonical(part) for part in text.split(","))


def _soft(session: Session, name: str) -> list[Edge]:
    configuration = session.configuration
    wanted = [
        (kind, other)
        for line in configuration.all_softdeps(name)
        for kind, names in (("pre", line.pre), ("post", line.post))
        for other in names
    ]
    weakdep = configuration.weakdep(name)
    wanted += [("weak", other) for other in (weakdep.dependencies if weakdep else ())]
    return [Edge(name, found.name, kind) for kind, other in wanted for found in session.resolver.lookup(other)]


def dependents_of(session: Session, name: str) -> tuple[Dependency, ...]:
    """Follow which modules need each module behind a name.

    :raises ModuleNotFound: nothing answers to the name
    """
    return tuple(Dependency(found.name, _walk_back(session, found.name)) for found in _found(session, name))


def _walk_back(session: Session, start: str) -> tuple[Edge, ...]:
    """Every module that modules.dep lists as a user, direct or not, is looked into for what it needs directly."""
    related = (start, *session.tree.dependents(start))
    inside = set(related)
    edges = [edge for user in related[1:] for edge in _hard(session, user) if edge.needed in inside]
    return tuple(dict.fromkeys(edges))
