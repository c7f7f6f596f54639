"""A directory seen as ``/``: links are followed inside it, and never out of it."""

import errno
import os
import stat

from lkm.errors import RootError, Unreadable

__all__ = ["DEFAULT_LIMIT", "Root"]

DEFAULT_LIMIT = 512 * 1024 * 1024
"""The largest file that is read whole, in bytes, unless the caller says otherwise."""

_CHUNK = 64 * 1024  # more than any file of /proc/sys holds
_MOST_LINKS = 40  # as the kernel: include/linux/namei.h MAXSYMLINKS


class Root:
    """A directory that stands for ``/``.

    Paths are absolute inside the root (``/etc/modprobe.d``); ``..`` and links, absolute ones too, stay inside.
    With the machine's own root every path is handed to the system as it is.

    :param path: a directory of the host
    """

    __slots__ = ("is_host", "path", "prefix")

    def __init__(self, path: str = "/") -> None:
        # POSIX lets a path begin with two slashes; here they mean the same as one.
        self.path = "/" + os.path.abspath(path).lstrip("/")  # noqa: PTH100  pathlib is dear at start-up
        self.is_host = self.path == "/"
        self.prefix = "" if self.is_host else self.path

    def __repr__(self) -> str:
        return f"Root({self.path!r})"

    def display(self, inside: str) -> str:
        """Give the path to show to people: of the host, with no link followed."""
        return self.prefix + inside

    def host_path(self, inside: str) -> str:
        """Give the host's path of a file or directory that need not exist, its links followed inside the root.

        :raises RootError: more than 40 links, or no file system can have such a path
        """
        if "\0" in inside or "\0" in self.prefix:
            raise RootError("the path holds a NUL character", where=repr(self.prefix + inside)[:80])
        try:
            os.fsencode(inside)
        except UnicodeEncodeError:
            raise RootError("the path can't be written in the locale's encoding", where=repr(inside)[:80]) from None
        return inside if self.is_host else self.prefix + self._followed(inside)

    def _followed(self, inside: str) -> str:
        pending = inside.split("/")[::-1]
        done: list[str] = []
        links = 0
        while pending:
            part = pending.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                if done:
                    done.pop()
                continue
            target = self._link_target("/".join((self.prefix, *done, part)))
            if target is None:
                done.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise RootError("too many levels of links", where=self.display(inside), hint="mend the loop of links")
            if target.startswith("/"):
                done.clear()
            pending.extend(target.split("/")[::-1])
        return "/" + "/".join(done)

    @staticmethod
    def _link_target(host: str) -> str | None:
        try:
            return os.readlink(host)  # noqa: PTH115
        except OSError:
            return None

    def find(self, inside: str) -> str | None:
        """Give the host's path of something that exists, or None."""
        try:
            host = self.host_path(inside)
            os.stat(host)  # noqa: PTH116
        except (OSError, RootError):
            return None
        return host

    def exists(self, inside: str) -> bool:
        """Tell whether a path leads to anything."""
        return self.find(inside) is not None

    def is_dir(self, inside: str) -> bool:
        """Tell whether a path leads to a directory."""
        host = self.find(inside)
        return host is not None and os.path.isdir(host)  # noqa: PTH112

    def is_file(self, inside: str) -> bool:
        """Tell whether a path leads to a regular file."""
        host = self.find(inside)
        return host is not None and os.path.isfile(host)  # noqa: PTH113

    def listdir(self, inside: str) -> tuple[str, ...]:
        """List a directory's names, sorted by their bytes; none where it is missing or can't be read."""
        try:
            return tuple(sorted(os.listdir(self.host_path(inside)), key=os.fsencode))  # noqa: PTH208
        except (OSError, RootError):
            return ()

    def stat(self, inside: str) -> os.stat_result:
        """Stat what a path leads to.

        :raises Unreadable: it does not exist or can't be reached
        """
        try:
            return os.stat(self.host_path(inside))  # noqa: PTH116
        except OSError as error:
            raise self._unreadable(inside, error) from error

    def open_fd(self, inside: str) -> int:
        """Open a regular file for reading and give its descriptor, which the caller closes.

        :raises Unreadable: it does not exist, can't be opened, or is no regular file
        """
        try:
            fd = os.open(self.host_path(inside), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            raise self._unreadable(inside, error) from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            is_dir = stat.S_ISDIR(os.fstat(fd).st_mode)
            os.close(fd)
            raise Unreadable("is a directory" if is_dir else "is not a regular file", where=self.display(inside))
        return fd

    def read_bytes(self, inside: str, *, limit: int = DEFAULT_LIMIT) -> bytes:
        """Read a whole regular file; files of /proc and /sys, whose size is not known beforehand, too.

        :param limit: the most bytes to read
        :raises Unreadable: it does not exist, can't be read, is no regular file, or is larger than the limit
        """
        fd = self.open_fd(inside)
        try:
            return self._read(fd, limit)
        except OSError as error:
            raise self._unreadable(inside, error) from error
        except _TooLargeError:
            raise Unreadable(
                f"is larger than {limit >> 20} MiB", where=self.display(inside), hint="this is not what it should be"
            ) from None
        finally:
            os.close(fd)

    @staticmethod
    def _read(fd: int, limit: int) -> bytes:
        size = os.fstat(fd).st_size
        if size > limit:
            raise _TooLargeError
        # A sysctl answers one read only: what does not fit into it is gone (kernel/sysctl.c proc_dointvec).
        chunk = os.read(fd, max(size + 1, _CHUNK))
        chunks = [chunk]
        total = len(chunk)
        # One read is the whole of a plain file; files of /proc say 0 and give a page at a time.
        while chunk and total != size:
            chunk = os.read(fd, _CHUNK)
            chunks.append(chunk)
            total += len(chunk)
            if total > limit:
                raise _TooLargeError
        return b"".join(chunks) if len(chunks) > 1 else chunks[0]

    def read_text(self, inside: str, *, limit: int = DEFAULT_LIMIT) -> str:
        """Read a file as UTF-8; bytes that are not are kept as surrogates.

        :raises Unreadable: as :meth:`read_bytes`
        """
        return self.read_bytes(inside, limit=limit).decode("utf-8", "surrogateescape")

    def _unreadable(self, inside: str, error: OSError) -> Unreadable:
        hint = None
        if error.errno in {errno.EACCES, errno.EPERM}:
            hint = "run as root, or as a user who may read it"
        return Unreadable((error.strerror or str(error)).lower(), where=self.display(inside), hint=hint)


class _TooLargeError(Exception):
    """More bytes than the limit."""
