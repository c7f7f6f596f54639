"""Changing some lines of a file of modprobe.d or modules-load.d, and no byte of the others."""

from collections.abc import Collection, Iterable, Mapping

from lkm.formats.logical_lines import logical_lines

__all__ = ["edited"]


def edited(
    contents: bytes,
    *,
    dropped: Collection[int] = (),
    replaced: Mapping[int, str] | None = None,
    appended: Iterable[str] = (),
    joined: bool = True,
) -> bytes:
    """Take lines out, put others in their places, and others behind the last one.

    :param contents: a whole file
    :param dropped: the numbers, from 1, of the first physical lines of what is to go; what a backslash joins to such a
        line goes with it
    :param replaced: lines without their newlines, by the numbers of those whose places they take
    :param appended: lines without their newlines
    :param joined: a backslash at a line's end joins the next one to it, as in modprobe.d
    """
    new = {number: line.encode("utf-8", "surrogateescape") for number, line in (replaced or {}).items()}
    gone = {*dropped, *new}
    if joined:
        ranges = [range(first, last + 1) for first, last, _ in logical_lines(contents) if first in gone]
        gone = {number for numbers in ranges for number in numbers}
    lines = contents.split(b"\n")
    if not lines[-1]:
        lines.pop()  # the file ends with a newline
    kept: list[bytes] = []
    for number, line in enumerate(lines, 1):
        if number in new:
            kept.append(new[number])
        elif number not in gone:
            kept.append(line)
    more = [line.encode("utf-8", "surrogateescape") for line in appended]
    if joined and more and kept and kept[-1].endswith(b"\\"):
        kept.append(b"")  # or the first of the new lines would belong to what stands before it
    return b"".join(line + b"\n" for line in (*kept, *more))
