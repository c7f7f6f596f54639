"""Calls of lkm as people are shown them: what the environment says of the system to work on is left out."""

import shlex
from typing import TYPE_CHECKING

from lkm.interfaces.target import target_from_environment

if TYPE_CHECKING:
    from lkm.actions.session import Session

__all__ = ["shortened", "shown_command"]

_OPTIONS = ("root", "release", "kernel")


def shown_command(session: "Session", *words: str) -> str:
    """Write a call of lkm as it can be typed here, on the same system.

    For the journal, and behind sudo, which drops the environment, there is
    :func:`lkm.actions.changes.command_line.command_line`.

    :param words: the verb and its arguments
    """
    known = target_from_environment()
    options: list[str] = []
    for name in _OPTIONS:
        value = getattr(session.target, name)
        if value is not None and value != getattr(known, name):
            options += [f"--{name}", value]
    return shlex.join(["lkm", *options, *words])


def shortened(command: str) -> str:
    """Leave out of a call of lkm what the environment says already; other commands stay as they are."""
    known = target_from_environment()
    said = {(f"--{name}", getattr(known, name)) for name in _OPTIONS}
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    if words[:1] != ["lkm"]:
        return command
    kept: list[str] = []
    while words:
        if tuple(words[:2]) in said:
            del words[:2]
        else:
            kept.append(words.pop(0))
    return shlex.join(kept)
