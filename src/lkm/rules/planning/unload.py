"""Planning a removal: holders, dependents, remove commands, what is left over."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lkm.errors import Loop
from lkm.formats.proc_modules import LoadedModule
from lkm.rules.planning.steps import Obstacle, Refused, Remove, RunRemove, UnloadStep
from lkm.rules.resolving import Candidate, Resolver

__all__ = ["UnloadOptions", "plan_unload"]

_DEEPEST = 200  # soft dependencies of soft dependencies; real ones nest two or three deep


@dataclass(frozen=True, slots=True, kw_only=True)
class UnloadOptions:
    """How to plan a removal.

    :param remove_holders: remove the modules that use this one first (``--remove-holders``)
    :param ignore_commands: neither remove commands nor soft dependencies (``-i``)
    :param ignore_loaded: plan as if everything were loaded and unused (``-r -D``)
    :param first_time: a module that is not loaded is an obstacle, not nothing to do
    :param wait: reference counts may still fall: they are no obstacle
    :param deep: holders of holders go too, all that is left over, and what any softdep line names, where kmod 30 stops
        after one level of holders, leaves modules behind that only other left-over modules used, and heeds one line
    :param simulate: each step takes effect on what the later ones see; off for kmod's dry run, which does not
    """

    remove_holders: bool = False
    ignore_commands: bool = False
    ignore_loaded: bool = False
    first_time: bool = False
    wait: bool = False
    deep: bool = False
    simulate: bool = True


def plan_unload(
    resolver: Resolver, target: Candidate, loaded: Mapping[str, LoadedModule], options: UnloadOptions
) -> tuple[UnloadStep, ...]:
    """Plan what ``modprobe -r`` would do to remove one module.

    Facts: kmod 30, tools/modprobe.c ``rmmod_do_module``.

    :param loaded: the kernel's modules by name
    :raises Loop: soft dependencies nest too deep
    """
    walk = _Walk(resolver, options, {name: _State.of(module) for name, module in loaded.items()})
    walk.remove(target, _How(required=True, remove_holders=options.remove_holders, ignore_builtin=False))
    return tuple(walk.steps)


@dataclass(slots=True)
class _State:
    references: int
    users: list[str]

    @classmethod
    def of(cls, module: LoadedModule) -> "_State":
        return cls(module.refcount or 0, list(module.used_by))


@dataclass(frozen=True, slots=True)
class _How:
    """How one module of a plan goes; ``ignore_builtin``: that one is built in is no obstacle."""

    required: bool
    remove_holders: bool = False
    ignore_builtin: bool = True


@dataclass(slots=True)
class _Walk:
    resolver: Resolver
    options: UnloadOptions
    loaded: dict[str, _State]
    steps: list[UnloadStep] = field(default_factory=list)
    active: set[tuple[str, bool]] = field(default_factory=set)

    def remove(self, candidate: Candidate, how: "_How") -> bool:
        """Plan the removal of one module with what belongs to it.

        :returns: whether it succeeds, as far as can be foreseen
        :raises Loop: soft dependencies nest too deep
        """
        # kmod comes back to a module whose holders it removes, where one of these has it as a soft dependency. Its dry
        # run shows that; a real one would remove the module twice, and fail.
        visit = (candidate.name, how.remove_holders and not self.options.simulate)
        if visit in self.active:
            return True  # soft dependencies that lead back: kmod goes round until it has no memory left
        if len(self.active) >= _DEEPEST:
            raise Loop(f"soft dependencies nest deeper than {_DEEPEST}", hint="mend the softdep lines of modprobe.d")
        self.active.add(visit)
        try:
            return self._remove(candidate, how)
        finally:
            self.active.discard(visit)

    def _remove(self, candidate: Candidate, how: "_How") -> bool:
        ignore = self.options.ignore_commands
        before, after = self._softdeps(candidate.name)
        command = None if ignore else self.resolver.remove_command(candidate)
        checked = not command and not self.options.ignore_loaded
        if checked:
            answer = self._nothing_to_do(candidate, how)
            if answer is not None:
                return answer
        self._each(after)
        if how.remove_holders and not self._holders(candidate.name, required=how.required):
            return False
        if checked and not self.options.wait and self.loaded[candidate.name].references > 0:
            return self._refuse(candidate.name, Obstacle.IN_USE, required=how.required)
        if command:
            where = f"{command.file}:{command.line}"
            self.steps.append(RunRemove(candidate.name, command.command, where, how.required))
        else:
            self._take_out(Remove(candidate.name, how.required))
            self._leftovers(candidate)
        self._each(before)
        return True

    def _softdeps(self, name: str) -> tuple[list[Candidate], list[Candidate]]:
        """Give the soft dependencies before and after a module."""
        if self.options.ignore_commands:
            return [], []
        lines = self.resolver.configuration.all_softdeps(name)
        if not self.options.deep:
            lines = lines[:1]
        return (
            self.resolver.soft_dependencies(name for line in lines for name in line.pre),
            self.resolver.soft_dependencies(name for line in lines for name in line.post),
        )

    def _nothing_to_do(self, candidate: Candidate, how: "_How") -> bool | None:
        """Give the outcome for what is not loaded; None where there is something to remove."""
        if candidate.builtin:
            return how.ignore_builtin or self._refuse(candidate.name, Obstacle.BUILT_IN, required=how.required)
        if candidate.name not in self.loaded:
            if not self.options.first_time:
                return True
            return self._refuse(candidate.name, Obstacle.NOT_LOADED, required=how.required)
        return None

    def _refuse(self, name: str, obstacle: Obstacle, *, required: bool) -> bool:
        state = self.loaded.get(name)
        users = tuple(state.users) if state else ()
        self.steps.append(Refused(name, obstacle, users, state.references if state else 0, required))
        return False

    def _each(self, found: list[Candidate]) -> None:
        for candidate in reversed(found):
            self.remove(candidate, _How(required=False))

    def _holders(self, name: str, *, required: bool) -> bool:
        holders = list(self.loaded[name].users) if name in self.loaded else []
        how = _How(required=required, remove_holders=self.options.deep)
        return all(
            self.remove(self.resolver.candidate(holder), how)
            for holder in reversed(holders)
            if holder in self.loaded  # and did not go with a holder before it
        )

    def _take_out(self, step: Remove) -> None:
        self.steps.append(step)
        if not self.options.simulate:
            return
        self.loaded.pop(step.name, None)
        for state in self.loaded.values():
            if step.name in state.users:
                state.users.remove(step.name)
                state.references -= 1

    def _leftovers(self, candidate: Candidate) -> None:
        dependencies = self.resolver.dependencies(candidate)
        for dependency in reversed(dependencies) if self.options.deep else dependencies:
            state = self.loaded.get(dependency.name)
            if self.options.simulate and (dependency.name, False) in self.active:
                continue  # its own turn comes when its holders are gone
            if state and not dependency.builtin and state.references == 0:
                self._take_out(Remove(dependency.name, required=False, leftover=True))
