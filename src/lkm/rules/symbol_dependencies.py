"""Which modules need which: from the symbols that each exports and imports, as depmod works it out."""

from collections.abc import Iterable, Mapping, Sequence

from lkm.errors import Loop

__all__ = ["load_order", "symbol_owners", "users_to_needed"]


def symbol_owners(exports: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """Map each exported symbol to its module; of several the last one counts (kmod 30, ``depmod_symbol_add``).

    :param exports: (module, its exported symbols) in the order of the tree
    """
    return {symbol: module for module, symbols in exports for symbol in symbols}


def users_to_needed(imports: Mapping[str, Iterable[str]], owners: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Map each module to the modules that it needs directly, each once, in the order of its imports."""
    return {
        user: tuple(dict.fromkeys(owners[symbol] for symbol in symbols if symbol in owners))
        for user, symbols in imports.items()
    }


def load_order(module: str, needed: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Give all that a module needs, directly or not, in the order in which to load it, without the module.

    :raises Loop: the modules need each other; the error names the whole cycle
    """
    order: list[str] = []
    path: list[str] = [module]
    pending = [iter(needed.get(module, ()))]
    while pending:
        following = next(pending[-1], None)
        if following is None:
            pending.pop()
            order.append(path.pop())
        elif following in path:
            cycle = [*path[path.index(following) :], following]
            raise Loop(f"modules need each other: {' -> '.join(cycle)}", hint="build them anew, without the cycle")
        elif following not in order:
            path.append(following)
            pending.append(iter(needed.get(following, ())))
    return tuple(order[:-1])
