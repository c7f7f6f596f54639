"""What is at a path of a root: a file's bytes, a link that is not followed, or nothing."""

import contextlib
import errno
import os
import stat
from typing import NamedTuple

from lkm.errors import LkmError, Unreadable
from lkm.system.atomic import link_atomically, write_atomically
from lkm.system.root import Root

__all__ = ["Content", "Link", "put_contents", "read_contents"]

_LARGEST = 4 << 20  # bytes


class Link(NamedTuple):
    """A symbolic link.

    :param target: as it stands in the link
    """

    target: str


Content = bytes | Link | None
"""A file's bytes, a link, or None where nothing is."""


def read_contents(root: Root, path: str) -> Content:
    """Read what is at a path; links in its directories are followed inside the root.

    :raises Unreadable: it can't be read, or is neither a file nor a link
    """
    host = _place(root, path)
    try:
        mode = os.lstat(host).st_mode
        if stat.S_ISLNK(mode):
            return Link(os.readlink(host))  # noqa: PTH115  pathlib is dear at start-up
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable((error.strerror or str(error)).lower(), where=root.display(path)) from error
    if not stat.S_ISREG(mode):
        raise Unreadable("is no regular file", where=root.display(path), hint="move it out of the way")
    return Root().read_bytes(host, limit=_LARGEST)


def put_contents(root: Root, path: str, content: Content) -> None:
    """Make a path hold this; a missing directory is made, an empty one stays.

    :raises OSError: all is as it was
    :raises RootError: the path can't be followed inside the root
    """
    host = _place(root, path)
    if content is None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(host)  # noqa: PTH108  pathlib is dear at start-up
        return
    os.makedirs(os.path.dirname(host), mode=0o755, exist_ok=True)  # noqa: PTH103, PTH120
    if isinstance(content, Link):
        link_atomically(host, content.target)
    else:
        write_atomically(host, content)


def _place(root: Root, path: str) -> str:
    """Give the host's path, with links followed in all parts but the last."""
    directory, _, name = path.rpartition("/")
    if name in {"", ".", ".."}:
        raise LkmError(os.strerror(errno.EINVAL).lower(), where=root.display(path))
    return f"{root.host_path(directory)}/{name}"
