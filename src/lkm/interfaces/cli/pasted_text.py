"""Text that users hand over: a file, or what is pasted or piped into the standard input."""

import os
import sys

from lkm.errors import Unreadable, UsageError

__all__ = ["MOST_BYTES", "text_from"]

MOST_BYTES = 64 << 20
"""Of longer files the end is read, of a longer pipe the beginning."""


def text_from(name: str, *, hint: str) -> str:
    """Read a file of the host, or the standard input for ``-``; bytes that are no text are kept as surrogates.

    :raises UsageError: there is no such file
    :raises Unreadable: it can't be read
    """
    if name == "-":
        if sys.stdin.isatty():
            print("Paste the text, then press Ctrl-D on a line of its own:", file=sys.stderr)
        return sys.stdin.buffer.read(MOST_BYTES).decode("utf-8", "surrogateescape")
    try:
        with open(name, "rb") as file:  # noqa: PTH123  pathlib is dear at start-up
            if not os.path.isfile(name):  # noqa: PTH113  (as above) a pipe, as of <(dmesg)
                return file.read(MOST_BYTES).decode("utf-8", "surrogateescape")
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - MOST_BYTES))
            return file.read(MOST_BYTES).decode("utf-8", "surrogateescape")
    except (FileNotFoundError, ValueError):
        raise UsageError(f"there is no file {name!r}", hint=hint) from None
    except OSError as error:
        raise Unreadable((error.strerror or str(error)).lower(), where=name) from error
