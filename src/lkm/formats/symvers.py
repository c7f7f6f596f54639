"""Module.symvers: the exported symbols of a kernel build, a row each (Documentation/kbuild/modules.rst)."""

from dataclasses import dataclass

from lkm.errors import FormatError
from lkm.formats.ksymtab import Export

__all__ = ["SymversRow", "parse"]

_COLUMNS = 4  # the namespace, the fifth, came with 5.4 and may be missing


@dataclass(frozen=True, slots=True)
class SymversRow:
    """One symbol.

    :param module: ``vmlinux``, or the module's path without its extension
    """

    export: Export
    module: str


def parse(data: bytes) -> tuple[SymversRow, ...]:
    """Read rows of ``CRC TAB symbol TAB module TAB EXPORT_SYMBOL[_GPL] [TAB namespace]``.

    :raises FormatError: a row lacks columns or its CRC is no number
    """
    rows: list[SymversRow] = []
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        if not line:
            continue
        columns = line.split("\t")
        if len(columns) < _COLUMNS:
            raise FormatError(f"line {number} has {len(columns)} columns instead of {_COLUMNS} or 5")
        try:
            crc = int(columns[0], 16)
        except ValueError:
            raise FormatError(f"line {number} begins with {columns[0]!r}, which is no CRC") from None
        namespace = columns[_COLUMNS] if len(columns) > _COLUMNS else ""
        gpl_only = "_GPL" in columns[3]
        rows.append(SymversRow(Export(columns[1], crc, gpl_only, namespace or None), columns[2]))
    return tuple(rows)
