"""How far a long task is, told to a function of the caller."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

__all__ = ["Progress", "watching"]

Progress = Callable[[int, int], object]
"""Takes how many parts are done, and how many there are; called from the thread that asked for the task."""

_Advance = Callable[[int], None]


def watching(progress: Progress | None) -> Callable[[int], AbstractContextManager[_Advance]]:
    """Give what an action wants: it takes the number of parts, and gives a context that is told of each.

    :param progress: None is told nothing
    """

    @contextmanager
    def watch(total: int) -> Iterator[_Advance]:
        done = 0

        def advance(parts: int) -> None:
            nonlocal done
            done += parts
            if progress is not None:
                progress(done, total)

        yield advance

    return watch
