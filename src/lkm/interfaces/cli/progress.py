"""How far a long task is: a bar on standard error, for people only, and only once they have waited for a second."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lkm.actions.showing import Advance

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["progress"]

_PATIENCE = 1.0  # seconds
_BETWEEN = 0.1  # seconds from one drawing to the next, or drawing costs more than the task


@contextlib.contextmanager
def progress(total: int, what: str) -> Iterator[Advance]:
    """Show how far a task is, while the ``with`` block does it.

    Nothing is shown where standard error is no terminal, or a dumb one, nor before a second has passed. What the block
    prints meanwhile goes above the bar; the bar is gone when the block is left. It runs no thread: who wants to fork
    inside of the block can.

    :param total: how many parts there are
    :param what: what is being done, as in ``signing``
    :returns: to be called for each part that is done, from this thread
    """
    bar = _Bar(total, what) if _is_for_people() else None
    try:
        yield bar.advance if bar else _unseen
    finally:
        if bar:
            bar.end()


def _is_for_people() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}


def _unseen(parts: int = 1) -> None:
    """Take what nobody looks at."""


class _Bar:
    """A bar that is drawn late and seldom."""

    __slots__ = ("_done", "_drawn", "_progress", "_total", "_what")

    def __init__(self, total: int, what: str) -> None:
        self._total = total
        self._what = what
        self._done = 0
        self._drawn = time.monotonic() + _PATIENCE - _BETWEEN
        self._progress: Progress | None = None

    def advance(self, parts: int = 1) -> None:
        self._done += parts
        now = time.monotonic()
        if now - self._drawn < _BETWEEN:
            return
        self._drawn = now
        if self._progress is None:
            self._progress = _started(self._total, self._what, self._done)
        for task in self._progress.task_ids:
            self._progress.update(task, completed=self._done)
        self._progress.refresh()

    def end(self) -> None:
        if self._progress is not None:
            self._progress.stop()


def _started(total: int, what: str, done: int) -> "Progress":
    from rich.console import Console  # noqa: PLC0415  dear, and most tasks end before anybody has to wait
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # auto_refresh is a thread; redirecting would take standard output, which may be a file, for the bar's.
    shown = Progress(
        *columns, console=Console(stderr=True), auto_refresh=False, transient=True, redirect_stdout=sys.stdout.isatty()
    )
    shown.add_task(what, total=total, completed=done)
    shown.start()
    return shown
