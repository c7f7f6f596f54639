"""What the front-ends say on standard error, or to syslog: kmod's lines first, what is known beyond them after."""

import sys
from enum import IntEnum

from lkm.interfaces.messages import printable

__all__ = ["Messages", "Priority", "put", "version"]


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

    def hint(self, text: str) -> None:
        """Say what is known beyond kmod's words: why, and what to do about it. Silent with ``-q``."""
        if self.shown >= Priority.ERROR and not self.use_syslog:
            self.plain(f"hint: {text}")

    def plain(self, text: str) -> None:
        """Write a line of the tool with no priority, as getopt(3) does."""
        sys.stdout.flush()
        sys.stderr.write(f"{self.tool}: {printable(text)}\n")


def put(text: str) -> None:
    """Write to standard output; what was no UTF-8 when it was read comes out as it was."""
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))


def version() -> str:
    """Give what ``-V`` prints: scripts take the version of kmod from its third word."""
    from lkm import __version__  # noqa: PLC0415  -V is rare

    return f"kmod version 30 (lkm {__version__} in its place)\n+ZSTD +XZ +ZLIB +LIBCRYPTO -EXPERIMENTAL\n"
