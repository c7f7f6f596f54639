"""What still leads to a module that is to be kept out: the proof that a block holds, by planning."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from lkm.actions.load_names import does_nothing
from lkm.actions.session import Session
from lkm.actions.wanted import Want, for_devices
from lkm.errors import LkmError, TreeMissing
from lkm.formats.modprobe_conf import Softdep
from lkm.formats.module_name import canonical
from lkm.rules.planning.load import LoadOptions, LoadPlan, Softdeps, plan_load
from lkm.rules.planning.steps import Insert, RunInstall
from lkm.rules.resolving import Candidate, Resolver
from lkm.system.initcalls import init_functions
from lkm.system.module_tree import releases

__all__ = ["Route", "initcall_remedy", "routes_to", "sessions_of_all_kernels"]

_RULES = {"modprobe of kmod": Softdeps.AS_KMOD, "lkm load": Softdeps.IMPROVED}


class Route(NamedTuple):
    """A way by which a module is loaded all the same.

    :param release: the kernel on which it is
    :param kind: ``name``, ``alias``, ``dependency``, ``softdep``, ``device`` or ``builtin``
    :param asked: what is asked for
    :param text: in words
    """

    release: str
    kind: str
    asked: str
    text: str


def sessions_of_all_kernels(session: Session) -> tuple[Session, ...]:
    """Open the root once for each kernel that has a module tree with indexes."""
    found = []
    for release in releases(session.root):
        target = session.target._replace(release=release, kernel="emulated")
        try:
            other = Session(target, command_line=_command_line(session, Session(target)))
            other.tree.require_indexes()
        except LkmError:
            continue
        found.append(other)
    return tuple(found)


def _command_line(session: Session, other: Session) -> str:
    """Give the command line of the session's kernel; on a root that does not run what its boot loader has."""
    if not session.kernel_is_of_root:
        return other.boot_command_line
    try:
        return session.command_line
    except TreeMissing:
        return ""  # an emulated kernel of one release of several, which was not named


def routes_to(
    sessions: Sequence[Session], names: Iterable[str], advance: Callable[[int], None] = lambda _: None
) -> dict[str, tuple[Route, ...]]:
    """Find every way that is left to modules, on all kernels.

    Asked for are the name, an alias of it, every module that depends on it or names it in a softdep line, and every
    device that is there. It takes about a millisecond a module and kernel.

    :param sessions: from :func:`sessions_of_all_kernels`
    :param names: canonical
    :param advance: is called with 1 for each module that is done
    :returns: the ways by name; empty where none is left
    """
    kernels = [_Kernel.of(session) for session in sessions]
    found: dict[str, tuple[Route, ...]] = {}
    for name in names:
        found[name] = tuple(dict.fromkeys(route for kernel in kernels for route in _routes(kernel, name)))
        advance(1)
    return found


class _Kernel(NamedTuple):
    """A kernel's session, and who asks for what there.

    :param softdeps: the lines that ask for a module, by its name
    :param devices: the devices that are there, by the name of a module that claims them
    """

    session: Session
    softdeps: dict[str, list[Softdep]]
    devices: dict[str, list[Want]]

    @classmethod
    def of(cls, session: Session) -> "_Kernel":
        softdeps: dict[str, list[Softdep]] = {}
        for line in session.configuration.softdeps:
            for wanted in dict.fromkeys((*line.pre, *line.post)):
                for found in session.resolver.lookup(wanted):
                    softdeps.setdefault(found.name, []).append(line)
        devices: dict[str, list[Want]] = {}
        for want in for_devices(session):
            devices.setdefault(want.module, []).append(want)
        return cls(session, softdeps, devices)


def _routes(kernel: _Kernel, name: str) -> Iterator[Route]:
    session = kernel.session
    resolver, release = session.resolver, session.tree.release
    if session.tree.module(name) is None:
        if session.tree.is_builtin(name):
            yield Route(release, "builtin", name, f"{name} is built into {release}; {initcall_remedy(session, name)}")
        return
    for kind, candidate, what in _askers(kernel, name):
        for tool, rules in _RULES.items():
            plan = plan_load(resolver, candidate, LoadOptions(softdeps=rules))
            if _loads(plan, name):
                yield Route(release, kind, candidate.name, f"{what} loads it ({tool}, on {release})")
                break
    for want in kernel.devices.get(name, ()):
        if _loads(_planned(resolver, want.alias or name), name):
            yield Route(release, "device", want.alias or name, f"{want.reason} it is loaded (on {release})")


def initcall_remedy(session: Session, name: str) -> str:
    """Say what keeps a built-in from starting."""
    functions = init_functions(session.root, session.tree.release, name)
    wanted = ",".join(functions) or "FUNCTION"
    known = "" if functions else ", FUNCTION being what its source gives to module_init()"
    return f"the kernel parameter initcall_blacklist={wanted} keeps it from starting{known}"


def _askers(kernel: _Kernel, name: str) -> Iterator[tuple[str, Candidate, str]]:
    """Give who could ask for a module: (kind, candidate, who in words)."""
    session, resolver = kernel.session, kernel.session.resolver
    for candidate in resolver.lookup(name):
        yield "name", candidate, f"its name{'' if candidate.name == name else f' (which leads to {candidate.name})'}"
    alias = _alias(session, name)
    if alias is not None:
        yield "alias", resolver.candidate(name, alias), f"an alias ({alias})"
    for user in session.tree.dependents(name):
        yield "dependency", resolver.candidate(user), f"{user}, which needs it,"
    for line in kernel.softdeps.get(name, ()):
        for found in resolver.lookup(line.module):
            yield "softdep", found, f"{found.name}, by its softdep line ({line.file}:{line.line}),"


def _alias(session: Session, name: str) -> str | None:
    """Give one alias of a module; all fare alike."""
    for line in session.configuration.aliases:
        if canonical(line.module) == name:
            return line.alias
    module = session.tree.module(name)
    try:
        return module.image.modinfo.first("alias") if module else None
    except LkmError:
        return None  # a damaged file is not loaded either


def _planned(resolver: Resolver, alias: str) -> LoadPlan:
    candidates = resolver.lookup(alias)
    plans = [plan_load(resolver, candidate, LoadOptions()) for candidate in candidates]
    steps = tuple(step for plan in plans for step in plan.steps)
    return LoadPlan(candidates[0], steps)


def _loads(plan: LoadPlan, name: str) -> bool:
    for step in plan.steps:
        if step.name != name:
            if isinstance(step, RunInstall) and step.required and does_nothing(step.command):
                return False  # the plan ends before it gets there
            continue
        if isinstance(step, Insert):
            return True
        if isinstance(step, RunInstall):
            return not does_nothing(step.command)
    return False
