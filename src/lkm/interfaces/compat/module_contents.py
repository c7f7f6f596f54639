"""The contents of a module file as libkmod sees them: read or unpacked, with the errno that it would have met."""

import errno
import mmap
import os
from typing import TYPE_CHECKING

from lkm.errors import ElfError, FormatError, Unreadable
from lkm.formats.compression import DEFAULT_LIMIT, Compression, decompress, detect
from lkm.formats.elf.section_table import SectionTable, read_section_table
from lkm.system.module_file import ModuleFile

if TYPE_CHECKING:
    from typing import Self

    from lkm.formats.elf.reader import Elf

__all__ = ["OpenModule", "contents_of", "elf_of", "refusal", "section_in", "section_of", "section_table_of"]

_SMALLEST_FILE = 6  # bytes that kmod reads to tell a compression
_IDENT_SIZE = 16
_MAGIC = b"\x7fELF"
_BEGIN_SIZE = 64  # bytes: the header of the file
_END_SIZE = 8192  # bytes: as a rule the names and headers of the sections, and the signature


def refusal(number: int, reason: str) -> FormatError:
    """Make an error for which :func:`lkm.interfaces.compat.refusals.errno_of` tells this errno."""
    error = FormatError(reason)
    error.__cause__ = OSError(number, os.strerror(number))
    return error


class OpenModule:
    """A module file that is open for reading, of which a few pages are all that is wanted; unpacked if compressed.

    A context manager: leaving it closes the file.

    Facts: kmod 30, libkmod/libkmod-file.c ``kmod_file_open``.

    :raises Unreadable: it can't be read or unpacked
    :ivar size: in bytes, unpacked
    """

    __slots__ = ("_begin", "_end", "_end_at", "_fd", "size")

    def __init__(self, module: ModuleFile) -> None:
        self._fd = _opened(module)
        try:
            self._read_ends()
        except OSError as error:
            os.close(self._fd)
            raise Unreadable(f"the file can't be read: {error}") from error
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def read(self, offset: int, count: int) -> bytes:
        """Give some bytes, fewer where the file ends.

        :raises Unreadable: they can't be read, or are more than anybody wants
        """
        if offset >= self._end_at:
            start = offset - self._end_at
            return self._end[start : start + count]
        if offset + count <= _BEGIN_SIZE:
            return self._begin[offset : offset + count]
        if count > DEFAULT_LIMIT:
            raise refusal(errno.EFBIG, f"a part of the file has more than {DEFAULT_LIMIT >> 20} MiB")
        try:
            return os.pread(self._fd, count, offset)
        except OSError as error:
            raise Unreadable(f"the file can't be read: {error}") from error

    def _read_ends(self) -> None:
        self.size = os.fstat(self._fd).st_size
        if self.size < _SMALLEST_FILE:
            raise refusal(errno.EINVAL, "the file is too short to be a module")
        self._begin = os.pread(self._fd, _BEGIN_SIZE, 0)
        self._end_at = max(0, self.size - _END_SIZE)
        self._end = os.pread(self._fd, _END_SIZE, self._end_at)
        if not self._begin.startswith(_MAGIC) and detect(self._begin) is not Compression.NONE:
            self._unpack()

    def _unpack(self) -> None:
        # All of it: the end begins at 0.
        self._end, self._end_at = decompress(mmap.mmap(self._fd, self.size, prot=mmap.PROT_READ)), 0
        self.size = len(self._end)


def _opened(module: ModuleFile) -> int:
    try:
        return module.root.open_fd(module.path)
    except Unreadable as error:
        if error.__cause__ is None and module.root.is_dir(module.path):
            raise error from IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        raise


def contents_of(module: ModuleFile) -> bytes:
    """Read the whole of a module.

    :raises Unreadable: it can't be read or unpacked
    """
    with OpenModule(module) as opened:
        return opened.read(0, opened.size)


def elf_of(data: bytes) -> "Elf":
    """Read the headers (kmod 30, libkmod/libkmod-elf.c ``elf_identify``).

    :raises FormatError: this is no ELF file, or a damaged one
    """
    from lkm.formats.elf.reader import Elf  # noqa: PLC0415  modinfo needs a few sections only

    _require_elf(data, len(data))
    return Elf(data)


def section_table_of(module: OpenModule) -> SectionTable:
    """Read the headers of the sections alone.

    :raises FormatError: as :func:`elf_of`
    """
    _require_elf(module.read(0, len(_MAGIC)), module.size)
    return read_section_table(module.read, module.size)


def _require_elf(data: bytes, size: int) -> None:
    if size <= _IDENT_SIZE or not data.startswith(_MAGIC):
        raise refusal(errno.ENOEXEC, "this is no ELF file")


def section_of(elf: "Elf", name: str) -> memoryview:
    """Give the contents of a section; as :func:`section_in`."""
    return section_in(elf.section_table, name)


def section_in(table: SectionTable, name: str) -> memoryview:
    """Give the contents of a section.

    :raises FormatError: there is none of this name, or names of sections can't be read at all
    """
    # kmod passes over sections that lie outside of the file, and insists on a table of names that ends with a NUL.
    try:
        index = table.index(name)
        if index is not None:
            return table.contents(index)
    except ElfError:
        pass  # so it is as if it were not there
    if not _has_names(table):
        raise refusal(errno.EINVAL, "the names of the sections can't be read")
    raise refusal(errno.ENOENT, f"there is no section {name}")


def _has_names(table: SectionTable) -> bool:
    if not 0 < table.name_index < len(table):
        return False
    try:
        names = table.contents(table.name_index)
    except ElfError:
        return False
    return len(names) > 0 and names[-1] == 0
