"""From what a user or the kernel calls a module to the modules that are meant."""

from typing import TYPE_CHECKING, NamedTuple

from lkm.formats.module_name import canonical, from_path, is_sane, normalise_alias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lkm.formats.modprobe_conf import Install, Remove
    from lkm.system.configuration import Configuration
    from lkm.system.module_file import ModuleFile
    from lkm.system.module_tree import ModuleTree

__all__ = ["Candidate", "Resolver"]


class Candidate(NamedTuple):  # dataclasses are dear at start-up
    """One module that a name leads to.

    :param name: the module's name, canonical
    :param alias: the alias that led here; options of modprobe.d are looked up under it too
    :param builtin: part of the kernel image
    :param by_command: the name of an install or remove command, where it was found only as that

    Two candidates are equal if name and alias are: kmod keeps a module apart from itself under an alias.
    """

    name: str
    alias: str | None = None
    builtin: bool = False
    by_command: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Candidate) and self[:2] == other[:2]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:2])


class Resolver:
    """Look names up in a module tree and a configuration, in kmod's order.

    Configuration aliases, modules.dep, symbols (``symbol:X``), names of install and remove commands, modules.alias,
    built-ins, aliases of built-ins; the first place that answers ends the search
    (kmod 30, libkmod/libkmod-module.c ``kmod_module_new_from_lookup``).

    :param on_bad_softdep: is told of soft dependencies that can be no name, because of their brackets
    """

    __slots__ = ("_last", "configuration", "on_bad_softdep", "tree")

    def __init__(
        self,
        tree: "ModuleTree",
        configuration: "Configuration",
        on_bad_softdep: "Callable[[str], None]" = lambda _: None,
    ) -> None:
        self.tree = tree
        self.configuration = configuration
        self.on_bad_softdep = on_bad_softdep
        self._last: tuple[str, ModuleFile | None] = ("", None)

    def lookup(self, name: str) -> tuple[Candidate, ...]:
        """Give all modules that a name leads to, in the order in which modprobe handles them.

        :param name: a module's name or an alias; ``-`` and ``_`` are equal outside brackets
        :returns: empty where nothing answers to the name, or it can't be one
        """
        if not is_sane(name):
            return ()
        alias = normalise_alias(name)
        if alias is None:
            return ()
        for search in (
            self._configured_aliases,
            self._module_names,
            self._symbols,
            self._command_names,
            self._aliases,
            self._builtins,
            self._builtin_aliases,
        ):
            found = search(alias)
            if found:
                return found
        return ()

    def soft_dependencies(self, names: "Iterable[str]") -> "list[Candidate]":
        """Give the modules that the names of a softdep line lead to; a name that leads nowhere has none."""
        found: list[Candidate] = []
        for name in names:
            if normalise_alias(name) is None:
                self.on_bad_softdep(name)
            found += self.lookup(name)
        return found

    def _configured_aliases(self, alias: str) -> tuple[Candidate, ...]:
        if not self.configuration.aliases:
            return ()
        return tuple(self.candidate(found.module, found.alias) for found in self.configuration.matching_aliases(alias))

    def _module_names(self, alias: str) -> tuple[Candidate, ...]:
        return (self.candidate(alias),) if ":" not in alias and self._module(alias) else ()

    def _symbols(self, alias: str) -> tuple[Candidate, ...]:
        if not alias.startswith("symbol:"):
            return ()
        return tuple(self.candidate(name, alias) for name in self.tree.by_symbol(alias.removeprefix("symbol:")))

    def _command_names(self, alias: str) -> tuple[Candidate, ...]:
        if not self._installs_named(alias) and not self._removes_named(alias):
            return ()
        name = canonical(alias.split(".", 1)[0])
        return (Candidate(name, builtin=self.tree.is_builtin(name), by_command=alias),)

    def _installs_named(self, name: str) -> "Sequence[Install]":
        """Give the install commands with exactly this name."""
        return self.configuration.installs_named(name)

    def _removes_named(self, name: str) -> "Sequence[Remove]":
        """Give the remove commands with exactly this name; those that install hide them."""
        found = self.configuration.removes_named(name)
        return () if found and self._installs_named(name) else found

    def _aliases(self, alias: str) -> tuple[Candidate, ...]:
        return tuple(self.candidate(name, alias) for name in self.tree.by_alias(alias))

    def _builtins(self, alias: str) -> tuple[Candidate, ...]:
        return (Candidate(alias, builtin=True),) if self.tree.is_builtin(alias) else ()

    def _builtin_aliases(self, alias: str) -> tuple[Candidate, ...]:
        return tuple(Candidate(canonical(name), alias, builtin=True) for name in self.tree.by_builtin_alias(alias))

    def candidate(self, name: str, alias: str | None = None) -> Candidate:
        """Make the candidate for a module's name, which need not exist."""
        plain = canonical(name)
        return Candidate(plain, alias, builtin=self.tree.is_builtin(plain))

    def module_file(self, candidate: Candidate) -> "ModuleFile | None":
        """Give a candidate's file; None for built-ins and for names without a module."""
        return self._module(candidate.name)

    def _module(self, name: str) -> "ModuleFile | None":
        """Find a module; who has looked a name up asks for its file next."""
        if self._last[0] != name:
            self._last = (name, self.tree.module(name))
        return self._last[1]

    def install_command(self, candidate: Candidate) -> "Install | None":
        """Give the command that takes the place of loading.

        Of several the first whose pattern matches; but a candidate that was found as the name of a command has that
        one (kmod 30, libkmod/libkmod.c ``kmod_lookup_alias_from_commands``).
        """
        found = self._installs_named(candidate.by_command) if candidate.by_command is not None else ()
        if found:
            return found[0]
        return self.configuration.install_command(candidate.name)

    def remove_command(self, candidate: Candidate) -> "Remove | None":
        """Give the command that takes the place of removing; see :meth:`install_command`."""
        found = self._removes_named(candidate.by_command) if candidate.by_command is not None else ()
        if found:
            return found[0]
        return self.configuration.remove_command(candidate.name)

    def dependencies(self, candidate: Candidate) -> tuple[Candidate, ...]:
        """Give the candidates that must be loaded before this one, first to load first."""
        return tuple(self.candidate(from_path(module.path)) for module in self.tree.dependencies(candidate.name))
