"""Writing the indexes of a module tree, by which names, aliases and symbols are found."""

import contextlib
import gc
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lkm.actions.index_files import BINARY, TEXTS, index_files, index_texts
from lkm.actions.index_inputs import INPUTS, Identity, chosen_files, fingerprint, identify, read_input, states
from lkm.errors import LkmError, Loop
from lkm.formats.depmod_conf import DepmodConf
from lkm.formats.module_facts import ModuleFacts
from lkm.rules.indexing.order import listed_as, ordered
from lkm.rules.indexing.tree import IndexedModule, IndexedTree, KernelSymbols
from lkm.rules.indexing.unresolved import report
from lkm.system.facts_cache import FactsCache
from lkm.system.facts_gathering import gather
from lkm.system.file_set import replace_files
from lkm.system.module_walk import FoundFile
from lkm.system.notices import Level, Notice
from lkm.system.root import Root

if TYPE_CHECKING:
    from lkm.system.module_tree import ModuleTree

__all__ = ["IndexRequest", "IndexResult", "index", "require_sound", "write_indexes"]

Say = Callable[[Notice], None]

_FEW = 256  # one file of so many


def _ignore(_: Notice) -> None:
    """Say nothing."""


class IndexRequest(NamedTuple):
    """What to index, and how.

    :param directory: the tree, inside the root
    :param shown: the same as messages name it
    :param configuration: what of depmod.d applies to the kernel
    :param output: the host's directory to write to; by default the tree's own
    :param files: index these, instead of what is in the tree
    :param kernel: the kernel's own symbols
    :param reports_unknown: say which symbols nothing offers (``-e``)
    :param prefix: of symbols (``-P``)
    :param warns_of_duplicates: say which rows come twice (``-w``)
    :param weakdeps: make modules.weakdep too, as kmod 33 and later do
    :param texts_only: write nothing, only give the texts (``-n``)
    :param use_cache: use the facts of the last run, and keep those of this one
    :param cache_root: the root that keeps the facts; by default the tree's
    :param say: is told what is wrong
    :param show: is told who needs whom (``-v``)
    """

    root: Root
    directory: str
    shown: str
    configuration: DepmodConf = DepmodConf()
    output: str | None = None
    files: Sequence[FoundFile] | None = None
    kernel: KernelSymbols | None = None
    reports_unknown: bool = False
    prefix: bytes = b""
    warns_of_duplicates: bool = False
    weakdeps: bool = False
    texts_only: bool = False
    use_cache: bool = True
    cache_root: Root | None = None
    say: Say = _ignore
    show: Callable[[str], None] | None = None

    @property
    def target(self) -> str:
        """The host's directory to write to."""
        return self.output or self.root.host_path(self.directory)

    @property
    def names(self) -> tuple[str, ...]:
        """The files that are written."""
        return (*TEXTS, *BINARY, *(("modules.weakdep",) if self.weakdeps else ()))

    @property
    def asks_for_words(self) -> bool:
        """Something is to be told besides what is wrong."""
        return bool(self.texts_only or self.reports_unknown or self.warns_of_duplicates or self.show)


class IndexResult(NamedTuple):
    """What was done.

    :param modules: how many modules the tree has
    :param read: how many of them were read; the facts of the others were known
    :param files: what was written, or with ``texts_only`` would be: contents by name
    :param was_current: nothing had to be made anew
    :param tree: what was worked out; None where nothing had to be
    """

    modules: int
    read: int
    files: Mapping[str, bytes]
    was_current: bool = False
    tree: IndexedTree | None = None


