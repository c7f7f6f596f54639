"""What is said about a tree while it is indexed: kmod's texts, as values."""

from enum import IntEnum
from typing import NamedTuple

__all__ = ["Level", "Notice"]


class Level(IntEnum):
    """How grave it is, as syslog(3) counts."""

    FATAL = 2
    ERROR = 3
    WARNING = 4


class Notice(NamedTuple):
    """One thing that is said.

    :param text: without a newline at its end; it may hold some
    """

    level: Level
    text: str
