"""What is worked out of a tree's facts before rows are written: who offers what, who needs whom."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lkm.formats.module_facts import ModuleSymbols
from lkm.rules.indexing.cycles import Cycle, find_cycles, links
from lkm.rules.indexing.dependencies import (
    KERNEL,
    Owners,
    closures,
    load_ranks,
    needed,
    owners_of,
    with_spellings,
)

__all__ = ["CyclicNeed", "IndexedModule", "IndexedTree", "KernelSymbols"]


class IndexedModule(NamedTuple):
    """One module that goes into the indexes.

    :param row: its path as rows name it: below the tree, else absolute
    :param path: as messages name it
    """

    name: bytes
    row: bytes
    path: str
    symbols: ModuleSymbols


class CyclicNeed(NamedTuple):
    """One link of a cycle.

    :param symbols: what the user needs of the other
    """

    user: str
    needed: str
    symbols: tuple[str, ...]


class KernelSymbols(NamedTuple):
    """What the kernel itself offers.

    :param crcs: symbol to version, 0 where it is not known
    :param checks_versions: versions are to be compared (``-E``)
    """

    crcs: Mapping[bytes, int]
    checks_versions: bool = False


class IndexedTree:
    """All modules in order, and what follows from their facts.

    :param modules: in the order of the tree
    :param kernel: the kernel's own symbols
    :param prefix: of symbols (``-P``)
    :ivar names: of the modules
    :ivar rows: their paths as rows name them
    """

    __slots__ = ("_ranks", "direct", "modules", "names", "owners", "rows", "spelled")

    def __init__(self, modules: Sequence[IndexedModule], kernel: Iterable[bytes] = (), prefix: bytes = b"") -> None:
        self.modules = modules
        self.names = [module.name for module in modules]
        self.rows = [module.row for module in modules]
        needs = [module.symbols.needs for module in modules]
        self.owners: Owners = owners_of(kernel, [module.symbols.exports for module in modules], prefix)
        self.spelled: Owners = with_spellings(self.owners, needs, prefix)
        self.direct = needed(self.spelled, needs)
        self._ranks = load_ranks(self.direct)

    @property
    def is_sound(self) -> bool:
        """No modules need each other."""
        return len(self._ranks.order) == len(self.modules)

    def dependencies(self) -> list[list[int]]:
        """List for each module all that it needs; only of a sound tree."""
        return closures(self.direct, self._ranks.order)

    def cycles(self) -> list[tuple[str, list[CyclicNeed]]]:
        """List the cycles: as kmod writes them, and link by link."""
        found = find_cycles(self.direct, self._ranks.left_users)
        return [(" -> ".join(map(self._name, cycle)), list(self._links(cycle))) for cycle in found]

    def cyclic_count(self) -> int:
        """Count the modules that are in cycles."""
        found = find_cycles(self.direct, self._ranks.left_users)
        return len({module for cycle in found for module in cycle})

    def uses(self) -> Iterator[tuple[str, str, str]]:
        """Yield (path, symbol, path of its module) for each first use of a module by another (``-v``)."""
        for module in self.modules:
            seen: set[int] = set()
            for symbol in module.symbols.needs:
                owner = self.spelled.get(symbol, KERNEL)
                if owner != KERNEL and owner not in seen:
                    seen.add(owner)
                    yield module.path, _text(symbol), self.modules[owner].path

    def _name(self, module: int) -> str:
        return _text(self.modules[module].name)

    def _links(self, cycle: Cycle) -> Iterator[CyclicNeed]:
        for user, wanted in links(cycle):
            symbols = [symbol for symbol in self.modules[user].symbols.needs if self.spelled.get(symbol) == wanted]
            yield CyclicNeed(self._name(user), self._name(wanted), tuple(map(_text, symbols)))


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
