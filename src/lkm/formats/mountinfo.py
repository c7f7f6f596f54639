"""The file /proc/self/mountinfo: what is mounted, as Documentation/filesystems/proc.rst of Linux 6.1 describes it."""

from typing import NamedTuple

from lkm.formats.octal_escapes import unescaped

__all__ = ["Mounted", "parse"]


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
            found.append(Mounted(left[2], unescaped(left[4]), unescaped(right[0]), unescaped(right[1])))
    return tuple(found)
