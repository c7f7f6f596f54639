"""The journal of changes to configuration files: what each file held before and after, so that a change can be undone.

One file of JSON a change, ``/var/lib/lkm/changes/NUMBER.json`` of the root, written before the change is carried out.
It is believed only if nobody but its owner, this user or root, can write it, and if it names no file but those that lkm
may write.
"""

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lkm.errors import FormatError, LkmError, Unreadable
from lkm.formats.own_files import is_marked, is_mask_path, is_own_path
from lkm.formats.plain_fields import PlainFields
from lkm.system.atomic import write_atomically
from lkm.system.file_contents import Content, Link
from lkm.system.root import Root

__all__ = ["DIRECTORY", "MASK", "FileChange", "Journal", "Record"]

DIRECTORY = "/var/lib/lkm"
"""Where the journal of a root is."""

MASK = Link("/dev/null")
"""The link that hides a file of the same name in a later directory."""

_RECORDS = f"{DIRECTORY}/changes"
_SCHEMA = "lkm.change/1"
_LARGEST = 32 << 20  # bytes of a record
_MOST_FILES = 1000  # of a record
_MOST_RECORDS = 1000  # the oldest go when there are more
_HIGHEST = 10**9 - 1
_LATEST = 253402300799  # the end of the year 9999, in seconds since 1970
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_PATIENCE = 10.0  # seconds to wait for another that changes files
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class FileChange:
    """What becomes of one file.

    :param path: inside the root
    :param before: bytes, a link, or None where there is no file
    :param after: the same
    """

    path: str
    before: Content
    after: Content


@dataclass(frozen=True, slots=True)
class Record:
    """One change as the journal has it.

    :param number: from 1
    :param time: seconds since 1970
    :param user: who made it: a name, with what it was before sudo
    :param command: the words that made it
    :param undoes: the number of the change that this one takes back
    """

    number: int
    time: int
    user: str
    command: str
    files: tuple[FileChange, ...]
    undoes: int | None = None


