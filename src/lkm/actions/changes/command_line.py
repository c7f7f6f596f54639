"""A call of lkm as it can be typed again: for the journal, and for what is said of privilege."""

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lkm.actions.session import Session

__all__ = ["command_line"]


def command_line(session: "Session", *words: str) -> str:
    """Write a call of lkm with the root, and the release and the kernel if they were named.

    :param words: the verb and its arguments
    """
    target = session.target
    options: list[str] = []
    if target.root != "/":
        options += ["--root", target.root]
    if target.release is not None:
        options += ["--release", target.release]
    if target.kernel != "live":
        options += ["--kernel", target.kernel]
    return shlex.join(["lkm", *options, *words])
