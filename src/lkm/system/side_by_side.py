"""Many tasks on all processors, their results in order: nothing is kept that is far ahead of what is asked for."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Generator

from lkm.system.apart import has_threads, processors

__all__ = ["in_order"]

_MOST_PROCESSES = 16
_FEWEST_TASKS = 2  # for each process, or forking costs more than it spares
_AHEAD = 1 << 20  # bytes that a process may be ahead
_SIZE = 4  # bytes that tell the size of a result
_NONE = (1 << 8 * _SIZE) - 1  # in place of a size


def in_order(count: int, work: Callable[[int], bytes | None]) -> Generator[bytes | None, None, None]:
    """Go through tasks, of which other processes do a part beforehand.

    The first task is always the caller's: what it loads and reads is there in the other processes too.

    :param count: how many tasks there are
    :param work: does a task, by its number, in another process; it must change nothing, and gives None for a task that
        the caller is to do itself
    :returns: for each task its result; None where the caller is to do it now
    """
    helpers: list[_Helper] = []
    try:
        for number in range(count):
            if number == 1:
                helpers = _start(count, work)
            share = (number - 1) % (len(helpers) + 1)
            yield helpers[share - 1].result() if share and number else None
    finally:
        _end(helpers)


def _start(count: int, work: Callable[[int], bytes | None]) -> "list[_Helper]":
    ways = min(processors(), _MOST_PROCESSES, count // _FEWEST_TASKS)
    # A fork of a process with threads may wait for a lock for ever.
    if ways < 2 or has_threads():
        return []
    helpers: list[_Helper] = []
    try:
        for share in range(1, ways):
            helpers += [_Helper(range(1 + share, count, ways), work)]
    except OSError:  # too many processes or files: the shares of those that could start do not fit
        _end(helpers)
        return []
    return helpers


def _end(helpers: "list[_Helper]") -> None:
    """Let processes end, whether or not all their results were taken."""
    # All are told before any is waited for: each one but the first holds what would tell those before it.
    for helper in helpers:
        helper.leave()
    for helper in helpers:
        helper.wait()


class _Helper:
    """A process that does a share of the tasks.

    :param numbers: the tasks
    :raises OSError: no process can be started
    """

    __slots__ = ("_pid", "_results")

    def __init__(self, numbers: range, work: Callable[[int], bytes | None]) -> None:
        reading, writing = os.pipe()
        try:
            self._pid = os.fork()
        except OSError:
            os.close(reading)
            os.close(writing)
            raise
        if not self._pid:
            try:
                os.close(reading)
                _work_off(numbers, work, writing)
            finally:
                os._exit(0)  # nothing of the parent's is to be flushed or cleaned up twice
        os.close(writing)
        self._results = open(reading, "rb")  # noqa: PTH123, SIM115  a descriptor; leave() closes it

    def result(self) -> bytes | None:
        """Give the result of the next task; None if the caller is to do it, as it must when this process has died."""
        head = self._results.read(_SIZE)
        size = int.from_bytes(head) if len(head) == _SIZE else _NONE
        if size == _NONE:
            return None
        found = self._results.read(size)
        return found if len(found) == size else None

    def leave(self) -> None:
        """Take no more results: writing the next one ends the process."""
        self._results.close()

    def wait(self) -> None:
        """Wait for the end of the process."""
        os.waitpid(self._pid, 0)


def _work_off(numbers: range, work: Callable[[int], bytes | None], writing: int) -> None:
    with contextlib.suppress(OSError):  # then it is less far ahead
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _AHEAD)
    with open(writing, "wb") as results:
        for number in numbers:
            found = work(number)
            results.write(_NONE.to_bytes(_SIZE) if found is None else len(found).to_bytes(_SIZE) + found)
            results.flush()
