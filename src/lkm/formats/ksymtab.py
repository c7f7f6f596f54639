"""The symbols that a module or a kernel image exports: the tables that EXPORT_SYMBOL leaves.

Up to Linux 7.0 ``__ksymtab`` holds the symbols for everybody and ``__ksymtab_gpl`` those for GPL-compatible modules;
from 7.1 ``__ksymtab`` holds all of them, and ``__kflagstab`` a byte for each. ``__kcrctab`` and ``__kcrctab_gpl`` hold
their CRCs in the same order. An entry is ``struct kernel_symbol`` (``include/linux/export.h``): value, name and, from
5.4, namespace; either pointers, or 32-bit distances from the field itself (HAVE_ARCH_PREL32_RELOCATIONS). In a module
the fields are filled by relocations, in a linked image they have their values.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from lkm.errors import FormatError
from lkm.formats.elf.constants import ElfType, SectionIndex
from lkm.formats.elf.pointers import Pointers
from lkm.formats.elf.strings import StringTable
from lkm.formats.elf.words import word, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lkm.formats.elf.reader import Elf, Section

    _Find = Callable[[int], int | None]

__all__ = ["Export", "exports"]

_STRINGS = "__ksymtab_strings"
_FLAGS = "__kflagstab"
_GPL_ONLY = 1  # enum ksym_flags, KSYM_FLAG_GPL_ONLY (include/linux/module_symbol.h, 7.1)
# (symbols, CRCs, only for GPL-compatible modules). Linux 5.12 dropped the last three; up to then "gpl_future" warned.
_TABLES = (
    ("__ksymtab", "__kcrctab", False),
    ("__ksymtab_gpl", "__kcrctab_gpl", True),
    ("__ksymtab_gpl_future", "__kcrctab_gpl_future", False),
    ("__ksymtab_unused", "__kcrctab_unused", False),
    ("__ksymtab_unused_gpl", "__kcrctab_unused_gpl", True),
)

_LAYOUTS = ((4, 12), (4, 8), (8, 24), (8, 16))  # bytes of a field, bytes of an entry
_WITHOUT_SECTION = (SectionIndex.UNDEF, SectionIndex.ABS)
_SIGN = 1 << 31
_FEWEST_DISTANCES = 8


class Export(NamedTuple):  # a kernel has ten thousand of them, and a tree more
    """An exported symbol.

    :param name: the symbol
    :param crc: its version (32 bits), or None when its object was built without MODVERSIONS
    :param gpl_only: only modules with a GPL-compatible licence may use it
    :param namespace: what a user must name with ``import_ns``, or None
    """

    name: str
    crc: int | None
    gpl_only: bool
    namespace: str | None


def exports(elf: Elf, *, flagged: bool | None = None) -> tuple[Export, ...]:
    """Read what a module, or a linked kernel image, exports.

    :param elf: a relocatable object, or an image whose section headers were kept (what is inside a vmlinuz has them)
    :param flagged: read it as a kernel does that keeps flags, and so looks at one table only (True), or as one that
        knows no flags (False); None reads what there is
    :returns: the exports in the order of the tables, which are sorted by name
    :raises FormatError: a table has the layout of no kernel, or points outside of the file
    """
    if not elf.mentions_section("__ksymtab"):
        return ()
    found: list[Export] = []
    strings = elf.section(_STRINGS)
    # Most modules export nothing: spare them the search for tables that none has had since 2020.
    for symbols_name, crcs_name, gpl_only in _TABLES[:1] if flagged else _TABLES if strings else _TABLES[:2]:
        table = elf.section(symbols_name)
        if table is not None:
            names = _names(elf, table, strings)
            crcs = _crcs(elf, crcs_name, len(names))
            licences = _licences(elf, table, len(names), gpl_only=gpl_only, flagged=flagged)
            found += [
                Export(name, crc, licence, namespace)
                for (name, namespace), crc, licence in zip(names, crcs, licences, strict=True)
            ]
    return tuple(found)


# --- names and namespaces ---------------------------------------------------------------------------------------------


def _names(elf: Elf, table: Section, strings: Section | None) -> list[tuple[str, str | None]]:
    """Return the name and the namespace of every entry of a table."""
    size = len(elf.contents(table))
    if not size:
        return []
    if strings is None:
        raise FormatError(f"{table.name} without {_STRINGS}", offset=table.offset)
    for find in _readings(elf, table, strings):
        for field, entry in _LAYOUTS if elf.is_64bit else _LAYOUTS[:2]:
            names = _all_found(find, range(field, size, entry)) if size % entry == 0 else None
            if names:
                with_namespace = entry == 3 * field
                namespaces = [find(name + field) for name in range(field, size, entry)] if with_namespace else []
                return _texts(elf, strings, names, namespaces)
    raise FormatError(f"the entries of {table.name} do not name symbols", offset=table.offset)


def _all_found(find: _Find, offsets: range) -> list[int] | None:
    found = []
    for offset in offsets:
        target = find(offset)
        if target is None:
            return None
        found.append(target)
    return found


def _texts(elf: Elf, strings: Section, names: list[int], namespaces: list[int | None]) -> list[tuple[str, str | None]]:
    table = StringTable(elf.contents(strings), len(elf.data))
    stated = [target for target in namespaces if target is not None]
    if min(names + stated) < 0:
        raise FormatError(f"a name lies before {strings.name}", offset=strings.offset)
    # Assembly code leaves the namespace field empty (include/asm-generic/export.h, 6.1), C lets it point to no text.
    texts = iter(table.names(stated))
    named = [(next(texts) or None) if target is not None else None for target in namespaces]
    return list(zip_longest(table.names(names), named))


# --- what the fields of an entry point to -----------------------------------------------------------------------------


def _readings(elf: Elf, table: Section, strings: Section) -> Iterator[_Find]:
    """Yield, for each way to read a table, what tells where in the strings a field points, None for elsewhere."""
    if elf.type == ElfType.REL:
        yield _relocated(elf, table, strings)
    else:
        yield _distances(elf, table, strings)
        yield _pointers(elf, table, strings)


def _relocated(elf: Elf, table: Section, strings: Section) -> _Find:
    pointers = Pointers(elf, table)

    def find(offset: int) -> int | None:
        place = pointers.place(offset, 4)
        return place[1] if place is not None and place[0] == strings.index else None

    return find


def _distances(elf: Elf, table: Section, strings: Section) -> _Find:
    contents = elf.contents(table)
    start = table.address - strings.address

    def find(offset: int) -> int | None:
        target = start + offset + word(elf, contents, offset, 4, signed=True)
        return target if 0 <= target < strings.size else None

    return find


def _pointers(elf: Elf, table: Section, strings: Section) -> _Find:
    contents = elf.contents(table)
    size = 8 if elf.is_64bit else 4

    def find(offset: int) -> int | None:
        target = word(elf, contents, offset, size) - strings.address
        return target if 0 <= target < strings.size else None

    return find


# --- licences and CRCs ------------------------------------------------------------------------------------------------


def _licences(elf: Elf, table: Section, count: int, *, gpl_only: bool, flagged: bool | None) -> list[bool]:
    """Return for each entry of a table whether it is for GPL-compatible modules only."""
    is_plain = table.name == _TABLES[0][0]
    flags = elf.contents_of(_FLAGS) if is_plain and flagged is not False else None
    if flags is None:
        return [gpl_only] * count
    if len(flags) < count:
        raise FormatError(f"{len(flags)} flags in {_FLAGS} for {count} symbols", offset=table.offset)
    return [bool(flag & _GPL_ONLY) for flag in flags[:count]]


def _crcs(elf: Elf, name: str, count: int) -> list[int] | list[None]:
    """Return the CRC of each of ``count`` symbols."""
    section = elf.section(name)
    if section is None or not count:
        return [None] * count
    contents = elf.contents(section)
    # Up to Linux 4.9 a CRC took an unsigned long.
    size = 8 if elf.is_64bit and len(contents) == 8 * count else 4
    if len(contents) < size * count:
        raise FormatError(f"{name} has {len(contents)} bytes for {count} symbols", offset=section.offset)
    crcs = words(elf, contents, size)[:count]
    return _relocated_crcs(elf, section, crcs, size) if elf.type == ElfType.REL else _linked_crcs(elf, section, crcs)


def _relocated_crcs(elf: Elf, section: Section, crcs: list[int], size: int) -> list[int]:
    # Up to Linux 5.18 a CRC was the value of __crc_NAME, or stood where this points to (MODULE_REL_CRCS).
    for offset, index, _, addend in elf.relocation_entries(section.index):
        position, rest = divmod(offset, size)
        if rest or position >= len(crcs):
            raise FormatError(f"a relocation outside of the entries of {section.name}", offset=section.offset)
        place, value = elf.symbol_table.place(index)
        value += crcs[position] if addend is None else addend
        crcs[position] = value & 0xFFFFFFFF if place in _WITHOUT_SECTION else _crc_at(elf, place, value)
    return crcs


def _linked_crcs(elf: Elf, section: Section, crcs: list[int]) -> list[int]:
    # MODULE_REL_CRCS again: what all points into one other section are distances, as no CRCs do that by chance.
    places = [section.address + 4 * index + (crc ^ _SIGN) - _SIGN for index, crc in enumerate(crcs)]
    target = elf.section_at(places[0])
    if len(crcs) < _FEWEST_DISTANCES or target is None or target.index == section.index:
        return crcs
    if not all(target.address <= place < target.address + target.size for place in places):
        return crcs
    return [_crc_at(elf, target.index, place - target.address) for place in places]


def _crc_at(elf: Elf, index: int, offset: int) -> int:
    if not 0 < index < len(elf.sections):
        raise FormatError(f"a CRC in section {index}, which does not exist")
    return word(elf, elf.contents(elf.sections[index]), offset, 4)
