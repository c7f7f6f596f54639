"""What a module imports, and the version (CRC) of each symbol that it was built against."""

from __future__ import annotations

import re
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from lkm.errors import FormatError
from lkm.formats.elf.words import words

if TYPE_CHECKING:
    from lkm.formats.elf.reader import Elf

__all__ = ["Import", "basic_versions", "extended_versions", "imports", "versions"]


_ENTRY = 64  # sizeof(struct modversion_info), for either word size
# The name in each entry: up to a NUL, or all of the field.
_NAMES = {
    8: re.compile(r".{8}(?=([^\0]{0,56})).{56}", re.DOTALL),
    4: re.compile(r".{4}(?=([^\0]{0,60})).{60}", re.DOTALL),
}


class Import(NamedTuple):  # a tree has 300,000 of them: a dataclass takes twice as long
    """A symbol that a module takes from the kernel or another module.

    :param name: the symbol
    :param weak: the module can do without it
    :param crc: the version it was built against, or None when it states none
    """

    name: str
    weak: bool
    crc: int | None


def imports(elf: Elf) -> tuple[Import, ...]:
    """Read what a module imports: its undefined symbols.

    In the order of the symbol table. The names are as they stand there: it is for the caller that x86 kernels provide
    ``_GLOBAL_OFFSET_TABLE_`` themselves (``kernel/module/main.c:ignore_undef_symbol``), and that on 64-bit PowerPC with
    the first ABI a leading dot does not count. SPARC's declared registers are no symbols and are left out.

    :param elf: a module
    :returns: its imports; ``module_layout``, for which there is a version too, is no symbol of the module
    :raises FormatError: the symbol table or the versions can't be read
    """
    stated = versions(elf)
    names, weak = elf.undefined_columns()
    # What Import._make does, without a call of Python's for each.
    return tuple(map(partial(tuple.__new__, Import), zip(names, weak, map(stated.get, names), strict=True)))


def versions(elf: Elf) -> dict[str, int]:
    """Read the versions that a module states, in the extended form where it has that, else in the basic one.

    Kernels from 6.14 use the extended form alone when it is there; others know only the basic one.

    :param elf: a module
    :returns: symbol → CRC, in the file's order; empty when the module states none
    :raises FormatError: as :func:`extended_versions`
    """
    found = extended_versions(elf)
    if found is None:
        found = basic_versions(elf)
    return found or {}


def basic_versions(elf: Elf) -> dict[str, int] | None:
    """Read ``__versions``, an array of ``struct modversion_info`` (``include/linux/module.h``, 6.1), 64 bytes each.

    Bytes that make no whole entry are ignored, as by the kernel (``kernel/module/version.c:check_version``); kmod
    refuses such a section. kmod also drops a leading dot from the names.

    :param elf: a module
    :returns: symbol → CRC as wide as an unsigned long, the first entry of a name counts; None without the section
    :raises FormatError: the section lies outside of the file
    """
    contents = elf.contents_of("__versions")
    if contents is None:
        return None
    order = "<" if elf.little_endian else ">"
    word = 8 if elf.is_64bit else 4
    whole = contents[: len(contents) - len(contents) % _ENTRY]
    crcs = [crc for (crc,) in Struct(order + ("Q56x" if elf.is_64bit else "I60x")).iter_unpack(whole)]
    names = _NAMES[word].findall(str(whole, "latin-1"))
    found = dict(zip(names, crcs, strict=True))
    if len(found) == len(names) and "".join(names).isascii():
        return found
    return _odd_versions(whole, word, crcs)


def _odd_versions(whole: memoryview, word: int, crcs: list[int]) -> dict[str, int]:
    """Read names that come twice or are not ASCII."""
    found: dict[str, int] = {}
    for number, crc in enumerate(crcs):
        field = bytes(whole[number * _ENTRY + word : (number + 1) * _ENTRY])
        found.setdefault(field.partition(b"\0")[0].decode("utf-8", "surrogateescape"), crc)
    return found


def extended_versions(elf: Elf) -> dict[str, int] | None:
    """Read ``__version_ext_crcs`` and ``__version_ext_names`` (``kernel/module/version.c``, 6.18): names of any length.

    :param elf: a module
    :returns: symbol → CRC, the first entry of a name counts; None when both sections are missing
    :raises FormatError: one of them is missing, or there are more CRCs than names
    """
    contents, names = elf.contents_of("__version_ext_crcs"), elf.contents_of("__version_ext_names")
    if contents is None and names is None:
        return None
    if contents is None or names is None:
        raise FormatError("__version_ext_crcs and __version_ext_names must come together")
    crcs = words(elf, contents, 4)
    # One NUL ends each name, so the last piece is what follows the last NUL.
    pieces = bytes(names).split(b"\0")[:-1]
    if len(crcs) > len(pieces):
        raise FormatError(f"{len(crcs)} CRCs in __version_ext_crcs for {len(pieces)} names")
    found: dict[str, int] = {}
    for name, crc in zip(pieces, crcs, strict=False):
        found.setdefault(name.decode("utf-8", "surrogateescape"), crc)
    return found
