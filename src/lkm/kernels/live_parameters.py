"""Parameters of loaded modules and built-ins as files of /sys/module, each read and written under a time limit.

A module's own code answers, and may never: so a process apart does it, which is left alone when it hangs. A read that
hangs in the kernel can't even be killed.
"""

import contextlib
import errno
import os
import select
import signal
import stat
import time
from collections.abc import Callable, Sequence
from functools import partial
from struct import Struct
from typing import NamedTuple

from lkm.errors import LkmError, PrivilegeMissing, Unreadable

__all__ = ["LiveParameter", "read_parameters", "write_parameter"]

_DIRECTORY = "/sys/module"
_PATIENCE = 1.0  # seconds for each file
_MOST_HUNG = 3  # files that may hang before the rest is not tried
_MOST_FILES = 10_000
_PAGE = 65536  # more than a page, which is all that sysfs gives
_RESULT = Struct("=iI")  # errno, bytes of the value


class LiveParameter(NamedTuple):
    """A parameter that the kernel shows.

    :param value: as the kernel shows it, without the newline at its end; None where it was not read
    :param mode: the permissions of its file
    :param problem: why there is no value; empty where there is one
    """

    value: str | None
    mode: int
    problem: str = ""

    @property
    def is_writable(self) -> bool:
        """Whether anybody can write it, root for one."""
        return bool(self.mode & 0o222)


def read_parameters(
    module: str, *, directory: str = _DIRECTORY, patience: float = _PATIENCE
) -> dict[str, LiveParameter] | None:
    """Read all parameters that a module or built-in shows.

    :param module: canonical
    :param patience: how long to wait for each, in seconds
    :returns: by name, sorted; None where the kernel has no such module, or shows nothing of it
    """
    if not module or "/" in module or module in {".", ".."} or not os.path.isdir(f"{directory}/{module}"):  # noqa: PTH112
        return None
    place = f"{directory}/{module}/parameters"
    try:
        names = sorted(os.listdir(place))[:_MOST_FILES]  # noqa: PTH208  pathlib is dear at start-up
    except OSError:
        return {}
    modes = {name: _mode(f"{place}/{name}") for name in names}
    readable = [name for name in names if modes[name] & 0o444]
    values = dict(zip(readable, _read_all([f"{place}/{name}" for name in readable], patience), strict=True))
    return {name: _parameter(modes[name], values.get(name)) for name in names}


def _parameter(mode: int, answer: tuple[int, bytes] | None) -> LiveParameter:
    if answer is None:
        return LiveParameter(None, mode, "can only be written")
    code, raw = answer
    if code == errno.ETIMEDOUT:
        return LiveParameter(None, mode, "did not answer in time")
    if code in {errno.EACCES, errno.EPERM}:
        return LiveParameter(None, mode, "only root can read it")
    if code:
        return LiveParameter(None, mode, os.strerror(code).lower())
    return LiveParameter(raw.decode("utf-8", "surrogateescape").rstrip("\n\0"), mode)


def _mode(path: str) -> int:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116  pathlib is dear at start-up
    except OSError:
        return 0


def write_parameter(
    module: str, name: str, value: str, *, directory: str = _DIRECTORY, patience: float = _PATIENCE
) -> None:
    """Set a parameter of a module that is loaded, or of a built-in.

    :raises PrivilegeMissing: the caller may not
    :raises LkmError: the kernel, or the module's own code, refuses the value, or does not answer
    """
    path = f"{directory}/{module}/parameters/{name}"
    # A write of nothing never reaches the kernel's parser; a NUL does, and ends the text at once.
    raw = value.encode("utf-8", "surrogateescape") or b"\0"
    code = _apart([partial(_write, path, raw)], patience)[0][0]
    if not code:
        return
    if code in {errno.EACCES, errno.EPERM}:
        raise PrivilegeMissing(f"{name} of {module} can't be set: {os.strerror(code).lower()}", where=path)
    if code == errno.ETIMEDOUT:
        raise LkmError("the kernel did not answer in time; whether the value was taken is not known", where=path)
    if code == errno.ENOENT:
        raise Unreadable("there is no such parameter", where=path)
    raise LkmError(f"the kernel refused the value {value!r}: {os.strerror(code).lower()}", where=path)


def _write(path: str, raw: bytes) -> bytes:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        os.write(fd, raw)
    finally:
        os.close(fd)
    return b""


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        return os.read(fd, _PAGE)
    finally:
        os.close(fd)


def _read_all(paths: Sequence[str], patience: float) -> list[tuple[int, bytes]]:
    return _apart([partial(_read, path) for path in paths], patience)


# --- a process apart --------------------------------------------------------------------------------------------------


def _apart(tasks: Sequence[Callable[[], bytes]], patience: float) -> list[tuple[int, bytes]]:
    """Do tasks one after the other in another process; one that hangs is given up, and the next ones done in a new one.

    :returns: for each task an errno, ETIMEDOUT where it hung or was not tried after others hung, and its result
    """
    answers: list[tuple[int, bytes]] = []
    hung = 0
    while len(answers) < len(tasks):
        if hung == _MOST_HUNG:
            answers += [(errno.ETIMEDOUT, b"")] * (len(tasks) - len(answers))
            break
        answers += _do(tasks[len(answers) :], patience)
        if len(answers) < len(tasks):
            answers.append((errno.ETIMEDOUT, b""))
            hung += 1
    return answers


def _do(tasks: Sequence[Callable[[], bytes]], patience: float) -> list[tuple[int, bytes]]:
    """Do tasks in a process until one of them takes too long."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        status = 1
        try:
            os.close(reading)
            _work(tasks, writing)
            status = 0
        finally:
            os._exit(status)  # nothing of the parent's is to be flushed or cleaned up twice
    os.close(writing)
    answers: list[tuple[int, bytes]] = []
    try:
        while len(answers) < len(tasks):
            head = _exactly(reading, _RESULT.size, patience)
            if head is None:
                break
            code, size = _RESULT.unpack(head)
            body = _exactly(reading, size, patience)
            if body is None:
                break
            answers.append((code, body))
    finally:
        os.close(reading)
        if len(answers) < len(tasks):
            os.kill(pid, signal.SIGKILL)
            _reap_soon(pid)
        else:
            os.waitpid(pid, 0)
    return answers


def _reap_soon(pid: int) -> None:
    """Wait a little for a process that was killed: one that hangs in the kernel stays, and is not waited for."""
    with contextlib.suppress(ChildProcessError):
        for _ in range(20):
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
            time.sleep(0.005)


def _work(tasks: Sequence[Callable[[], bytes]], writing: int) -> None:
    for task in tasks:
        try:
            code, value = 0, task()
        except OSError as error:
            code, value = error.errno or errno.EIO, b""
        view = memoryview(_RESULT.pack(code, len(value)) + value)
        while view:
            view = view[os.write(writing, view) :]


def _exactly(fd: int, size: int, patience: float) -> bytes | None:
    """Read so many bytes; None where they do not come in time, or at all."""
    parts: list[bytes] = []
    end = time.monotonic() + patience
    while size:
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return None
        part = os.read(fd, size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
