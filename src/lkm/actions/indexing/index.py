"""Writing the indexes of a module tree, by which names, aliases and symbols are found."""

import contextlib
import gc
import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from lkm.actions.indexing.facts import TreeFacts
from lkm.actions.indexing.files import (
    builtin_files,
    in_order,
    link_files,
    link_texts,
    packed,
    say_duplicates,
    unpacked,
    word_files,
    word_texts,
)
from lkm.actions.indexing.inputs import INPUTS, Identity, chosen_files, identify, read_input, states
from lkm.actions.indexing.request import IndexRequest, IndexResult, Say, ignore
from lkm.errors import LkmError, Loop
from lkm.formats.module_facts import ModuleTexts
from lkm.rules.indexing.order import listed_as, ordered
from lkm.rules.indexing.tree import IndexedModule, IndexedTree
from lkm.rules.indexing.unresolved import report
from lkm.system.apart import Apart
from lkm.system.facts_cache import FactsCache
from lkm.system.file_set import replace_files
from lkm.system.module_walk import FoundFile
from lkm.system.notices import Level, Notice
from lkm.system.root import Root

if TYPE_CHECKING:
    from lkm.system.module_tree import ModuleTree

__all__ = ["IndexRequest", "IndexResult", "index", "require_sound", "write_indexes"]

_FEWEST = 400  # modules from which on a second process pays


def write_indexes(tree: "ModuleTree", *, say: Say = ignore) -> IndexResult:
    """Write all indexes of a tree, with no configuration and no cache.

    :raises Loop: modules need each other
    :raises TreeMissing: there is no tree
    :raises OSError: they can't be written
    """
    request = IndexRequest(tree.root, tree.directory, tree.display_directory, use_cache=False, say=say)
    result = index(request)
    require_sound(result)
    return result


def require_sound(result: IndexResult) -> None:
    """Make sure that no modules need each other.

    :raises Loop: they do; it names the cycles, whole, and the symbols that make them
    """
    if result.tree is None or result.tree.is_sound:
        return
    cycles = result.tree.cycles()
    needs = [f"{one.user} needs {', '.join(one.symbols)} of {one.needed}" for _, links in cycles for one in links]
    raise Loop(
        f"modules need each other: {'; '.join(shown for shown, _ in cycles)} ({'; '.join(needs)})",
        hint="build them anew, without the cycle",
    )


def index(request: IndexRequest) -> IndexResult:
    """Make the indexes and write them, all or none; where modules need each other, none.

    :raises TreeMissing: the tree can't be read
    :raises OSError: the indexes can't be written
    """
    with _without_collector():
        return _Run(request).result()


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Spare the search for cycles among half a million objects, which have none."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class _Module(NamedTuple):
    """A module that goes into the indexes.

    :param number: of its file among those that were found
    :param row: as in :class:`IndexedModule`
    """

    number: int
    name: bytes
    row: bytes


