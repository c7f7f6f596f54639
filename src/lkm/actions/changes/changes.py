"""A set of changes to lkm's own configuration files of a root, carried out as one, and kept in the journal."""

import errno
import os
import re
from collections.abc import Sequence

from lkm.actions.changes.difference import difference
from lkm.errors import ChangedMeanwhile, LkmError, PrivilegeMissing, ReadOnlyFiles, Unreadable, UsageError
from lkm.formats.own_files import is_marked, is_mask_path, is_own_path
from lkm.system.file_contents import Content, Link, put_contents, read_contents
from lkm.system.journal import DIRECTORY, MASK, FileChange, Journal
from lkm.system.root import Root

__all__ = ["MASK", "Changes", "FileChange", "Link"]

_TEMPORARY = re.compile(r"/\.([^/]+)\.[^./]+(?:/[^/]+)?$")  # beside a file that is to be written, see system/atomic.py


class Changes:
    """What is to become of some files; nothing is written before :meth:`carry_out`.

    :param root: the directory that stands for ``/``; paths are inside it
    """

    def __init__(self, root: Root) -> None:
        self.root = root
        self._before: dict[str, Content] = {}
        self._after: dict[str, Content] = {}

    def read(self, path: str) -> Content:
        """Give what a file holds, or what it is going to hold where a change was added.

        :returns: bytes, a :class:`Link`, or None where there is no file
        :raises Unreadable: it can't be read, or is no file
        :raises PrivilegeMissing: only root may read it
        """
        if path not in self._before:
            try:
                self._before[path] = read_contents(self.root, path)
            except Unreadable as error:
                if not isinstance(error.__cause__, PermissionError):
                    raise
                hint = "as root it can be: the same again behind sudo"
                raise PrivilegeMissing(f"can't be read ({error.what})", where=error.where, hint=hint) from error
        return self._after.get(path, self._before[path])

    def read_own(self, path: str) -> bytes:
        """Give the bytes of one of lkm's own files, empty where there is none.

        :raises UsageError: what is there is not lkm's
        """
        self.require_ours(path)
        found = self.read(path)
        return found if isinstance(found, bytes) else b""

    def require_ours(self, path: str) -> None:
        """Make sure that a file is lkm's to write: by its path, and by the mark in its first line if it exists.

        :raises UsageError: it is not
        """
        found = self.read(path)
        where = self.root.display(path)
        if not is_own_path(path):
            if not is_mask_path(path) or found not in {None, MASK}:
                raise UsageError("this file is not lkm's", where=where, hint="change it with an editor")
        elif not (found in {None, MASK} or (isinstance(found, bytes) and is_marked(found))):
            raise UsageError(
                "this file is not lkm's: the mark in its first line is missing",
                where=where,
                hint="rename it, for instance to local.conf, and try again",
            )

    def add(self, path: str, after: Content) -> None:
        """Have a file hold this; None removes it.

        :raises UsageError: it is not lkm's to write
        """
        self.require_ours(path)
        if isinstance(after, bytes) and not (is_own_path(path) and is_marked(after)):
            raise UsageError("lkm writes only files of its own, with its mark", where=self.root.display(path))
        if isinstance(after, Link) and not (after == MASK and is_mask_path(path)):
            raise UsageError("lkm makes no links but to /dev/null", where=self.root.display(path))
        self._after[path] = after

    @property
    def files(self) -> tuple[FileChange, ...]:
        """The files that will change, in the order in which they were added."""
        return tuple(file for file in self._all_files() if file.before != file.after)

    def _all_files(self) -> tuple[FileChange, ...]:
        return tuple(FileChange(path, self._before[path], after) for path, after in self._after.items())

    def __bool__(self) -> bool:
        """Whether anything will change."""
        return bool(self.files)

    def diff(self) -> str:
        """Give the changes as a unified diff; empty where nothing will change."""
        return difference(self.root, self.files)

    def carry_out(self, command: str, *, undoes: int | None = None) -> int | None:
        """Write all files, or none.

        :param command: the words that ask for it, for the journal and for what is said of privilege
        :param undoes: the number of the change that this one takes back
        :returns: the number in the journal; None where nothing was to be changed
        :raises ChangedMeanwhile: a file is no longer what was read
        :raises PrivilegeMissing, ReadOnlyFiles, LkmError: they can't be written; all are as they were
        """
        files = self.files if undoes is None else self._all_files()  # what is undone by hand counts as undone, too
        if not files:
            return None
        journal = Journal(self.root)
        try:
            with journal.locked():
                self._require_unchanged(files)
                number = journal.write(command, files, undoes)
                try:
                    self._write(files)
                except BaseException:
                    journal.drop(number)
                    raise
                return number
        except OSError as error:
            raise self._unwritten(error, command) from error

    def _require_unchanged(self, files: Sequence[FileChange]) -> None:
        for file in files:
            try:
                same = read_contents(self.root, file.path) == file.before
            except Unreadable:
                same = False
            if not same:
                raise ChangedMeanwhile(
                    "the file was changed meanwhile; nothing was written",
                    where=self.root.display(file.path),
                    hint="look at it, and try again",
                )

    def _write(self, files: Sequence[FileChange]) -> None:
        done: list[FileChange] = []
        try:
            for file in files:
                put_contents(self.root, file.path, file.after)
                done.append(file)
        except BaseException:
            for file in reversed(done):
                put_contents(self.root, file.path, file.before)
            raise

    def _unwritten(self, error: OSError, command: str) -> LkmError:
        """Say what could not be written, and that nothing was."""
        name = error.filename if error.filename2 is None else error.filename2
        where = os.fsdecode(name) if isinstance(name, str | bytes) else self.root.display(DIRECTORY)
        where = _TEMPORARY.sub(r"/\1", where)
        reason = (error.strerror or str(error)).lower()
        if error.errno in {errno.EACCES, errno.EPERM}:
            is_root = os.geteuid() == 0
            hint = "lsattr shows whether it is immutable" if is_root else f"do it with privilege: sudo {command}"
            missing = PrivilegeMissing(f"{reason}; nothing was changed", where=where, hint=hint)
            missing.planned = self.diff()
            return missing
        if error.errno == errno.EROFS:
            read_only = ReadOnlyFiles(
                f"{reason}; nothing was changed",
                where=where,
                hint="make it writable, as in: sudo mount -o remount,rw /; image-based systems have their own way",
            )
            read_only.planned = self.diff()
            return read_only
        return LkmError(f"{reason}; nothing was changed", where=where)
