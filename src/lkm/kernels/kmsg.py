"""The kernel's log records, as /dev/kmsg gives them (Documentation/ABI/testing/dev-kmsg)."""

import contextlib
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

__all__ = ["LogTail", "read_log", "record_lines"]

_DEVICE = "/dev/kmsg"
_RECORD = 8192  # more than the kernel's longest record (CONSOLE_EXT_LOG_MAX)
_MOST_RECORDS = 100_000  # more than any log buffer holds
_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})")
_KERNEL_FACILITY = 0


class LogTail:
    """Collect what the kernel prints from now on; where the log can't be read there is nothing to collect."""

    def __init__(self) -> None:
        self._fd: int | None = None

    def __enter__(self) -> "Self":
        self._fd = _open()
        if self._fd is not None:
            with contextlib.suppress(OSError):  # then what was there before comes along
                os.lseek(self._fd, 0, os.SEEK_END)
        return self

    def __exit__(self, *_: object) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def lines(self) -> tuple[str, ...]:
        """Give the lines since the start, or since the last call."""
        return () if self._fd is None else _drain(self._fd)


def read_log() -> tuple[str, ...]:
    """Give the whole log, oldest first, without time stamps; empty where it can't be read."""
    fd = _open()
    if fd is None:
        return ()
    try:
        return _drain(fd)
    finally:
        os.close(fd)


def _open() -> int | None:
    try:
        return os.open(_DEVICE, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None


def _drain(fd: int) -> tuple[str, ...]:
    found: list[str] = []
    for _ in range(_MOST_RECORDS):
        try:
            record = os.read(fd, _RECORD)
        except BrokenPipeError:
            continue  # records were overwritten before we read them: the next read goes on with the oldest
        except OSError:
            break  # EAGAIN: no more
        found.extend(record_lines(record))
    return tuple(found)


def record_lines(record: bytes) -> list[str]:
    """Give the text of one record of the kernel itself: ``priority,sequence,time,flags;text`` and key-value lines."""
    prefix, _, rest = record.partition(b";")
    priority = prefix.split(b",", 1)[0]
    if not priority.isdigit() or int(priority) >> 3 != _KERNEL_FACILITY:
        return []
    # Every byte that is no printable ASCII is escaped (kernel/printk/printk.c msg_add_ext_text).
    text = _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), rest.split(b"\n", 1)[0])
    return text.decode("utf-8", "surrogateescape").split("\n")
