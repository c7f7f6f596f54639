"""modules.dep: where each module's file is, and which files it needs.

A row is ``kernel/fs/fat/vfat.ko: kernel/fs/fat/fat.ko``. Paths are relative to the module tree, or absolute. The index
modules.dep.bin holds the same rows (kmod 30, tools/depmod.c ``output_deps``, libkmod-module.c
``kmod_module_parse_depline``).
"""

from typing import NamedTuple

from lkm.errors import FormatError
from lkm.formats.module_name import from_path

__all__ = ["Row", "parse", "parse_row"]


class Row(NamedTuple):
    """One module of modules.dep.

    :param path: its file
    :param dependencies: the files of all modules it needs, directly or not; the last one is to be loaded first
    """

    path: str
    dependencies: tuple[str, ...] = ()


def parse(data: bytes) -> dict[str, Row]:
    """Read a whole modules.dep.

    :returns: the rows by the modules' names, in the file's order; of two rows for one name the first
    :raises FormatError: a row has no colon
    """
    rows: dict[str, Row] = {}
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        try:
            row = parse_row(line)
        except FormatError as error:
            raise FormatError(f"line {number}: {error.reason}", hint=error.hint) from None
        rows.setdefault(from_path(row.path), row)
    return rows


def parse_row(row: str) -> Row:
    """Read one row, as the file or the index holds it.

    :raises FormatError: it has no colon
    """
    path, colon, dependencies = row.partition(":")
    if not colon or not path:
        raise FormatError(f"is no row of modules.dep: {row[:80]!r}", hint="write it anew: depmod")
    return Row(path, tuple([word for word in dependencies.replace("\t", " ").split(" ") if word]))
