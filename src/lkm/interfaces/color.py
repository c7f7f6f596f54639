"""Colour: only for people, only where they want it.

NO_COLOR and FORCE_COLOR of the environment decide, as for many programs; else whether the output is a terminal.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import TextIO

__all__ = ["chosen_color", "painted", "wants_color"]

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_VARIABLES = ("NO_COLOR", "FORCE_COLOR")


def wants_color(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether text for a stream may be coloured."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM", "dumb") != "dumb"


def painted(text: str, style: str, stream: TextIO) -> str:
    """Give a text in a style, where the stream may have colour.

    :param style: ``bold``, ``dim``, ``red``, ``green``, ``yellow`` or ``cyan``
    """
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if text and wants_color(stream) else text


@contextlib.contextmanager
def chosen_color(choice: str | None) -> Iterator[None]:
    """Have the environment say what ``--color`` says, for all that prints meanwhile.

    :param choice: ``always`` or ``never``; ``auto`` and None leave it as it is
    """
    if choice not in {"always", "never"}:
        yield
        return
    before = {name: os.environ.get(name) for name in _VARIABLES}
    for name in _VARIABLES:
        os.environ.pop(name, None)
    os.environ["FORCE_COLOR" if choice == "always" else "NO_COLOR"] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
