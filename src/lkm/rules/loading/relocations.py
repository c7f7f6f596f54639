"""Relocations that the kernel does not know (arch/x86/kernel/module.c ``apply_relocate_add``, 6.1).

Whether a known one overflows depends on where the kernel puts the module, which nothing foretells.
"""

import errno
from typing import TYPE_CHECKING

from lkm.formats.elf.constants import Machine, SectionFlag, SectionType
from lkm.formats.elf.layouts import column, layout
from lkm.rules.loading.attempt import Attempt, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lkm.formats.elf.reader import Section

__all__ = ["check_relocations"]

_X86_64_TYPES = frozenset({0, 1, 2, 4, 10, 11, 24})  # NONE, 64, PC32, PLT32, 32, 32S, PC64
_TYPE_OFFSET = 8  # in Elf64_Rela: the lower half of r_info
_LIVEPATCH = 0x00100000  # SHF_RELA_LIVEPATCH (include/uapi/linux/elf.h): applied later, by the live patch


def check_relocations(attempt: Attempt) -> Refusal | None:
    """``apply_relocations``, for x86-64: REL sections and unknown types end the load."""
    if attempt.profile.machine != Machine.X86_64:
        return None
    for section in _relocated(attempt.image.elf.sections):
        if section.type == SectionType.REL:
            attempt.say(f"module {attempt.name}: REL relocation unsupported")
            return Refusal(errno.ENOEXEC)
        unknown = next((kind for kind in _types(attempt, section) if kind not in _X86_64_TYPES), None)
        if unknown is not None:
            attempt.say(f"module: {attempt.name}: Unknown rela relocation: {unknown}")
            return Refusal(errno.ENOEXEC)
    return None


def _relocated(sections: "tuple[Section, ...]") -> "Iterable[Section]":
    """Give the relocation sections that the kernel applies: those of sections that stay in memory."""
    for section in sections[1:]:
        if section.type not in {SectionType.REL, SectionType.RELA} or section.flags & _LIVEPATCH:
            continue
        if section.info < len(sections) and sections[section.info].flags & SectionFlag.ALLOC:
            yield section


def _types(attempt: Attempt, section: "Section") -> list[int]:
    structure = layout(True, True).rela  # noqa: FBT003  x86-64
    records = attempt.image.elf.contents(section)
    whole = records[: len(records) - len(records) % structure.size]
    return column(whole, structure, _TYPE_OFFSET, "I", is_native=layout(True, True).is_native)  # noqa: FBT003
