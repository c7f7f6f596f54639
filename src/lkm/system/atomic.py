"""Writing files so that, killed at any instant, the old or the new one is there, whole."""

import contextlib
import errno
import os
import tempfile

__all__ = ["link_atomically", "write_atomically"]


def write_atomically(path: str, data: bytes, *, mode: int = 0o644, may_replace: bool = True) -> None:
    """Write a file beside its final place, have it reach the disk, and rename it over the old one.

    :param path: of the host; its directory must exist
    :param mode: permissions of a new file; one that exists keeps its own
    :param may_replace: otherwise a file that is there, even since a moment ago, is left alone
    :raises FileExistsError: so it was
    :raises OSError: the old file, if any, is as it was
    """
    directory, name = os.path.split(path)
    fd, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=directory or ".")
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            with contextlib.suppress(FileNotFoundError):
                mode = os.stat(path).st_mode & 0o7777  # noqa: PTH116
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        if may_replace:
            os.replace(temporary, path)  # noqa: PTH105
        else:
            _put_new(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108
        raise


def _put_new(temporary: str, path: str) -> None:
    """Give a file its name, if that is free."""
    try:
        os.link(temporary, path)  # fails where there is one, which a renaming does not
    except FileExistsError:
        raise
    except OSError:  # file systems of memory sticks have no hard links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
        os.replace(temporary, path)  # noqa: PTH105
    else:
        os.unlink(temporary)  # noqa: PTH108


def link_atomically(path: str, target: str) -> None:
    """Make a symbolic link beside its final place, and rename it over what is there.

    :param path: of the host; its directory must exist
    :param target: what the link says, as it is
    :raises OSError: what was there is as it was
    """
    directory, name = os.path.split(path)
    place = tempfile.mkdtemp(prefix=f".{name}.", dir=directory or ".")
    try:
        os.symlink(target, f"{place}/{name}")  # noqa: PTH211
        os.replace(f"{place}/{name}", path)  # noqa: PTH105
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{place}/{name}")  # noqa: PTH108
        os.rmdir(place)  # noqa: PTH106
