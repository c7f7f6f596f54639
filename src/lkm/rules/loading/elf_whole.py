"""The checks of an ELF file up to 6.3: one function for the headers, another for the sections that must be there.

Sources: ``elf_validity_check``, ``setup_load_info`` in kernel/module.c (5.10) and kernel/module/main.c (6.1).
"""

from typing import TYPE_CHECKING

from lkm.formats.elf.constants import SectionFlag, SectionType
from lkm.rules.loading.section_headers import STRUCT_MODULE, WITHOUT_CONTENTS, SectionHeaders

if TYPE_CHECKING:
    from lkm.rules.loading.attempt import Attempt

__all__ = ["missing_section", "talkative_fault", "terse_faults"]

_SYMTAB, _ALLOC = SectionType.SYMTAB.value, SectionFlag.ALLOC.value
_SAID_BY_ALL = ("Invalid ELF section in module", "Invalid ELF section name in module")


def terse_faults(headers: SectionHeaders | str) -> tuple[str, ...]:
    """Give the lines of 5.10: a common one for all faults, and before it, for two of them, their own."""
    fault = headers if isinstance(headers, str) else _terse_fault(headers)
    if fault is None:
        return ()
    own = (fault,) if fault.startswith(_SAID_BY_ALL) else ()
    return (*own, "Module has invalid ELF structures")


def _terse_fault(headers: SectionHeaders) -> str | None:
    """As :func:`talkative_fault`, but of an empty table of names the byte before it is looked at."""
    if headers.has_name_index():
        names = headers.sections[headers.name_index]
        if names.size == 0 and 0 < names.offset <= len(headers.data) and headers.data[names.offset - 1] == 0:
            return headers.first_fault() or _section_fault(headers)
    return talkative_fault(headers)


def talkative_fault(headers: SectionHeaders) -> str | None:
    """Give the line of 6.1 for the first thing that is wrong."""
    if not headers.has_name_index():
        return headers.wrong_name_index()
    names = headers.sections[headers.name_index]
    if headers.is_outside(names):
        return f"Invalid ELF section hdr(type {names.type})"
    return headers.names_fault() or headers.first_fault() or _section_fault(headers)


def _section_fault(headers: SectionHeaders) -> str | None:
    limit, end = headers.sections[headers.name_index].size, len(headers.data)
    for index, section in enumerate(headers.sections[1:], 1):
        kind = section.type
        if kind in WITHOUT_CONTENTS:
            continue
        if kind == _SYMTAB and (fault := headers.link_fault(section.link)):
            return fault
        if section.offset + section.size > end:
            return f"Invalid ELF section in module (section {index} type {kind})"
        if section.flags & _ALLOC and section.name >= limit:
            return f"Invalid ELF section name in module (section {index} type {kind})"
    return None


def missing_section(attempt: "Attempt", headers: SectionHeaders) -> str | None:
    """Give the line for a module without symbols, or without struct module in memory (``setup_load_info``)."""
    if _SYMTAB not in headers.types:
        return f"{attempt.early_name}: module has no symbols (stripped?)"
    if not headers.in_memory(STRUCT_MODULE):
        return f"{attempt.early_name}: No module found in object"
    return None
