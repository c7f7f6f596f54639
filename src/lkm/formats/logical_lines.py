"""Lines as kmod reads them in modprobe.d and depmod.d: joined by a backslash at their end.

Facts: kmod 30, shared/util.c ``freadline_wrapped``. A backslash anywhere else vanishes.
"""

import re
from collections.abc import Iterator

__all__ = ["logical_lines"]

_LINE_OR_ESCAPE = re.compile(rb"[\n\\]")


def logical_lines(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Join continued lines.

    :returns: the number of the first physical line, what kmod counts for the last, and the text up to a NUL
    """
    last = 0
    place = 0
    while place < len(data):
        first = last + 1
        parts: list[bytes] = []
        place, joints = _read_line(data, place, parts)
        if place > len(data) and not parts:
            return  # nothing but joints before the end of the file is no line
        last = first + joints
        yield first, last, b"".join(parts).split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _read_line(data: bytes, place: int, parts: list[bytes]) -> tuple[int, int]:
    """Collect the parts of one logical line.

    :returns: the place behind its newline, which is beyond the data where the file ends first; and how many newlines
        were joined
    """
    joints = 0
    while True:
        found = _LINE_OR_ESCAPE.search(data, place)
        end = found.start() if found else len(data)
        if end > place:
            parts.append(data[place:end])
        if found is None or found[0] == b"\n":
            return end + 1, joints
        place = end + 2
        if data[end + 1 : place] == b"\n":
            joints += 1
        else:
            # At the end of the file kmod stores getc()'s EOF as a character.
            parts.append(data[end + 1 : place] or b"\xff")
