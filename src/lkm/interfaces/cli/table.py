"""Columns that fit a terminal: what is too wide is broken into lines, and nothing is left out."""

import itertools
import os
from collections.abc import Mapping, Sequence
from typing import TextIO

__all__ = ["fitted", "terminal_width"]

_GAP = "  "
_LEAST_LAST = 24  # columns for the last cell, below which the others are broken, too, to make room
_LEAST = 10  # columns that a cell keeps, as long as most headings


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
    cells = [_broken(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = []
    for pieces in itertools.zip_longest(*cells, fillvalue=""):
        placed = [
            piece.rjust(width) if column in numbers else piece.ljust(width)
            for column, (piece, width) in enumerate(zip(pieces, widths, strict=True))
        ]
        lines.append(_GAP.join(placed).rstrip())
    return lines


def _broken(cell: str, width: int) -> list[str]:
    """Break a cell at blanks, behind commas and slashes; a word that is too long is broken anywhere."""
    if len(cell) <= width:
        return [cell]
    lines: list[str] = []
    rest = cell
    while len(rest) > width:
        at = max(rest.rfind(" ", 1, width + 1), rest.rfind(",", 1, width) + 1)
        at = at if at > 0 else rest.rfind("/", 1, width) + 1
        at = at if at > 0 else width
        lines.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*lines, rest] if rest else lines
