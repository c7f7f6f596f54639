"""Many tasks shared out among processes, each of which takes the next one when it is done, and reports as it goes.

Where there is one processor only, or threads, the tasks are done here.
"""

import contextlib
import fcntl
import os
import select
import signal
from collections.abc import Callable, Generator, Iterator

from lkm.system.apart import has_threads, processors

__all__ = ["Work", "shared_out"]

Work = Callable[[Iterator[int]], Iterator[bytes]]
"""Does the tasks whose numbers it takes, one after the other, and gives reports; one may be about several tasks."""

_MOST_PROCESSES = 16
_SIZE = 4  # bytes before a report that tell its size, and of the number of the next task
_CHUNK = 1 << 20
_TICK = 0.1  # seconds
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def shared_out(count: int, work: Work, *, fewest: int = 2) -> Generator[bytes | None, None, None]:
    """Do tasks, in several processes where that pays.

    A process that is asked to end (SIGINT, SIGTERM, SIGHUP) leaves its work by KeyboardInterrupt. One that dies reports
    no more: what became of the tasks that nobody reported on is for the caller to find out. Leaving the generator early
    ends the processes.

    :param count: how many tasks there are; they are taken by number, from 0
    :param work: what is done in each process, which is a fork of this one
    :param fewest: tasks for each process, or starting it costs more than it spares
    :returns: the reports as they come, in no order; None about ten times a second where there is none
    """
    ways = min(processors(), _MOST_PROCESSES, count // max(1, fewest))
    # A fork of a process with threads may wait for a lock for ever.
    if ways < 2 or has_threads() or not hasattr(os, "memfd_create"):
        yield from work(iter(range(count)))
        return
    helpers: list[_Helper] = []
    counter = os.memfd_create("lkm")
    try:
        os.write(counter, bytes(_SIZE))
        with contextlib.suppress(OSError):  # too many processes or files: those that could start do it all
            while len(helpers) < ways:
                helpers.append(_Helper(lambda: work(_drawn(counter, count))))
        if helpers:
            yield from _reports(helpers)
        else:
            yield from work(iter(range(count)))
    finally:
        os.close(counter)
        for helper in helpers:
            helper.end()


def _drawn(counter: int, count: int) -> Iterator[int]:
    """Draw the numbers of tasks, each of which only one process gets."""
    while True:
        fcntl.lockf(counter, fcntl.LOCK_EX)
        try:
            number = int.from_bytes(os.pread(counter, _SIZE, 0))
            os.pwrite(counter, (number + 1).to_bytes(_SIZE), 0)
        finally:
            fcntl.lockf(counter, fcntl.LOCK_UN)
        if number >= count:
            return
        yield number


def _reports(helpers: "list[_Helper]") -> Iterator[bytes | None]:
    waiting = {helper.results: helper for helper in helpers}
    poll = select.poll()
    for fd in waiting:
        poll.register(fd, select.POLLIN)
    while waiting:
        ready = poll.poll(_TICK * 1000)
        if not ready:
            yield None
        for fd, _ in ready:
            found = waiting[fd].read()
            if found is None:
                poll.unregister(fd)
                del waiting[fd]
            else:
                yield from found


class _Helper:
    """A process that does tasks.

    :raises OSError: none can be started
    """

    __slots__ = ("_pending", "_pid", "results")

    def __init__(self, work: Callable[[], Iterator[bytes]]) -> None:
        self.results, writing = os.pipe()
        self._pending = b""
        try:
            self._pid = os.fork()
        except OSError:
            os.close(self.results)
            os.close(writing)
            raise
        if not self._pid:
            try:
                os.close(self.results)
                _work_off(work, writing)
            finally:
                os._exit(0)  # nothing of the parent's is to be flushed or cleaned up twice
        os.close(writing)

    def read(self) -> list[bytes] | None:
        """Read what has come; None when nothing more will."""
        data = os.read(self.results, _CHUNK)
        if not data:
            return None
        self._pending += data
        found = []
        while len(self._pending) >= _SIZE:
            end = _SIZE + int.from_bytes(self._pending[:_SIZE])
            if len(self._pending) < end:
                break
            found.append(self._pending[_SIZE:end])
            self._pending = self._pending[end:]
        return found

    def end(self) -> None:
        """Have the process end, and wait for that."""
        os.close(self.results)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGINT)
        os.waitpid(self._pid, 0)


def _work_off(work: Callable[[], Iterator[bytes]], writing: int) -> None:
    for ending in _ENDING:
        signal.signal(ending, _interrupt)
    # Nobody reads on: BrokenPipeError. Nothing may be said here: the parent finds out what was not done.
    with contextlib.suppress(KeyboardInterrupt, Exception):
        for report in work():
            view = memoryview(len(report).to_bytes(_SIZE) + report)
            while view:
                view = view[os.write(writing, view) :]


def _interrupt(_signal: int, _frame: object) -> None:
    """Stop, once: what cleans up is not to be stopped, too."""
    for ending in _ENDING:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt
