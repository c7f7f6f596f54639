"""Columns that fit a terminal: the last one is broken into lines, and what is still too wide is cut."""

import os
from collections.abc import Mapping, Sequence
from typing import TextIO

__all__ = ["fitted", "terminal_width"]

_GAP = "  "
_LEAST_LAST = 24  # columns for the last cell, below which the others are cut to make room
_LEAST = 8  # columns that a cell keeps


def terminal_width(stream: TextIO, environ: Mapping[str, str] = os.environ) -> int | None:
    """Give the columns of the terminal that a stream goes to; None where it goes elsewhere.

    COLUMNS in the environment counts first, as for other programs.
    """
    if not stream.isatty():
        return None
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdecimal() and int(columns[:6]) > 0:
        return int(columns[:6])
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def fitted(table: Sequence[Sequence[str]], width: int | None, numbers: Sequence[int] = ()) -> list[list[str]]:
    """Lay out rows of equally many cells.

    :param width: of the terminal; None where nothing is to be broken or cut
    :param numbers: the indexes of columns that are aligned to the right
    :returns: the lines of each row
    """
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    if width is not None:
        widths = _narrowed(widths, width)
    return [_lines(row, widths, numbers) for row in table]


def _narrowed(widths: list[int], width: int) -> list[int]:
    """Take room from the last column first, then from whichever of the others is the widest."""
    room = width - len(_GAP) * (len(widths) - 1)
    *others, last = widths
    others = [min(each, max(room, _LEAST)) for each in others]
    least = min(last, _LEAST_LAST)
    while sum(others) + least > room and max(others, default=0) > _LEAST:
        others[others.index(max(others))] -= 1
    return [*others, max(min(last, room - sum(others)), min(last, _LEAST))]


def _lines(row: Sequence[str], widths: Sequence[int], numbers: Sequence[int]) -> list[str]:
    *cells, last = row
    cut = [_cut(cell, width) for cell, width in zip(cells, widths, strict=False)]
    lead = "".join(
        (cell.rjust(width) if column in numbers else cell.ljust(width)) + _GAP
        for column, (cell, width) in enumerate(zip(cut, widths, strict=False))
    )
    pieces = _broken(last, widths[-1])
    if len(row) - 1 in numbers:
        pieces = [piece.rjust(widths[-1]) for piece in pieces]
    return [((lead if number == 0 else " " * len(lead)) + piece).rstrip() for number, piece in enumerate(pieces)]


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 1]}…"


def _broken(cell: str, width: int) -> list[str]:
    """Break a cell at blanks and behind commas; a word that is too long is broken anywhere."""
    if len(cell) <= width:
        return [cell]
    lines: list[str] = []
    rest = cell
    while len(rest) > width:
        at = max(rest.rfind(" ", 1, width + 1), rest.rfind(",", 1, width) + 1)
        at = at if at > 0 else width
        lines.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*lines, rest] if rest else lines
