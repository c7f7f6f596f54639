"""Modules that need each other: the cycles, whole.

Facts: kmod 30, tools/depmod.c ``depmod_report_cycles_from_root``. It looks at a module again for each way that leads
to it, which need not end; here each is looked at once for each beginning, which finds the same simple cycles.
"""

from collections.abc import Sequence
from itertools import pairwise

__all__ = ["Cycle", "find_cycles", "links"]

Cycle = tuple[int, ...]
"""Modules by number, each needs the next one; the last is the first again."""


def links(cycle: Cycle) -> list[tuple[int, int]]:
    """List who needs whom."""
    return list(pairwise(cycle))


def find_cycles(modules: Sequence[Sequence[int]], left_users: Sequence[int]) -> list[Cycle]:
    """Find the cycles among modules that could not be sorted.

    :param modules: for each module those that it needs directly
    :param left_users: for each module how many that need it could not be sorted
    """
    left = _without_ends({module for module, count in enumerate(left_users) if count}, modules)
    found: list[Cycle] = []
    dropped: set[int] = set()
    for beginning in sorted(left):
        if beginning not in dropped:
            for cycle in _cycles_from(beginning, modules, left):
                found.append(cycle)
                dropped.update(cycle)
    return found


def _without_ends(left: set[int], modules: Sequence[Sequence[int]]) -> set[int]:
    """Drop what only hangs on cycles, and leads back to none."""
    users: dict[int, list[int]] = {module: [] for module in left}
    counts: dict[int, int] = {}
    for module in left:
        wanted = [other for other in modules[module] if other in left]
        counts[module] = len(wanted)
        for other in wanted:
            users[other].append(module)
    ends = [module for module, count in counts.items() if not count]
    while ends:
        end = ends.pop()
        left.discard(end)
        for user in users[end]:
            counts[user] -= 1
            if not counts[user]:
                ends.append(user)
    return left


def _cycles_from(root: int, modules: Sequence[Sequence[int]], left: set[int]) -> list[Cycle]:
    found: list[Cycle] = []
    reached_from = {root: root}
    stack = [(module, root) for module in modules[root]]
    while stack:
        module, user = stack.pop()
        if module == root:
            found.append((*_way(root, user, reached_from), root))
        elif module in left and module not in reached_from:
            reached_from[module] = user
            stack += [(wanted, module) for wanted in modules[module]]
    return found


def _way(root: int, module: int, reached_from: dict[int, int]) -> list[int]:
    way = [module]
    while module != root:
        module = reached_from[module]
        way.append(module)
    return way[::-1]
