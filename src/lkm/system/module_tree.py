"""The module tree of one kernel release: ``/lib/modules/RELEASE`` and its indexes."""

import mmap
import os
from collections.abc import Iterator
from functools import cached_property

from lkm.errors import IndexMissing, TreeMissing, Unreadable
from lkm.formats import modules_dep
from lkm.formats.index_trie import IndexTrie, Value
from lkm.formats.modinfo import Modinfo, parse_builtin
from lkm.formats.module_name import canonical, from_path
from lkm.system.located import located
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

__all__ = ["ModuleTree", "releases"]

_MANY = 64
_PARENTS = ("/lib/modules", "/usr/lib/modules")  # split and merged /usr


def releases(root: Root) -> tuple[str, ...]:
    """List the releases that have a module tree in this root, sorted."""
    found = {name for parent in _PARENTS for name in root.listdir(parent) if root.is_dir(f"{parent}/{name}")}
    return tuple(sorted(found))


def _default_release(root: Root) -> str:
    if root.is_host:
        return os.uname().release
    found = releases(root)
    if len(found) == 1:
        return found[0]
    if not found:
        raise TreeMissing(
            "there is no module tree", where=root.display("/lib/modules"), hint="is this the root of a system?"
        )
    raise TreeMissing(
        f"there are {len(found)} module trees: {', '.join(found)}",
        where=root.display("/lib/modules"),
        hint="choose one with --release",
    )


