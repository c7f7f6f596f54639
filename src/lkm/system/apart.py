"""Work done in a forked process beside this one, where there is a second processor; else, or if that fails, here."""

import os
import sys
from collections.abc import Callable, Iterable

__all__ = ["Apart", "has_threads", "joined", "parted", "processors"]

_LENGTH = 8  # bytes of the number before each part


def processors() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Apart:
    """A task whose result is bytes.

    :param task: it must depend on nothing that this process changes later, and change nothing but files
    :param alone: don't fork
    """

    __slots__ = ("_fd", "_pid", "_task")

    def __init__(self, task: Callable[[], bytes], *, alone: bool = False) -> None:
        self._task = task
        self._pid = 0
        self._fd = -1
        # A fork of a process with threads may wait for a lock for ever.
        if not alone and processors() > 1 and hasattr(os, "memfd_create") and not has_threads():
            self._fork()

    def _fork(self) -> None:
        try:
            self._fd = os.memfd_create("lkm")
            self._pid = os.fork()
        except OSError:
            return
        if not self._pid:
            status = 1
            try:
                _write_all(self._fd, self._task())
                status = 0
            finally:
                os._exit(status)  # nothing of the parent's is to be flushed or cleaned up twice

    def result(self) -> bytes:
        """Give the result, once."""
        if self._pid:
            _, status = os.waitpid(self._pid, 0)
            if not status:
                size = os.fstat(self._fd).st_size
                data = _read_all(self._fd, size)
                os.close(self._fd)
                return data
        if self._fd >= 0:
            os.close(self._fd)
        return self._task()

    def drop(self) -> None:
        """Wait until it has ended; nobody wants the result."""
        if self._pid:
            os.waitpid(self._pid, 0)
        if self._fd >= 0:
            os.close(self._fd)


def joined(parts: Iterable[bytes]) -> bytes:
    """Make one result of several."""
    return b"".join([piece for part in parts for piece in (len(part).to_bytes(_LENGTH), part)])


def parted(data: bytes) -> list[bytes]:
    """Take apart what :func:`joined` made."""
    parts = []
    place = 0
    while place < len(data):
        start = place + _LENGTH
        place = start + int.from_bytes(data[place:start])
        parts.append(data[start:place])
    return parts


def has_threads() -> bool:
    """Tell whether this process runs threads besides its first."""
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _read_all(fd: int, size: int) -> bytes:
    parts = []
    place = 0
    while place < size:
        part = os.pread(fd, size - place, place)
        parts.append(part)
        place += len(part)
    return b"".join(parts)
