"""Which modules need which, and in which order they are loaded.

Modules are numbers here: their places in the order of the tree. Facts: kmod 30, tools/depmod.c
``depmod_symbol_find``, ``depmod_load_module_dependencies``, ``depmod_calculate_dependencies``.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["KERNEL", "Owners", "Ranks", "closures", "load_ranks", "needed", "owners_of", "with_spellings"]

KERNEL = -1
"""Whom a symbol belongs to that the kernel itself offers."""

Owners = dict[bytes, int]


class Ranks(NamedTuple):
    """The result of sorting modules so that those that need others come before them.

    :param order: the modules in that order; some are missing where modules need each other
    :param left_users: for each module how many that need it were not sorted
    """

    order: list[int]
    left_users: list[int]


def owners_of(kernel: Iterable[bytes], exports: Sequence[Sequence[bytes]], prefix: bytes = b"") -> Owners:
    """Map each symbol to the module that offers it: of several the last.

    :param kernel: symbols of the kernel itself, where they are known
    :param exports: for each module its symbols
    :param prefix: a character that the symbols of an architecture begin with, which does not count
    """
    owners: Owners = dict.fromkeys(kernel, KERNEL)
    for number, symbols in enumerate(exports):
        owners.update(dict.fromkeys([_stripped(symbol, prefix) for symbol in symbols] if prefix else symbols, number))
    return owners


def _stripped(symbol: bytes, prefix: bytes) -> bytes:
    return symbol[1:] if prefix and symbol.startswith(prefix) else symbol


def with_spellings(owners: Owners, needs: Sequence[Sequence[bytes]], prefix: bytes = b"") -> Owners:
    """Add the spellings of symbols that modules use for them: ``.foo`` is ``foo`` on PowerPC."""
    begins = (b".", prefix) if prefix else b"."
    # A dot comes before letters, digits and underscores: the smallest name tells whether there can be any.
    if not prefix and not any(symbols and min(symbols) < b"/" for symbols in needs):
        return owners
    spellings = {symbol for symbols in needs for symbol in symbols if symbol.startswith(begins)}
    found = {symbol: owners.get(_stripped(symbol.removeprefix(b"."), prefix)) for symbol in spellings}
    rest = {symbol: owner for symbol, owner in owners.items() if symbol not in found}
    return rest | {symbol: owner for symbol, owner in found.items() if owner is not None}


def needed(owners: Owners, needs: Sequence[Sequence[bytes]]) -> list[list[int]]:
    """List for each module those that it needs directly, each once, in the order of its symbols."""
    found: list[list[int]] = []
    is_owned, owner = owners.__contains__, owners.__getitem__
    for symbols in needs:
        modules = dict.fromkeys(map(owner, filter(is_owned, symbols)))  # nobody's symbols are told elsewhere
        modules.pop(KERNEL, None)
        found.append(list(modules))
    return found


def load_ranks(modules: list[list[int]]) -> Ranks:
    """Sort modules so that those that need others come before them."""
    users = [0] * len(modules)
    for wanted in modules:
        for module in wanted:
            users[module] += 1
    ready = [module for module, count in enumerate(users) if not count]
    order: list[int] = []
    while ready:
        module = ready.pop()
        order.append(module)
        for wanted_module in modules[module]:
            users[wanted_module] -= 1
            if not users[wanted_module]:
                ready.append(wanted_module)
    return Ranks(order, users)


def closures(modules: list[list[int]], order: list[int]) -> list[list[int]]:
    """List for each module all that it needs, directly or not: what is to be loaded first stands last.

    :param order: all modules, those that need others before them
    """
    ranks = [0] * len(order)
    for rank, module in enumerate(order):
        ranks[module] = rank
    found: list[set[int]] = [set()] * len(order)  # by rank
    for rank in range(len(order) - 1, -1, -1):
        wanted = modules[order[rank]]
        if wanted:
            direct = [ranks[module] for module in wanted]
            found[rank] = set(direct).union(*[found[other] for other in direct])
    return [[order[rank] for rank in sorted(found[ranks[module]])] for module in range(len(order))]
