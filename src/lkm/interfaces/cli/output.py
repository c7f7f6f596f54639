"""Printing a verb's answer: tables and texts for people, one JSON object for programs."""

import argparse
import sys
from collections.abc import Sequence

from lkm.interfaces.cli.table import fitted, terminal_width
from lkm.interfaces.color import painted
from lkm.interfaces.messages import printable

__all__ = ["print_json", "print_line", "print_table", "print_text", "wants_json"]

_LEAST_ROOM = 24  # columns for a text


def wants_json(options: argparse.Namespace) -> bool:
    """Tell whether ``--json`` was given."""
    return bool(getattr(options, "json", False))


def print_json(verb: str, **fields: object) -> None:
    """Print the verb's object, with its schema first."""
    import json  # noqa: PLC0415  people's output needs none

    print(json.dumps({"schema": f"lkm.{verb}/1", **fields}, indent=2))


def print_line(text: str, style: str | None = None) -> None:
    """Print a line for people; what could steer a terminal is escaped.

    :param style: as :func:`lkm.interfaces.color.painted` has them, for where colour is wanted
    """
    print(painted(printable(text), style, sys.stdout) if style else printable(text))


def print_text(text: str, *, lead: str = "", style: str | None = None) -> None:
    """Print a sentence for people; on a terminal it is folded at its width, below its beginning.

    :param lead: stands before it, as blanks or a mark
    :param style: as for :func:`print_line`
    """
    width = terminal_width(sys.stdout)
    plain = printable(text)
    indent = " " * len(lead)
    if width is not None and len(lead) + len(plain) > width:
        import textwrap  # noqa: PLC0415  only where there is something to fold

        room = max(width, len(lead) + _LEAST_ROOM)
        lines = textwrap.wrap(plain, room, initial_indent=lead, subsequent_indent=indent, break_on_hyphens=False)
    else:
        lines = [lead + plain]
    for line in lines:
        print(painted(line, style, sys.stdout) if style else line)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> None:
    """Print columns with a header; on a terminal they fit its width, elsewhere nothing is broken or cut.

    :param numbers: the indexes of columns that are aligned to the right
    """
    table = [[printable(cell) for cell in row] for row in (header, *rows)]
    first, *rest = fitted(table, terminal_width(sys.stdout), numbers)
    print(painted(first[0], "bold", sys.stdout))
    for lines in (first[1:], *rest):
        for line in lines:
            print(line)