class Journal:
    """The journal of a root."""

    def __init__(self, root: Root) -> None:
        self._root = root

    # --- reading ------------------------------------------------------------------------------------------------------

    def numbers(self) -> tuple[int, ...]:
        """List the numbers of the changes that there are records of, the oldest first."""
        names = (name.removesuffix(".json") for name in self._root.listdir(_RECORDS) if name.endswith(".json"))
        return tuple(sorted(int(name) for name in names if _is_number(name)))

    def record(self, number: int) -> Record:
        """Read one record.

        :raises Unreadable: there is none, or it is damaged or not to be believed
        """
        path = f"{_RECORDS}/{number}.json"
        where = self._root.display(path)
        if not self._root.exists(path):
            raise Unreadable(
                f"there is no change {number} in the journal",
                where=self._root.display(_RECORDS),
                hint="lkm undo --list shows them",
            )
        state = self._root.stat(path)
        if state.st_uid not in {0, os.geteuid()} or state.st_mode & _WRITABLE_BY_OTHERS:
            raise Unreadable("others could have written this record: it is not to be believed", where=where)
        data = self._root.read_bytes(path, limit=_LARGEST)
        try:
            record = _unpacked(data)
        except FormatError as error:
            raise FormatError(f"the record is damaged: {error}", where=where) from error
        if record.number != number:
            raise FormatError(f"the record says that it is number {record.number}", where=where)
        return record

    def records(self) -> tuple[tuple[Record, ...], tuple[Unreadable, ...]]:
        """Read the last records, the oldest first, and tell which can't be used."""
        found: list[Record] = []
        bad: list[Unreadable] = []
        for number in self.numbers()[-_MOST_RECORDS:]:
            try:
                found.append(self.record(number))
            except Unreadable as error:
                bad.append(error)
        return tuple(found), tuple(bad)

    # --- writing ------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """Hold the lock, by which only one changes files at a time.

        :raises OSError: the journal can't be written
        :raises LkmError: another holds it for long
        """
        os.makedirs(self._root.host_path(_RECORDS), mode=0o755, exist_ok=True)  # noqa: PTH103  pathlib is dear
        path = self._root.host_path(f"{DIRECTORY}/lock")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            self._wait_for(fd, path)
            yield
        finally:
            os.close(fd)

    @staticmethod
    def _wait_for(fd: int, path: str) -> None:
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno != errno.EWOULDBLOCK:
                    raise
            else:
                return
            if time.monotonic() > end:
                raise LkmError("another lkm is changing files", where=path, hint="try again when it has ended")
            time.sleep(_PAUSE)

    def write(self, command: str, files: Iterable[FileChange], undoes: int | None = None) -> int:
        """Write a record; to be called under the lock.

        :returns: its number
        :raises OSError: it can't be written
        """
        numbers = self.numbers()
        number = numbers[-1] + 1 if numbers else 1
        record = Record(number, int(time.time()), _user(), command, tuple(files), undoes)
        write_atomically(self._path(number), _packed(record))
        for old in numbers[: max(len(numbers) + 1 - _MOST_RECORDS, 0)]:
            self.drop(old)
        return number

    def drop(self, number: int) -> None:
        """Take a record out: what it tells of was not done."""
        with contextlib.suppress(OSError):
            os.unlink(self._path(number))  # noqa: PTH108  pathlib is dear at start-up

    def _path(self, number: int) -> str:
        return self._root.host_path(f"{_RECORDS}/{number}.json")


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and not name.startswith("0") and int(name) <= _HIGHEST


def _user() -> str:
    import pwd  # noqa: PLC0415  only changes need it

    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    before = os.environ.get("SUDO_USER")
    return f"{before[:64]} (as {name})" if before and before != name else name


# --- records and JSON -------------------------------------------------------------------------------------------------


def _packed(record: Record) -> bytes:
    import json  # noqa: PLC0415  as above

    files = [{"path": file.path, "before": _plain(file.before), "after": _plain(file.after)} for file in record.files]
    fields = {
        "schema": _SCHEMA,
        "number": record.number,
        "time": record.time,
        "user": record.user,
        "command": record.command,
        "undoes": record.undoes,
        "files": files,
    }
    return json.dumps(fields, indent=1).encode() + b"\n"


def _plain(content: Content) -> dict[str, str] | None:
    if content is None:
        return None
    if isinstance(content, Link):
        return {"link": content.target}
    return {"text": content.decode("utf-8", "surrogateescape")}


def _unpacked(data: bytes) -> Record:
    import json  # noqa: PLC0415  as above

    try:
        plain = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"it is no JSON: {error}") from error
    if not isinstance(plain, dict):
        raise FormatError("it is no object")
    fields = PlainFields(plain)
    if fields.text("schema") != _SCHEMA:
        raise FormatError(f"its schema is not {_SCHEMA}")
    files = plain.get("files")
    if not isinstance(files, list) or not 0 < len(files) <= _MOST_FILES:
        raise FormatError("it names no files, or too many")
    return Record(
        number=fields.number("number", _HIGHEST),
        time=fields.number("time", _LATEST),
        user=fields.text("user"),
        command=fields.text("command"),
        files=tuple(_file(file) for file in files),
        undoes=None if fields.is_null("undoes") else fields.number("undoes", _HIGHEST),
    )


def _file(plain: object) -> FileChange:
    if not isinstance(plain, dict):
        raise FormatError("one of its files is no object")
    path = PlainFields(plain).text("path")
    file = FileChange(path, _content(plain, "before"), _content(plain, "after"))
    if not all(_may_be_ours(path, content) for content in (file.before, file.after)):
        raise FormatError(f"it tells of a file that is not lkm's: {path[:200]!r}")
    return file


def _content(plain: Mapping[str, Any], name: str) -> Content:
    fields = PlainFields(dict(plain))
    if fields.is_null(name):
        return None
    held = PlainFields(fields.words(name))
    if "link" in plain[name]:
        return Link(held.text("link"))
    try:
        return held.text("text").encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise FormatError(f"its {name} is no text") from error


def _may_be_ours(path: str, content: Content) -> bool:
    """Tell whether lkm can have put this there, or found it there and taken it away."""
    if content is None:
        return is_own_path(path) or is_mask_path(path)
    if isinstance(content, Link):
        return content == MASK and is_mask_path(path)
    return is_own_path(path) and is_marked(content)
