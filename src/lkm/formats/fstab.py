"""The file /etc/fstab: what is mounted where, as fstab(5) and getmntent(3) have it."""

import re
from typing import NamedTuple

from lkm.formats.octal_escapes import unescaped

__all__ = ["Mount", "parse"]

_BLANKS = re.compile(r"[ \t]+")  # and none of the others that Unicode has


class Mount(NamedTuple):
    """A line of the file.

    :param source: the device, or what stands for it
    :param place: where it is mounted; ``none`` for swap
    :param types: the file-system types, of which there may be several to try
    :param options: the mount options
    :param line: from 1
    """

    source: str
    place: str
    types: tuple[str, ...]
    options: tuple[str, ...]
    line: int

    def option(self, name: str) -> str | None:
        """Give the value of an option ``name=value``; None where it is not there."""
        return next((text.partition("=")[2] for text in self.options if text.startswith(f"{name}=")), None)


def parse(text: str) -> tuple[Mount, ...]:
    """Read the file; lines that lack a type are left out, as mount leaves them out."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        words = [word for word in _BLANKS.split(line) if word]
        if len(words) < 3 or words[0].startswith("#"):
            continue
        source, place, types = map(unescaped, words[:3])
        options = tuple(words[3].split(",")) if len(words) > 3 else ()
        found.append(Mount(source, place, tuple(types.split(",")), options, number))
    return tuple(found)
