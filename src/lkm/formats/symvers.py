"""Module.symvers: the exported symbols of a kernel build, a row each (Documentation/kbuild/modules.rst)."""

from lkm.errors import FormatError
from lkm.formats.ksymtab import Export
from lkm.formats.module_name import from_path

__all__ = ["by_module"]

_COLUMNS = 4  # the namespace, the fifth, came with 5.4 and may be missing


def by_module(data: bytes) -> dict[str, list[Export]]:
    """Read rows of ``CRC TAB symbol TAB module TAB EXPORT_SYMBOL[_GPL] [TAB namespace]``.

    A build without MODVERSIONS writes a CRC of 0 everywhere; such CRCs are None here. EXPORT_SYMBOL_GPL_FUTURE, of
    kernels before 5.12, counts as for everybody: it only warned.

    :returns: exports by the module's name, those of the kernel image under ``vmlinux``
    :raises FormatError: a row lacks columns or its CRC is no number
    """
    modules: dict[str, list[Export]] = {}
    known: dict[str, list[Export]] = {}  # by the module's column, a path without extension
    has_crcs = False
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        if not line:
            continue
        columns = line.split("\t")
        if len(columns) < _COLUMNS:
            raise FormatError(f"line {number} has {len(columns)} columns instead of {_COLUMNS} or 5")
        crc = _crc(columns[0], number)
        has_crcs = has_crcs or crc != 0
        exports = known.get(columns[2])
        if exports is None:
            exports = known[columns[2]] = modules.setdefault(from_path(columns[2]), [])
        namespace = columns[_COLUMNS] if len(columns) > _COLUMNS else ""
        exports.append(Export(columns[1], crc, columns[3].endswith("_GPL"), namespace or None))
    return modules if has_crcs else {name: [one._replace(crc=None) for one in rows] for name, rows in modules.items()}


def _crc(text: str, line: int) -> int:
    try:
        crc = int(text, 16)
    except ValueError:
        crc = -1
    if not 0 <= crc <= 0xFFFFFFFF:
        raise FormatError(f"line {line} begins with {text[:40]!r}, which is no CRC")
    return crc
