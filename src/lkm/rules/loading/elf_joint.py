"""The checks of an ELF file from 6.4 to 6.12: one function that also finds the sections that must be there.

Source: kernel/module/main.c ``elf_validity_cache_copy`` (6.12).
"""

from typing import TYPE_CHECKING

from lkm.formats.elf.constants import SectionFlag, SectionType
from lkm.rules.loading.elf_whole import talkative_fault
from lkm.rules.loading.section_headers import STRUCT_MODULE, WITHOUT_CONTENTS, RawSection, SectionHeaders

if TYPE_CHECKING:
    from lkm.rules.loading.attempt import Attempt

__all__ = ["header_fault", "section_fault", "struct_module_fault"]

_SYMTAB = SectionType.SYMTAB.value


def header_fault(headers: SectionHeaders) -> str | None:
    """Give the line for the first header that is wrong: as in 6.1, with the same words."""
    return talkative_fault(headers)


def section_fault(attempt: "Attempt", headers: SectionHeaders) -> str | None:
    """Give the line for a section that is missing, or there twice. Those without contents are not seen."""
    if len(_seen(headers, ".modinfo")) > 1:
        return "Only one .modinfo section must exist."
    if sum(section.type == _SYMTAB for section in headers.sections[1:]) != 1:
        return f"{attempt.early_name}: module has no symbols (stripped?)"
    found = _seen(headers, STRUCT_MODULE)
    if len(found) != 1:
        return f"module {attempt.early_name}: Only one {STRUCT_MODULE} section must exist."
    return struct_module_fault(attempt, headers.sections[found[0]])


def _seen(headers: SectionHeaders, name: str) -> list[int]:
    return [index for index in headers.all_named(name) if headers.sections[index].type not in WITHOUT_CONTENTS]


def struct_module_fault(attempt: "Attempt", section: RawSection) -> str | None:
    """Give the line for a struct module that is not as large as the kernel's own."""
    name = attempt.early_name
    if section.type == SectionType.NOBITS:
        return f"module {name}: {STRUCT_MODULE} section must have a size set"
    if not section.flags & SectionFlag.ALLOC:
        return f"module {name}: {STRUCT_MODULE} must occupy memory during process execution"
    expected = attempt.profile.struct_module_size
    if expected is not None and section.size != expected:
        size = "section size must match the kernel's built struct module size at run time"
        return f"module {name}: {STRUCT_MODULE} {size}"
    return None