def write_indexes(tree: "ModuleTree", *, say: Say = _ignore) -> IndexResult:
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
        request = self.request
        if self._is_current():
            return IndexResult(len(self.found), 0, {}, was_current=True)
        facts, read = self._facts()
        tree = self._tree(facts)
        if not tree.is_sound:
            return IndexResult(len(self.found), read, {}, tree=tree)
        if request.texts_only:
            return IndexResult(len(self.found), read, index_texts(tree, self.say, weakdeps=request.weakdeps), tree=tree)
        files = index_files(
            tree,
            self._input("modules.builtin"),
            self._input("modules.builtin.modinfo"),
            self.say,
            weakdeps=request.weakdeps,
            warns_of_duplicates=request.warns_of_duplicates,
            meanwhile=lambda: self._keep(facts, read),
        )
        replace_files(request.target, files)
        self._keep_stamp()
        return IndexResult(len(self.found), read, files, tree=tree)

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
        request = self.request
        settings = f"1 {request.configuration!r} {request.prefix!r} {request.target} {request.shown}"
        order = [one.path for one in self.found]
        return fingerprint(
            [
                settings.encode("utf-8", "surrogateescape"),
                "\0".join(order).encode("utf-8", "surrogateescape"),
                b"\0".join([one.key for one in self.identities]),
                states(request.root.host_path(request.directory), INPUTS),
                states(request.target, request.names),
            ]
        )

    def _keep_stamp(self) -> None:
        if self.cache:
            is_settled = all(one.is_settled for one in self.identities)
            self.cache.store_stamp(self._stamp() if is_settled and not self.has_said else b"")

    def _facts(self) -> tuple[list[ModuleFacts], int]:
        """Give the facts of all files, and tell how many had to be read."""
        known = self.cache.facts() if self.cache else {}
        found = [known.get(one.key) for one in self.identities]
        missing = [number for number, facts in enumerate(found) if facts is None]
        read = gather([(self.found[number].host, self.identities[number].size) for number in missing])
        for number, facts in zip(missing, read, strict=True):
            found[number] = facts
        return [facts for facts in found if facts is not None], len(missing)

    def _keep(self, facts: list[ModuleFacts], read: int) -> None:
        """Keep the facts where that says something new; not of files that may change unseen, or could not be read.

        Of few files among many nothing is kept: to read them again is cheaper than to write all facts anew.
        """
        if not self.cache or 0 < read * _FEW < len(self.found):
            return
        kept = [
            number
            for number, identity in enumerate(self.identities)
            if identity.is_settled and not facts[number].damage
        ]
        keys = [self.identities[number].key for number in kept]
        if read or len(b"\0".join(keys)) != len(self.cache.keys):
            self.cache.store_facts(keys, [facts[number] for number in kept])

    # --- the tree -----------------------------------------------------------------------------------------------------

    def _tree(self, facts: list[ModuleFacts]) -> IndexedTree:
        request = self.request
        modules = self._in_order(facts)
        tree = IndexedTree(modules, request.kernel.crcs if request.kernel else (), request.prefix)
        for module in modules:
            if module.facts.damage:
                reason = os.strerror(module.facts.damage)
                self.say(Notice(Level.ERROR, f"failed to load symbols from {module.path}: {reason}"))
        if request.kernel and request.reports_unknown:
            hosts = {os.fsencode(one.name): one.host for one in self.found}
            report(tree, request.kernel, lambda number: _crcs(hosts[modules[number].name]), self.say)
        if request.show:
            for user, symbol, owner in tree.uses():
                request.show(f'{user} needs "{symbol}": {owner}\n')
        return tree

    def _in_order(self, facts: list[ModuleFacts]) -> list[IndexedModule]:
        prefix = f"{self.request.shown}/"
        start = len(prefix)
        modules: dict[bytes, IndexedModule] = {}
        lines: dict[bytes, bytes | None] = {}
        for one, known in zip(self.found, facts, strict=True):
            path = one.path
            name = os.fsencode(one.name)
            is_inside = path.startswith(prefix)
            row = os.fsencode(path[start:] if is_inside else path)
            modules[name] = IndexedModule(name, row, path, known)
            lines[name] = listed_as(row, name) if is_inside else None
        names, cut = ordered(lines, self._input("modules.order"))
        if cut is not None:
            where = f"{self.request.shown}/modules.order:{cut}"
            self.say(Notice(Level.ERROR, f"{where} corrupted line misses '\\n'"))
        return [modules[name] for name in names]


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
