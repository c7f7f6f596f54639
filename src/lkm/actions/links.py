"""Links by which the command is called as another tool."""

import os
import shutil
import sys
from collections.abc import Sequence

from lkm.errors import LkmError, UsageError

__all__ = ["make_links"]


def make_links(directory: str, tools: Sequence[str], *, force: bool = False) -> tuple[str, ...]:
    """Make a link to the command for each tool; one that is right already stays.

    :param force: replace what is in the way
    :returns: the links, in order
    :raises UsageError: something else is in the way, or the command can't be found
    :raises LkmError: the directory can't be written
    """
    command = _command()
    try:
        os.makedirs(directory, exist_ok=True)  # noqa: PTH103
        return tuple(_link(command, f"{directory.rstrip('/')}/{tool}", force=force) for tool in tools)
    except OSError as error:
        raise LkmError((error.strerror or str(error)).lower(), where=error.filename or directory) from error


def _command() -> str:
    """Find the installed command: the running one, or the one beside this interpreter, or in PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), "lkm")  # noqa: PTH118, PTH120
    running = os.path.abspath(sys.argv[0]) if os.path.basename(sys.argv[0]) == "lkm" else None  # noqa: PTH100, PTH119
    for candidate in (running, beside, shutil.which("lkm")):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise UsageError("the installed command lkm can't be found", hint="install the package: pip install .")


def _link(command: str, path: str, *, force: bool) -> str:
    """Make one link by renaming it into place, so that the tool is never missing meanwhile."""
    if os.path.islink(path) and os.readlink(path) == command:  # noqa: PTH114, PTH115
        return path
    if os.path.lexists(path) and not force:
        raise UsageError(
            "something else is there", where=path, hint="replace it with --force, or choose another directory"
        )
    temporary = f"{path}.{os.getpid()}"
    os.symlink(command, temporary)  # noqa: PTH211
    try:
        os.replace(temporary, path)  # noqa: PTH105
    except OSError:
        os.unlink(temporary)  # noqa: PTH108
        raise
    return path
