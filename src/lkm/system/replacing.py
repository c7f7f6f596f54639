"""Replacing many files: each is whole at any instant, the old or the new one, and the disk is waited for only once.

All are written beside their places; then they are made to reach the disk; then each is renamed. Where the system stops
in between, the renamed files are there whole and the others are as they were.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Self

from lkm.errors import ChangedMeanwhile, LkmError, PrivilegeMissing

__all__ = ["FileState", "Replacements", "open_file"]

_LONGEST_PART = 80  # bytes of a name in the one that it has for a while, or that is too long
_MANY = 8  # files, from which on one syncfs is cheaper than an fsync each
# What vouches for the contents that were (security/integrity/{ima,evm}, 6.1).
_ABOUT_CONTENTS = ("security.ima", "security.evm")


class FileState(NamedTuple):
    """A file as it was when it was read.

    :param status: of the file itself, no link
    :param attributes: its extended attributes, as far as they can be read
    """

    status: os.stat_result
    attributes: dict[str, bytes]

    @property
    def vouchers(self) -> tuple[str, ...]:
        """The extended attributes that hold for these contents only, and that a replacement does not take over."""
        return tuple(name for name in self.attributes if name in _ABOUT_CONTENTS)


def open_file(path: str) -> tuple[int, FileState]:
    """Open a file for reading, and note what a replacement is to be like.

    :param path: of the host
    :returns: (descriptor, which the caller closes, its state)
    :raises OSError: it can't be opened
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        return fd, FileState(os.fstat(fd), dict(_attributes(fd)))
    except BaseException:
        os.close(fd)
        raise


class _Written(NamedTuple):
    """A file that waits beside its place."""

    path: str
    temporary: str
    old: FileState | None


class Replacements:
    """Files that are written, and are not yet in their places.

    A context manager: what is not in its place when it is left is taken away.
    """

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[_Written] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._waiting:
            _remove(self._waiting.pop().temporary)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(
        self, path: str, pieces: Sequence[bytes | memoryview], *, like: FileState | None = None, is_old: bool = True
    ) -> None:
        """Write a file beside its place.

        :param path: of the host, no link; its directory must exist
        :param pieces: its contents
        :param like: whose owner, permissions and extended attributes it gets; by default those of a new file
        :param is_old: ``like`` is the file in this place: it is replaced only if it is still the same then
        :raises LkmError: it can't be written; nothing is left of it
        """
        written = _Written(path, _beside(path), like if is_old else None)
        mode = 0o666 if like is None else 0o600
        try:  # an interruption comes right behind a call, so what makes the file stands in here, too
            fd = os.open(written.temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode)
            with open(fd, "wb", buffering=0) as file:  # noqa: PTH123  a descriptor
                _write(file.fileno(), pieces)
                if like is not None:
                    _liken(file.fileno(), like)
            self._waiting.append(written)
        except OSError as error:
            if not isinstance(error, FileExistsError):  # it would be somebody else's
                _remove(written.temporary)
            raise _unwritten(path, error) from error
        except BaseException:
            _remove(written.temporary)
            raise

    def carry_out(self) -> list[LkmError | None]:
        """Have all files reach the disk, and put each in its place.

        :returns: for each file in the order of adding, None or why the old one is still there
        """
        unsafe = _sync([written.temporary for written in self._waiting])
        found: list[LkmError | None] = []
        while self._waiting:
            written = self._waiting[0]
            error = unsafe or _put(written)
            if error is not None:
                _remove(written.temporary)
            del self._waiting[0]
            found.append(_unwritten(written.path, error) if isinstance(error, OSError) else error)
        return found


def _beside(path: str) -> str:
    """Give a name for a while, in the same directory; depmod passes it over, for it does not end as a module file's."""
    directory, name = os.path.split(path)
    short = os.fsdecode(os.fsencode(name)[:_LONGEST_PART])
    return os.path.join(directory, f".{short}.{os.getpid()}.{time.monotonic_ns()}")  # noqa: PTH118  pathlib is dear


def _put(written: _Written) -> OSError | LkmError | None:
    try:
        if written.old is not None and not _is_same(os.stat(written.path), written.old.status):  # noqa: PTH116
            hint = "something else writes there: look what, and call again"
            return ChangedMeanwhile("the file was changed meanwhile and is left alone", where=written.path, hint=hint)
        os.replace(written.temporary, written.path)  # noqa: PTH105  pathlib is dear
    except OSError as error:
        return error
    return None


def _is_same(now: os.stat_result, then: os.stat_result) -> bool:
    return all(getattr(now, field) == getattr(then, field) for field in ("st_dev", "st_ino", "st_size", "st_mtime_ns"))


def _write(fd: int, pieces: Sequence[bytes | memoryview]) -> None:
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[os.write(fd, view) :]


def _liken(fd: int, like: FileState) -> None:
    """Give a file owner, permissions and extended attributes, as far as this process may."""
    own, status = os.fstat(fd), like.status
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(fd, status.st_uid, status.st_gid)
    os.fchmod(fd, status.st_mode & 0o7777)
    there = dict(_attributes(fd)) if like.attributes else {}
    for name, value in like.attributes.items():
        if name not in _ABOUT_CONTENTS and there.get(name) != value:
            with contextlib.suppress(OSError):  # another file system, or no privilege: the file is worth more
                os.setxattr(fd, name, value)


def _attributes(fd: int) -> Iterator[tuple[str, bytes]]:
    with contextlib.suppress(OSError):
        for name in os.listxattr(fd):
            with contextlib.suppress(OSError):
                yield name, os.getxattr(fd, name)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108  as above


def _unwritten(path: str, error: OSError) -> LkmError:
    what = f"can't be written: {(error.strerror or str(error)).lower()}"
    if isinstance(error, PermissionError):
        hint = "run as root, or as a user who may write in that directory"
        return PrivilegeMissing(what, where=path, hint=hint)
    return LkmError(what, where=path, hint="the file is as it was")


# --- the disk ---------------------------------------------------------------------------------------------------------


def _sync(paths: list[str]) -> OSError | None:
    """Have files reach the disk: a few one by one, many by one call for each file system that they are on."""
    try:
        if len(paths) < _MANY or not _sync_file_systems(paths):
            for path in paths:
                _with_descriptor(path, os.fsync)
    except OSError as error:
        return error
    return None


def _sync_file_systems(paths: list[str]) -> bool:
    """Call syncfs(2), which the library of Python does not have; False where the C library has none either."""
    import ctypes  # noqa: PLC0415  dear, and for many files only

    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):
        return False

    def sync(fd: int) -> None:
        if library.syncfs(fd):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    for path in {os.stat(path).st_dev: path for path in paths}.values():  # noqa: PTH116  as above
        _with_descriptor(path, sync)
    return True


def _with_descriptor(path: str, call: Callable[[int], None]) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        call(fd)
    finally:
        os.close(fd)
