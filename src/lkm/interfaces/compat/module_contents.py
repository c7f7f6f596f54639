"""The contents of a module file as libkmod sees them: mapped or unpacked, with the errno that it would have met."""

import contextlib
import errno
import mmap
import os

from lkm.errors import ElfError, FormatError, Unreadable
from lkm.formats.compression import Compression, decompress, detect
from lkm.formats.elf.reader import Elf
from lkm.system.module_file import ModuleFile

__all__ = ["contents_of", "elf_of", "refusal", "section_of"]

_SMALLEST_FILE = 6  # bytes that kmod reads to tell a compression
_IDENT_SIZE = 16
_MAGIC = b"\x7fELF"


def refusal(number: int, reason: str) -> FormatError:
    """Make an error for which :func:`lkm.interfaces.compat.refusals.errno_of` tells this errno."""
    error = FormatError(reason)
    error.__cause__ = OSError(number, os.strerror(number))
    return error


def contents_of(module: ModuleFile) -> bytes | mmap.mmap:
    """Map a file, of which a few pages are all that is wanted; unpack it where it is compressed.

    Facts: kmod 30, libkmod/libkmod-file.c ``kmod_file_open``.

    :raises Unreadable: it can't be read or unpacked
    """
    try:
        fd = module.root.open_fd(module.path)
    except Unreadable as error:
        if error.__cause__ is None and module.root.is_dir(module.path):
            raise error from IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        raise
    try:
        size = os.fstat(fd).st_size
        if size < _SMALLEST_FILE:
            raise refusal(errno.EINVAL, "the file is too short to be a module")
        data = mmap.mmap(fd, size, prot=mmap.PROT_READ)
    except OSError as error:
        raise Unreadable(f"the file can't be read: {error}") from error
    finally:
        os.close(fd)
    return data if detect(data[:_SMALLEST_FILE]) is Compression.NONE else decompress(data)


def elf_of(data: bytes | mmap.mmap) -> Elf:
    """Read the headers (kmod 30, libkmod/libkmod-elf.c ``elf_identify``).

    :raises FormatError: this is no ELF file, or a damaged one
    """
    if len(data) <= _IDENT_SIZE or data[:4] != _MAGIC:
        raise refusal(errno.ENOEXEC, "this is no ELF file")
    return Elf(data)


def section_of(elf: Elf, name: str) -> memoryview:
    """Give the contents of a section.

    :raises FormatError: there is none of this name, or names of sections can't be read at all
    """
    # kmod passes over sections that lie outside of the file, and insists on a table of names that ends.
    with contextlib.suppress(ElfError):
        found = elf.contents_of(name)
        if found is not None:
            return found
    if not _has_names(elf):
        raise refusal(errno.EINVAL, "the names of the sections can't be read")
    raise refusal(errno.ENOENT, f"there is no section {name}")


def _has_names(elf: Elf) -> bool:
    if not 0 < elf.section_name_index < elf.section_count:
        return False
    try:
        names = elf.contents(elf.sections[elf.section_name_index])
    except ElfError:
        return False
    return len(names) > 0 and names[-1] == 0
