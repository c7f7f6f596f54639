"""Texts of paragraphs and commands, folded for a terminal or handed on piece by piece."""

import textwrap
from collections.abc import Iterator

__all__ = ["folded", "pieces"]

_COMMAND = "    "
_WIDEST = 88  # longer lines are hard to read


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Give the pieces of a text: whether it is commands, which stand as they are, and its lines."""
    for piece in text.strip("\n").split("\n\n"):
        yield piece.startswith(_COMMAND), piece


def folded(text: str, width: int | None) -> str:
    """Fold the paragraphs.

    :param width: of the terminal; None where it is not known
    """
    columns = min(width or _WIDEST, _WIDEST)
    return "\n\n".join(
        piece
        if is_command
        else textwrap.fill(" ".join(piece.split()), columns, break_long_words=False, break_on_hyphens=False)
        for is_command, piece in pieces(text)
    )
