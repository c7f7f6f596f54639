"""What the modules of a tree export, read when it is asked for: unpacking a thousand modules takes seconds."""

import json
from collections.abc import Collection, ItemsView, Iterator, Mapping, Sequence, ValuesView
from functools import partial
from itertools import chain

from lkm.errors import LkmError
from lkm.formats.export_columns import from_columns, grouped, to_columns
from lkm.formats.ksymtab import Export
from lkm.formats.module_name import canonical
from lkm.system.apart import Apart, processors
from lkm.system.module_tree import ModuleTree

__all__ = ["ModuleExports", "exporters", "read_exports"]

_MANY = 64  # modules: fewer are read before another process has started


class ModuleExports(Mapping[str, tuple[Export, ...]]):
    """Exports by module, as a mapping that reads a module when it is looked up, and all at once when all are wanted.

    A module that can't be read exports nothing.

    :param names: the modules that export symbols, as the tree's index says
    """

    __slots__ = ("_names", "_read", "_tree")

    def __init__(self, tree: ModuleTree, names: Sequence[str]) -> None:
        self._tree = tree
        self._names = dict.fromkeys(names)
        self._read: dict[str, tuple[Export, ...]] = {}

    def __getitem__(self, name: str) -> tuple[Export, ...]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = _exports_of(self._tree, [name]).get(name, ())
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def exporters_of(self, symbols: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Name the modules that export each of some symbols; where the tree has an index of them, no module is read."""
        if self._tree.index("modules.symbols") is None:
            return exporters(self, symbols)
        found = {symbol: self._indexed(symbol) for symbol in symbols}
        return {symbol: names for symbol, names in found.items() if names}

    def _indexed(self, symbol: str) -> tuple[str, ...]:
        return tuple(name for name in map(canonical, self._tree.by_symbol(symbol)) if name in self._names)

    def items(self) -> ItemsView[str, tuple[Export, ...]]:
        """Read all that was not read yet, and give names and exports."""
        self._read_all()
        return super().items()

    def values(self) -> ValuesView[tuple[Export, ...]]:
        """Read all that was not read yet, and give the exports."""
        self._read_all()
        return super().values()

    def _read_all(self) -> None:
        wanted = [name for name in self._names if name not in self._read]
        self._read |= {**dict.fromkeys(wanted, ()), **read_exports(self._tree, wanted)}


def exporters(exports: Mapping[str, tuple[Export, ...]], symbols: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Name the modules that export each of some symbols, in one pass over all.

    :param exports: by module
    """
    wanted = frozenset(symbols)
    found: dict[str, tuple[str, ...]] = {}
    for module, offered in exports.items():
        for symbol in wanted.intersection(export.name for export in offered):
            found[symbol] = (*found.get(symbol, ()), module)
    return found


def read_exports(tree: ModuleTree, names: Sequence[str]) -> dict[str, tuple[Export, ...]]:
    """Read modules, on all processors where there are many.

    :returns: exports by module; those that can't be read, or export nothing, are missing
    """
    shares = processors() if len(names) >= _MANY else 1
    others = [Apart(partial(_encoded, tree, names[share::shares])) for share in range(1, shares)]
    found = _exports_of(tree, names[::shares])
    for other in others:
        found |= _decoded(other.result())
    return {name: found[name] for name in names if name in found}


def _exports_of(tree: ModuleTree, names: Sequence[str]) -> dict[str, tuple[Export, ...]]:
    found: dict[str, tuple[Export, ...]] = {}
    for name in names:
        try:
            module = tree.module(name)
            exports = module.image.exports if module is not None else ()
        except LkmError:
            continue
        if exports:
            found[name] = exports
    return found


def _encoded(tree: ModuleTree, names: Sequence[str]) -> bytes:
    found = _exports_of(tree, names)
    columns = to_columns(chain.from_iterable(found.values()))
    return json.dumps([{name: len(exports) for name, exports in found.items()}, columns]).encode()


def _decoded(data: bytes) -> Mapping[str, tuple[Export, ...]]:
    counts, columns = json.loads(data)
    return grouped(from_columns(columns), counts)
