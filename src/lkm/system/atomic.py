"""Writing files so that, killed at any instant, the old or the new one is there, whole."""

import contextlib
import os
import tempfile

__all__ = ["link_atomically", "write_atomically"]


def write_atomically(path: str, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file beside its final place, have it reach the disk, and rename it over the old one.

    :param path: of the host; its directory must exist
    :param mode: permissions of a new file; one that exists keeps its own
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
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108
        raise


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
