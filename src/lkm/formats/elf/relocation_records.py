"""Relocations as the file has them: REL or RELA entries, with the symbol and the type in one number."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lkm.formats.elf.layouts import Layout

__all__ = ["Entry", "pack", "unpack"]

Entry = tuple[int, int, int, int | None]
"""Offset, symbol, type, addend; REL entries have no addend."""


def unpack(records: memoryview, structures: "Layout", *, has_addend: bool, mips64el: bool) -> list[Entry]:
    """Take the entries of a section apart.

    :param records: whole records
    :param has_addend: they are RELA entries
    :param mips64el: little-endian MIPS64, where ``r_info`` is no 64-bit number but a 32-bit symbol and then four bytes
        (a second symbol and three types), so that only the symbol is in the file's byte order; the type comes back as
        it would from other MIPS64
    """
    shift, mask = _division(structures)
    entries: list[Entry]
    if has_addend:
        fields = structures.rela.iter_unpack(records)
        entries = [(offset, info >> shift, info & mask, addend) for offset, info, addend in fields]
    else:
        entries = [(offset, info >> shift, info & mask, None) for offset, info in structures.rel.iter_unpack(records)]
    if mips64el:
        return [(offset, low, _swapped(high), addend) for offset, high, low, addend in entries]
    return entries


def pack(entry: Entry, structures: "Layout", *, mips64el: bool) -> bytes:
    """Return the record that :func:`unpack` takes apart, a REL one when there is no addend."""
    offset, symbol, kind, addend = entry
    high, low = (_swapped(kind), symbol) if mips64el else (symbol, kind)
    info = high << _division(structures)[0] | low
    return structures.rel.pack(offset, info) if addend is None else structures.rela.pack(offset, info, addend)


def _division(structures: "Layout") -> tuple[int, int]:
    """Return by how many bits the symbol is shifted in ``r_info``, and the mask of the type."""
    return (32, 0xFFFFFFFF) if structures.is_64bit else (8, 0xFF)


def _swapped(word: int) -> int:
    return int.from_bytes(word.to_bytes(4, "little"), "big")
