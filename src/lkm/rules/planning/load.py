"""Planning a load: dependencies, soft dependencies, install commands, options, block list."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, Flag, auto

from lkm.formats.modprobe_conf import Blacklist
from lkm.rules.planning.steps import Absent, Insert, LoadStep, Present, RunInstall
from lkm.rules.resolving import Candidate, Resolver
from lkm.system.module_file import ModuleFile

__all__ = ["BlacklistScope", "LoadOptions", "LoadPlan", "Softdeps", "plan_load"]


class BlacklistScope(Enum):
    """Which of the modules that a user asks for the blacklist applies to (modprobe.d(5), modprobe(8) ``-b``)."""

    ALIASES = "modules that were asked for by an alias"
    NAMES = "modules that were asked for, by an alias or by name"


class Softdeps(Flag):
    """Where this plan is kinder than kmod 30; the front-ends take neither."""

    MERGE_LINES = auto()  # all softdep lines for a module count, not the first only
    KEEP_INSTALL = auto()  # a module's own softdep does not disable its install command
    AS_KMOD = 0
    IMPROVED = MERGE_LINES | KEEP_INSTALL


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """How to plan a load.

    :param parameters: for the module itself, after those of modprobe.d
    :param ignore_commands: neither install commands nor soft dependencies of the module itself (``-i``)
    :param blacklist: which modules the blacklist applies to
    :param softdeps: kmod's rules for soft dependencies, or better ones
    :param is_loaded: tells whether a module is live; by default none is
    :param file: insert the module that was asked for from this file, not from the tree's
    """

    parameters: str = ""
    ignore_commands: bool = False
    blacklist: BlacklistScope = BlacklistScope.ALIASES
    softdeps: Softdeps = Softdeps.AS_KMOD
    is_loaded: Callable[[str], bool] | None = None
    file: ModuleFile | None = None


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What loading one module means.

    :param target: the module that was asked for
    :param steps: in order; empty where it is blocked
    :param blocked_by: the blacklist directive that forbids it
    """

    target: Candidate
    steps: tuple[LoadStep, ...]
    blocked_by: Blacklist | None = None


class _Task(Enum):
    VISIT = auto()  # a module with its dependencies, unless it was visited
    SURROUND = auto()  # a module with its soft dependencies
    ADD = auto()  # the module itself


@dataclass(slots=True)
class _Walk:
    """kmod's probe list under construction (libkmod-module.c ``__kmod_module_get_probe_list``).

    Two candidates are the same only if both name and alias are: kmod keeps a module apart from itself under an alias.
    Soft dependencies nest as deep as files say, so the walk keeps its own stack.
    """

    resolver: Resolver
    softdeps: Softdeps
    order: list[Candidate] = field(default_factory=list)
    visited: set[Candidate] = field(default_factory=set)
    required: set[Candidate] = field(default_factory=set)
    ignoring: dict[Candidate, bool] = field(default_factory=dict)

    def probe(self, top: Candidate, *, ignore_commands: bool) -> None:
        """Walk from the module that was asked for."""
        self.required.update((top, *self.resolver.dependencies(top)))
        pending = [(_Task.VISIT, top)]
        while pending:
            task, candidate = pending.pop()
            if task is _Task.VISIT:
                following = self._visit(candidate, alone=ignore_commands and candidate == top)
            elif task is _Task.SURROUND:
                following = self._surround(candidate)
            else:
                self.order.append(candidate)
                continue
            pending.extend(reversed(following))

    def _visit(self, candidate: Candidate, *, alone: bool) -> list[tuple[_Task, Candidate]]:
        if candidate in self.visited:
            return []
        self.visited.add(candidate)
        following = [(_Task.SURROUND, dependency) for dependency in self.resolver.dependencies(candidate)]
        if alone:
            self.ignoring[candidate] = True
        return [*following, (_Task.ADD if alone else _Task.SURROUND, candidate)]

    def _surround(self, candidate: Candidate) -> list[tuple[_Task, Candidate]]:
        before, after = self._softdeps(candidate)
        self.ignoring[candidate] = bool(before or after) and not self._keeps_install
        return [
            *((_Task.VISIT, other) for other in before),
            (_Task.ADD, candidate),
            *((_Task.VISIT, other) for other in after),
        ]

    @property
    def _keeps_install(self) -> bool:
        return Softdeps.KEEP_INSTALL in self.softdeps

    def _softdeps(self, candidate: Candidate) -> tuple[list[Candidate], list[Candidate]]:
        configuration = self.resolver.configuration
        if Softdeps.MERGE_LINES in self.softdeps:
            lines = configuration.all_softdeps(candidate.name)
        else:
            first = configuration.softdep(candidate.name)
            lines = (first,) if first else ()
        return (
            self.resolver.soft_dependencies(name for line in lines for name in line.pre),
            self.resolver.soft_dependencies(name for line in lines for name in line.post),
        )


def plan_load(resolver: Resolver, target: Candidate, options: LoadOptions) -> LoadPlan:
    """Plan what modprobe would do to load one module.

    Facts: kmod 30, libkmod/libkmod-module.c ``kmod_module_probe_insert_module``.

    :param target: an answer of :meth:`Resolver.lookup`
    """
    if _is_loaded(target, options):
        return LoadPlan(target, (Present(target.name, builtin=target.builtin),))
    blocked = resolver.configuration.blacklisted(target.name)
    if blocked and (target.alias is not None or options.blacklist is BlacklistScope.NAMES):
        return LoadPlan(target, (), blocked)
    walk = _Walk(resolver, options.softdeps)
    walk.probe(target, ignore_commands=options.ignore_commands)
    return LoadPlan(target, tuple(_step(walk, candidate, target, options) for candidate in walk.order))


def _is_loaded(candidate: Candidate, options: LoadOptions) -> bool:
    return options.is_loaded is not None and (candidate.builtin or options.is_loaded(candidate.name))


def _step(walk: _Walk, candidate: Candidate, target: Candidate, options: LoadOptions) -> LoadStep:
    resolver = walk.resolver
    name = candidate.name
    required = candidate in walk.required
    if _is_loaded(candidate, options):
        return Present(name, builtin=candidate.builtin, required=required)
    parameters = _parameters(resolver, candidate, options.parameters if candidate == target else "")
    command = resolver.install_command(candidate)
    if command and not walk.ignoring.get(candidate):
        return RunInstall(name, command.command, parameters, f"{command.file}:{command.line}", required)
    module = options.file if candidate == target and options.file else resolver.module_file(candidate)
    if module:
        return Insert(name, module, parameters, required)
    if candidate.builtin:
        return Present(name, builtin=True, required=required)
    return Absent(name, candidate.alias, required)


def _parameters(resolver: Resolver, candidate: Candidate, extra: str) -> str:
    """Join as kmod does: a space follows modprobe.d's options, also where nothing follows the space."""
    configured = resolver.configuration.options_for(candidate.name, candidate.alias)
    return f"{configured} {extra}" if configured else extra
