"""How far a long task is, told to a function of the caller."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lkm.actions.showing import Advance, Showing

__all__ = ["Progress", "watching"]

Progress = Callable[[int, int], object]
"""Takes how many parts are done, and how many there are; called from the thread that asked for the task."""


def watching(progress: Progress | None) -> Showing:
    """Give what an action wants: it takes the number of parts, and gives a context that is told of each.

    :param progress: None is told nothing
    """

    @contextmanager
    def watch(total: int) -> Iterator[Advance]:
        done = 0

        def advance(parts: int) -> None:
            nonlocal done
            done += parts
            if progress is not None:
                progress(done, total)

        yield advance

    return watch
