"""Printing a verb's answer: tables and texts for people, one JSON object for programs."""

import argparse
from collections.abc import Sequence

from lkm.interfaces.messages import printable

__all__ = ["print_json", "print_line", "print_table", "wants_json"]


def wants_json(options: argparse.Namespace) -> bool:
    """Tell whether ``--json`` was given."""
    return bool(getattr(options, "json", False))


def print_json(verb: str, **fields: object) -> None:
    """Print the verb's object, with its schema first."""
    import json  # noqa: PLC0415  people's output needs none

    print(json.dumps({"schema": f"lkm.{verb}/1", **fields}, indent=2))


def print_line(text: str) -> None:
    """Print a line for people; what could steer a terminal is escaped."""
    print(printable(text))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> None:
    """Print columns with a header, each as wide as its longest cell; the last one is not padded.

    :param numbers: the indexes of columns that are aligned to the right
    """
    table = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        cells = [
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
