"""What the front-ends say on standard error, or to syslog: kmod's lines first, what is known beyond them after."""

import os
import sys
from enum import IntEnum

from lkm.interfaces.messages import printable

__all__ = ["Messages", "Priority", "library_speaks", "put", "version"]

_LEVELS = ("err", "info", "debug")


class Priority(IntEnum):
    """How grave a message is, as syslog(3) counts; a tool's verbosity is the least grave one that it shows."""

    EMERGENCY = 0
    FATAL = 2
    ERROR = 3
    WARNING = 4


class Messages:
    """The messages of one run of a tool.

    :param tool: the name that begins each line
    :param shown: the least grave priority that is shown; tools change it as they read their options
    """

    __slots__ = ("shown", "tool", "use_syslog")

    def __init__(self, tool: str, shown: int = Priority.WARNING) -> None:
        self.tool = tool
        self.shown = shown
        self.use_syslog = False

    def say(self, priority: Priority, text: str) -> None:
        """Say one thing, unless it is less grave than what is shown (kmod 30, tools/log.c ``log_printf``)."""
        if priority > self.shown:
            return
        if self.use_syslog:
            import syslog  # noqa: PLC0415  rarely asked for

            syslog.openlog(self.tool, syslog.LOG_CONS, syslog.LOG_DAEMON)
            syslog.syslog(priority, printable(f"{priority.name}: {text}"))
        else:
            self.plain(f"{priority.name}: {text}")

    def error(self, text: str) -> None:
        """Say what failed."""
        self.say(Priority.ERROR, text)

    def library(self, place: str, text: str) -> None:
        """Say what libkmod itself says of a failure, as Debian's kmod 30 does.

        :param place: file, line and function there, which its line shows
        """
        self.error(f"../libkmod/{place}() {text}")

    def hint(self, text: str) -> None:
        """Say what is known beyond kmod's words: why, and what to do about it. Silent with ``-q``."""
        if self.shown >= Priority.ERROR and not self.use_syslog:
            self.plain(f"hint: {text}")

    def plain(self, text: str) -> None:
        """Write a line of the tool with no priority, as getopt(3) does."""
        sys.stderr.write(f"{self.tool}: {printable(text)}\n")


def library_speaks() -> bool:
    """Tell whether libkmod says its own errors before a tool has told it how much to say: KMOD_LOG can forbid it.

    Facts: kmod 30, libkmod/libkmod.c ``log_priority``.
    """
    text = os.environ.get("KMOD_LOG")
    if text is None:
        return True
    first = text.split(maxsplit=1)[0] if text.strip() else "0"
    digits = first[1:] if first[0] in "+-" else first
    if digits.isascii() and digits.isdecimal():
        return int(first) >= Priority.ERROR
    return text.startswith(_LEVELS)


def put(text: str) -> None:
    """Write to standard output; what was no UTF-8 when it was read comes out as it was.

    A terminal shows it at once; a pipe or file gets it at the end, after what commands of modprobe.d wrote meanwhile,
    as the C library does it for kmod.
    """
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    if sys.stdout.line_buffering:
        sys.stdout.flush()


def version() -> str:
    """Give what ``-V`` prints: scripts take the version of kmod from its third word."""
    from lkm import __version__  # noqa: PLC0415  -V is rare

    return f"kmod version 30 (lkm {__version__} in its place)\n+ZSTD +XZ +ZLIB +LIBCRYPTO -EXPERIMENTAL\n"
