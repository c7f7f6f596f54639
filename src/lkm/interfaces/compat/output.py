"""Standard output in large pieces, and work that is done beforehand, whose output is kept back."""

from collections.abc import Callable

__all__ = ["Output"]

_MOST_KEPT = 1 << 19  # bytes


class Output:
    """Gathers what is laid out, until it is much or asked for.

    :param write: writes some bytes
    """

    __slots__ = ("_parts", "_size", "_write")

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._write = write

    def put(self, text: bytes) -> None:
        """Add something."""
        self._parts.append(text)
        self._size += len(text)
        if self._size > _MOST_KEPT:
            self.flush()

    def flush(self) -> None:
        """Write what there is, before something else is said."""
        found = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        self._write(found)

    def captured(self, work: Callable[[], object]) -> bytes | None:
        """Do some work and give what it puts; None if that is much, or there is something else to say meanwhile."""
        waiting, size, write = self._parts, self._size, self._write
        self._parts, self._size, self._write = [], 0, _refuse
        try:
            work()
            return b"".join(self._parts)
        except _CannotWriteError:
            return None
        finally:
            self._parts, self._size, self._write = waiting, size, write


class _CannotWriteError(Exception):
    """There is more to say than can be kept; it never leaves this file."""


def _refuse(_: bytes) -> None:
    raise _CannotWriteError