class ModuleTree:
    """The modules of one release, found by name, alias, symbol or path through depmod's indexes.

    Names with ``-`` and ``_`` are equal. Nothing is read before it is asked for.

    :param root: the root that holds the tree
    :param release: the kernel release; by default the running kernel's on the host, else the only one there is
    :raises TreeMissing: no release was given and none, or several, are there
    """

    def __init__(self, root: Root, release: str | None = None) -> None:
        self.root = root
        self.release = release or _default_release(root)
        if "/" in self.release or "\0" in self.release or self.release in {".", ".."}:
            raise TreeMissing(f"{self.release!r} is no kernel release", hint="name it as `uname -r` prints it")
        candidates = [f"{parent}/{self.release}" for parent in _PARENTS]
        self.directory = next((path for path in candidates if root.is_dir(path)), candidates[0])
        self._asked_for_builtins = 0
        self._indexes: dict[str, tuple[IndexTrie | None, located]] = {}

    def __repr__(self) -> str:
        return f"ModuleTree({self.display_directory!r})"

    @property
    def display_directory(self) -> str:
        """The directory to show to people, of the host."""
        return self.root.display(self.directory)

    # --- indexes ------------------------------------------------------------------------------------------------------

    def index(self, name: str) -> IndexTrie | None:
        """Give one of depmod's binary indexes, or None where it is missing.

        :param name: without ``.bin``: ``modules.dep``, ``modules.alias``, ``modules.symbols``, ``modules.builtin``,
            ``modules.builtin.alias``
        :raises Unreadable: it is there and can't be read
        :raises FormatError: it is no index
        """
        return self._located_index(name)[0]

    def _located_index(self, name: str) -> tuple[IndexTrie | None, located]:
        """Give an index, and what tells errors in it where they are."""
        if name not in self._indexes:
            path = f"{self.directory}/{name}.bin"
            self._indexes[name] = self._open_index(path), self._located(path)
        return self._indexes[name]

    def _open_index(self, path: str) -> IndexTrie | None:
        try:
            fd = self.root.open_fd(path)
        except Unreadable as error:
            if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
                return None
            raise
        try:
            size = os.fstat(fd).st_size
            data = mmap.mmap(fd, size, prot=mmap.PROT_READ) if size else b""
            with self._located(path):
                return IndexTrie(data)
        finally:
            os.close(fd)

    def _located(self, path: str) -> located:
        return located(self.root.display(path), hint=self._index_hint)

    def entries(self, name: str) -> Iterator[tuple[str, Value]]:
        """Iterate over all keys and values of an index, none where it is missing.

        :param name: as for :meth:`index`
        :raises FormatError: the index is damaged
        """
        index, place = self._located_index(name)
        if index is not None:
            with place:
                yield from index.items()

    @property
    def _index_hint(self) -> str:
        root = "" if self.root.is_host else f"--root {self.root.path} "
        return f"write the indexes: lkm {root}index --release {self.release}"

    def require_indexes(self) -> None:
        """Make sure that names can be looked up at all.

        :raises TreeMissing: there is no tree for this release
        :raises IndexMissing: the tree has no modules.dep
        """
        if not self.root.is_dir(self.directory):
            known = releases(self.root)
            hint = f"trees here: {', '.join(known)} (--release)" if known else "install the kernel's modules package"
            raise TreeMissing(
                f"there is no module tree for kernel {self.release}", where=self.display_directory, hint=hint
            )
        if self.index("modules.dep") is None and not self.root.exists(f"{self.directory}/modules.dep"):
            raise IndexMissing("modules.dep is missing", where=self.display_directory, hint=self._index_hint)

    @cached_property
    def _rows(self) -> dict[str, modules_dep.Row]:
        """All of modules.dep: the text, which keeps the order, else what the binary index says."""
        path = f"{self.directory}/modules.dep"
        if self.root.exists(path):
            with self._located(path):
                return modules_dep.parse(self.root.read_bytes(path))
        entries = sorted(self.entries("modules.dep"), key=lambda entry: entry[1].priority)
        with self._located(f"{path}.bin"):
            return {name: modules_dep.parse_row(value.text) for name, value in entries}

    def _row(self, name: str) -> modules_dep.Row | None:
        index, place = self._located_index("modules.dep")
        if index is None:
            return self._rows.get(name)
        with place:
            value = index.search(name)
            return modules_dep.parse_row(value) if value is not None else None

    def by_file(self, relative: str) -> ModuleFile:
        """Give the module file of a path as the indexes write it: relative to the tree, or absolute."""
        return ModuleFile(self.root, relative if relative.startswith("/") else f"{self.directory}/{relative}")

    # --- look-ups -----------------------------------------------------------------------------------------------------

    def module(self, name: str) -> ModuleFile | None:
        """Find a module by its name."""
        row = self._row(canonical(name))
        return self.by_file(row.path) if row else None

    def dependencies(self, name: str) -> tuple[ModuleFile, ...]:
        """Give all modules that must be loaded before this one, in the order to load them.

        modules.dep lists them transitively, the first to be loaded last (depmod, tools/depmod.c ``output_deps``).
        """
        row = self._row(canonical(name))
        return tuple(self.by_file(path) for path in reversed(row.dependencies)) if row else ()

    def by_alias(self, alias: str) -> tuple[str, ...]:
        """Name the modules that claim a device or another alias, in the order in which kmod finds them."""
        return self._matches("modules.alias", alias)

    def by_symbol(self, symbol: str) -> tuple[str, ...]:
        """Name the modules that export a symbol."""
        return self._matches("modules.symbols", f"symbol:{symbol}")

    def by_builtin_alias(self, alias: str) -> tuple[str, ...]:
        """Name the built-in modules that claim an alias."""
        return self._matches("modules.builtin.alias", alias)

    def by_path(self, path: str) -> ModuleFile | None:
        """Find a module of this tree by a path, relative to the tree or absolute; links are followed."""
        found = self.module(from_path(path))
        try:
            same = found and os.path.samestat(self.root.stat(found.path), self.root.stat(self.by_file(path).path))
        except Unreadable:
            return None
        return found if same else None

    def _matches(self, index_name: str, text: str) -> tuple[str, ...]:
        index, place = self._located_index(index_name)
        with place:
            return tuple(index.match(text)) if index else ()

    def is_builtin(self, name: str) -> bool:
        """Tell whether a module is part of the kernel image."""
        index, place = self._located_index("modules.builtin")
        if index is None:
            return canonical(name) in self.builtins
        if self._asked_for_builtins > _MANY:
            return canonical(name) in self._builtin_names
        self._asked_for_builtins += 1
        with place:
            return index.search(canonical(name)) is not None

    @cached_property
    def _builtin_names(self) -> frozenset[str]:
        """Read the index of built-ins whole: it is small, and who asks often is better served so."""
        return frozenset(name for name, _ in self.entries("modules.builtin"))

    @cached_property
    def builtins(self) -> dict[str, str]:
        """The built-in modules: name to the path that the kernel's build gives it, in the file's order."""
        path = f"{self.directory}/modules.builtin"
        if not self.root.exists(path):
            return {}
        lines = self.root.read_text(path).split("\n")
        return {from_path(line): line for line in lines if line}

    @cached_property
    def builtin_modinfo(self) -> dict[str, Modinfo]:
        """The .modinfo of the built-in modules; empty where the kernel's build left none."""
        path = f"{self.directory}/modules.builtin.modinfo"
        if not self.root.exists(path):
            return {}
        with self._located(path):
            return parse_builtin(self.root.read_bytes(path))

    def modules(self) -> Iterator[ModuleFile]:
        """Iterate over all modules that the indexes know, in the order of modules.dep."""
        for row in self._rows.values():
            yield self.by_file(row.path)

    def paths(self) -> dict[str, str]:
        """Give all modules that the indexes know, and their files as the indexes write them."""
        return {name: row.path for name, row in self._rows.items()}

    def all_dependencies(self) -> dict[str, tuple[str, ...]]:
        """Name for each module all that it needs, directly or not; the last one is to be loaded first."""
        return {name: tuple(map(from_path, row.dependencies)) for name, row in self._rows.items()}

    def exporters(self) -> frozenset[str]:
        """Name the modules that export symbols; none where no index tells."""
        path = f"{self.directory}/modules.symbols"
        if not self.root.exists(path):
            return frozenset(value.text for _, value in self.entries("modules.symbols"))
        lines = self.root.read_text(path).split("\n")
        return frozenset(line.rpartition(" ")[2] for line in lines if line.startswith("alias "))

    def dependents(self, name: str) -> tuple[str, ...]:
        """Name the modules that need this one, directly or not, in the order of modules.dep."""
        return self._dependents.get(canonical(name), ())

    @cached_property
    def _dependents(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name, row in self._rows.items():
            for path in row.dependencies:
                found.setdefault(from_path(path), []).append(name)
        return {name: tuple(users) for name, users in found.items()}
