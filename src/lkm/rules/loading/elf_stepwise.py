"""The checks of an ELF file from 6.13: a function for each table, string tables among them.

Source: kernel/module/main.c ``elf_validity_cache_copy`` and the ``elf_validity_cache_…`` that it calls (7.2).
"""

from typing import TYPE_CHECKING

from lkm.formats.elf.constants import SectionType
from lkm.formats.elf.layouts import column
from lkm.rules.loading.elf_joint import struct_module_fault
from lkm.rules.loading.request import IGNORE_MODVERSIONS
from lkm.rules.loading.section_headers import STRUCT_MODULE, WITHOUT_CONTENTS, RawSection, SectionHeaders

if TYPE_CHECKING:
    from lkm.rules.loading.attempt import Attempt

__all__ = ["header_fault", "section_fault"]

_NULL, _SYMTAB = SectionType.NULL.value, SectionType.SYMTAB.value


def header_fault(headers: SectionHeaders) -> str | None:
    """Give the line for the first header that is wrong (``…_sechdrs``, ``…_secstrings``)."""
    if not headers.sections:  # the kernel reads what stands where number 0 would
        return headers.wrong_name_index()
    return headers.first_fault() or _contents_fault(headers) or _names_fault(headers)


def _contents_fault(headers: SectionHeaders) -> str | None:
    for index, section in enumerate(headers.sections[1:], 1):
        if section.type not in WITHOUT_CONTENTS and headers.is_outside(section):
            return f"Invalid ELF section in module (section {index} type {section.type})"
    return None


def _names_fault(headers: SectionHeaders) -> str | None:
    if not headers.has_name_index():
        return headers.wrong_name_index()
    names = headers.sections[headers.name_index]
    if names.type != SectionType.STRTAB:
        return f"Invalid ELF section name table type: {names.type}"
    fault = headers.names_fault()
    if fault:
        return fault
    for index, section in enumerate(headers.sections):
        if section.type != _NULL and section.name >= names.size:
            return f"Invalid ELF section name in module (section {index} type {section.type})"
    return None


def section_fault(attempt: "Attempt", headers: SectionHeaders) -> str | None:
    """Give the line for the first table that is missing, there twice, or not as it should be (``…_index_…``)."""
    if len(headers.all_named(".modinfo")) > 1:
        return "Only one .modinfo section must exist."
    found = headers.all_named(STRUCT_MODULE)
    if len(found) != 1:
        return f"module {attempt.early_name}: Exactly one {STRUCT_MODULE} section must exist."
    fault = struct_module_fault(attempt, headers.sections[found[0]])
    if fault:
        return fault
    symbols = [section for section in headers.sections[1:] if section.type == _SYMTAB]
    if len(symbols) != 1:
        return f"{attempt.early_name}: module has no symbols (stripped?)"
    return (
        _symbol_names_fault(headers, symbols[0])
        or _versions_fault(attempt, headers)
        or _strings_fault(headers, symbols[0])
    )


def _symbol_names_fault(headers: SectionHeaders, symbols: RawSection) -> str | None:
    fault = headers.link_fault(symbols.link)
    if fault:
        return fault
    kind = headers.sections[symbols.link].type
    return None if kind == SectionType.STRTAB else f"Invalid ELF symbol string table type: {kind}"


def _versions_fault(attempt: "Attempt", headers: SectionHeaders) -> str | None:
    """``elf_validity_cache_index_versions``, from 6.14: each CRC has a name."""
    if not attempt.traits.reads_extended_versions or attempt.has_flag(IGNORE_MODVERSIONS):
        return None
    crcs, names = headers.in_memory("__version_ext_crcs"), headers.in_memory("__version_ext_names")
    if bool(crcs) != bool(names):
        return "extended version crc+name presence does not match"
    if not crcs:
        return None
    count = bytes(headers.contents(headers.sections[names])).count(b"\0")
    return "more extended version crcs than names" if headers.sections[crcs].size // 4 > count else None


def _strings_fault(headers: SectionHeaders, symbols: RawSection) -> str | None:
    """``elf_validity_cache_strtab``: the names of symbols stand inside of their table."""
    strings = headers.contents(headers.sections[symbols.link])
    if not strings:
        return "empty symbol string table"
    if strings[0] != 0:
        return "symbol string table missing leading NUL"
    if strings[-1] != 0:
        return "symbol string table isn't NUL terminated"
    structures = headers.structures
    records = headers.contents(symbols)
    whole = records[: len(records) - len(records) % structures.symbol.size]
    offsets = column(whole, structures.symbol, 0, "I", is_native=structures.is_native)
    if offsets and max(offsets) >= len(strings):
        return "symbol name out of bounds in string table"
    return None
