"""The file /proc/self/mountinfo: what is mounted, as Documentation/filesystems/proc.rst of Linux 6.1 describes it."""

import re
from typing import NamedTuple

__all__ = ["Mounted", "parse"]

_ESCAPE = re.compile(r"\\([0-3][0-7]{2})")


class Mounted(NamedTuple):
    """A mount.

    :param device: the block device's number as ``major:minor``; with a major of 0 there is none
    :param place: where it is mounted
    :param type: the file system's
    :param source: the device's name, or what stands for it
    """

    device: str
    place: str
    type: str
    source: str


def parse(text: str) -> tuple[Mounted, ...]:
    """Read the file; lines of another form are left out."""
    found = []
    for line in text.split("\n"):
        before, dash, after = line.partition(" - ")
        left, right = before.split(" "), after.split(" ")
        if dash and len(left) >= 6 and len(right) >= 2:
            found.append(Mounted(left[2], _plain(left[4]), _plain(right[0]), _plain(right[1])))
    return tuple(found)


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), text)
