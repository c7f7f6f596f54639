"""The files of modules-load.d: the modules to load at boot, one a line.

Facts: systemd 252, src/modules-load/modules-load.c ``apply_file`` and modules-load.d(5). A line as a whole is the name
of a module, or an alias: there are no parameters in it, and a comment takes a whole line.
"""

from typing import NamedTuple

__all__ = ["Entry", "parse"]

_COMMENTS = "#;"
_SPACES = " \t\n\r"  # systemd's WHITESPACE


class Entry(NamedTuple):
    """A module that is to be loaded at boot.

    :param name: a module's name or an alias, as written
    :param file: as the caller named it
    :param line: from 1
    """

    name: str
    file: str
    line: int


def parse(data: bytes, file: str) -> tuple[Entry, ...]:
    """Read one file.

    :param data: the whole file
    :param file: its name, for the entries
    """
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    stripped = ((number, line.strip(_SPACES)) for number, line in enumerate(lines, 1))
    return tuple(Entry(line, file, number) for number, line in stripped if line and line[0] not in _COMMENTS)