class _Run:
    """One run: what has been found out so far."""

    def __init__(self, request: IndexRequest) -> None:
        self.request = request
        self.has_said = False
        caches = request.use_cache and request.files is None
        self.cache = FactsCache(request.cache_root or request.root, request.directory) if caches else None
        self.found = self._find()
        self.identities: list[Identity] = identify(self.found)

    def say(self, notice: Notice) -> None:
        """Hand a notice on, and remember that there was one."""
        self.has_said = True
        self.request.say(notice)

    def result(self) -> IndexResult:
        """Do the work."""
        if self._is_current():
            return IndexResult(len(self.found), 0, {}, was_current=True)
        request = self.request
        facts = TreeFacts(self.found, self.identities, self.cache)
        modules = self._modules()
        if request.texts_only:
            return self._texts(facts, modules)
        other = Apart(partial(self._word_files, facts, modules), alone=len(modules) < _FEWEST)
        tree = self._tree(facts, modules)
        if not tree.is_sound:
            other.drop()
            return IndexResult(len(modules), facts.read, {}, tree=tree)
        builtin, builtin_modinfo = self._input("modules.builtin"), self._input("modules.builtin.modinfo")
        files = link_files(tree)
        more, notices = unpacked(other.result())
        for notice in notices:
            self.say(notice)
        files |= more | builtin_files(builtin, builtin_modinfo, self.say)
        if request.warns_of_duplicates:
            say_duplicates(tree, self._words(facts, modules), self.say)
        files = in_order(files)
        replace_files(request.target, files)
        self._keep_stamp()
        return IndexResult(len(modules), facts.read, files, tree=tree)

    def _texts(self, facts: TreeFacts, modules: list[_Module]) -> IndexResult:
        """Make the text files only (``-n``)."""
        tree = self._tree(facts, modules)
        files: dict[str, bytes] = {}
        if tree.is_sound:
            words = self._words(facts, modules)
            files = in_order(link_texts(tree) | word_texts(tree.names, words, self.say, weakdeps=self.request.weakdeps))
        return IndexResult(len(modules), facts.read, files, tree=tree)

    def _word_files(self, facts: TreeFacts, modules: list[_Module]) -> bytes:
        """Make the files of what modules say, and keep the facts."""
        facts.keep()
        notices: list[Notice] = []
        names, words = [module.name for module in modules], self._words(facts, modules)
        return packed(word_files(names, words, notices.append, weakdeps=self.request.weakdeps), notices)

    @staticmethod
    def _words(facts: TreeFacts, modules: list[_Module]) -> list[ModuleTexts]:
        texts = facts.texts()
        return [texts[module.number] for module in modules]

    def _find(self) -> list[FoundFile]:
        request = self.request
        if request.files is not None:
            return list(request.files)
        return chosen_files(request.root, request.directory, request.shown, request.configuration, self.say)

    def _input(self, name: str) -> bytes | None:
        return read_input(self.request.root, self.request.directory, self.request.shown, name, self.say)

    # --- what is known from the last run ------------------------------------------------------------------------------

    def _is_current(self) -> bool:
        """Tell whether what is there was made from just this, and nothing is to be said about it."""
        if not self.cache or self.has_said or self.request.asks_for_words:
            return False
        stamp = self.cache.stamp()
        return bool(stamp) and stamp == self._stamp()

    def _stamp(self) -> bytes:
        """Tell all that the indexes are made from, and what they look like: in full, as a digest is dearer to load."""
        request = self.request
        settings = f"2 {request.configuration!r} {request.prefix!r} {request.target} {request.shown}"
        paths = [one.path if one.path != one.host else "" for one in self.found]
        return b"\n".join(
            [
                settings.encode("utf-8", "surrogateescape"),
                "\0".join(paths).encode("utf-8", "surrogateescape"),
                b"\0".join([one.key for one in self.identities]),
                states(request.root.host_path(request.directory), INPUTS),
                states(request.target, request.names),
            ]
        )

    def _keep_stamp(self) -> None:
        if self.cache:
            is_settled = all(one.is_settled for one in self.identities)
            self.cache.store_stamp(self._stamp() if is_settled and not self.has_said else b"")

    # --- the tree -----------------------------------------------------------------------------------------------------

    def _modules(self) -> list[_Module]:
        """Put the modules in order."""
        prefix = f"{self.request.shown}/"
        start = len(prefix)
        paths = [one.path for one in self.found]
        names = _encoded([one.name for one in self.found])
        rows = _encoded([path[start:] if path.startswith(prefix) else path for path in paths])
        lines: dict[bytes, bytes | None] = {
            name: listed_as(row, name) if path.startswith(prefix) else None
            for name, row, path in zip(names, rows, paths, strict=True)
        }
        numbers = dict(zip(names, range(len(names)), strict=True))
        sequence, cut = ordered(lines, self._input("modules.order"))
        if cut is not None:
            where = f"{self.request.shown}/modules.order:{cut}"
            self.say(Notice(Level.ERROR, f"{where} corrupted line misses '\\n'"))
        return [_Module(numbers[name], name, rows[numbers[name]]) for name in sequence]

    def _tree(self, facts: TreeFacts, modules: list[_Module]) -> IndexedTree:
        request, symbols = self.request, facts.symbols()
        indexed = [
            IndexedModule(one.name, one.row, self.found[one.number].path, symbols[one.number]) for one in modules
        ]
        tree = IndexedTree(indexed, request.kernel.crcs if request.kernel else (), request.prefix)
        for module in indexed:
            if module.symbols.damage:
                reason = os.strerror(module.symbols.damage)
                self.say(Notice(Level.ERROR, f"failed to load symbols from {module.path}: {reason}"))
        if request.kernel and request.reports_unknown:
            report(tree, request.kernel, lambda place: _crcs(self.found[modules[place].number].host), self.say)
        if request.show:
            for user, symbol, owner in tree.uses():
                request.show(f'{user} needs "{symbol}": {owner}\n')
        return tree


def _encoded(names: list[str]) -> list[bytes]:
    return os.fsencode("\0".join(names)).split(b"\0") if names else []


def _crcs(path: str) -> tuple[Mapping[bytes, int], Mapping[bytes, int]]:
    """Read the versions of a module's exports, and those that it was built against."""
    from lkm.system.module_file import ModuleFile  # noqa: PLC0415  only -E needs it

    image = ModuleFile(Root(), path)
    try:
        exports = {export.name: export.crc or 0 for export in image.image.exports}
        versions = image.image.versions
    except LkmError:
        return {}, {}
    return (
        {name.encode("utf-8", "surrogateescape"): crc for name, crc in exports.items()},
        {name.encode("utf-8", "surrogateescape"): crc for name, crc in versions.items()},
    )
