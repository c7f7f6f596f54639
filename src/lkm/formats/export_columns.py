"""Exports as columns of plain values, for JSON: ten thousand of them read back in milliseconds."""

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any

from lkm.errors import FormatError
from lkm.formats.ksymtab import Export

__all__ = ["from_columns", "grouped", "to_columns"]

_GPL_ONLY = {"0": False, "1": True}


def to_columns(exports: Iterable[Export]) -> dict[str, Any]:
    """Give names, CRCs, licences and namespaces apart from each other, in the order of the exports."""
    rows = list(exports)
    return {
        "names": [row.name for row in rows],
        "crcs": [row.crc for row in rows],
        "gpl_only": "".join("01"[row.gpl_only] for row in rows),
        "namespaces": {str(place): row.namespace for place, row in enumerate(rows) if row.namespace is not None},
    }


def from_columns(columns: object) -> list[Export]:
    """Take the exports back.

    :raises FormatError: something else than :func:`to_columns` gives
    """
    if not isinstance(columns, dict):
        raise FormatError("the exports are no object of columns")
    names, crcs, gpl_only = (columns.get(key) for key in ("names", "crcs", "gpl_only"))
    if not isinstance(names, list) or set(map(type, names)) - {str}:
        raise FormatError("the names of the exports are no list of texts")
    if not isinstance(crcs, list) or set(map(type, crcs)) - {int, type(None)}:
        raise FormatError("the CRCs of the exports are no list of numbers")
    numbers = [crc for crc in crcs if crc is not None]
    if numbers and not 0 <= min(numbers) <= max(numbers) <= 0xFFFFFFFF:
        raise FormatError("a CRC of the exports has more than 32 bits")
    if not isinstance(gpl_only, str) or gpl_only.strip("01"):
        raise FormatError("which exports are only for GPL-compatible modules is no text of 0 and 1")
    if not len(names) == len(crcs) == len(gpl_only):
        raise FormatError("the columns of the exports differ in length")
    licences = map(_GPL_ONLY.__getitem__, gpl_only)
    namespaces = _namespaces(columns.get("namespaces"), len(names))
    return list(map(partial(tuple.__new__, Export), zip(names, crcs, licences, namespaces, strict=True)))


def _namespaces(given: object, count: int) -> list[str | None]:
    found: list[str | None] = [None] * count
    if not isinstance(given, dict):
        raise FormatError("the namespaces of the exports are no object")
    for place, namespace in given.items():
        if not (
            isinstance(namespace, str) and place.isdecimal() and place.isascii() and len(place) < len("4294967296")
        ):
            raise FormatError("a namespace of the exports is no text with a position")
        if int(place) >= count:
            raise FormatError(f"a namespace for export {place} of {count}")
        found[int(place)] = namespace
    return found


def grouped(exports: list[Export], counts: object) -> Mapping[str, tuple[Export, ...]]:
    """Divide exports among modules.

    :param counts: how many each module has, by its name, in the order of the exports
    :raises FormatError: something else, or they don't add up
    """
    if not isinstance(counts, dict) or set(map(type, counts.values())) - {int}:
        raise FormatError("how many exports each module has is no object of numbers")
    if sum(counts.values()) != len(exports) or min(counts.values(), default=0) < 0:
        raise FormatError("the numbers of exports of the modules don't add up")
    following = iter(exports)
    return {name: tuple(islice(following, count)) for name, count in counts.items()}
