"""Relocations that the kernel refuses (kernel/module/main.c ``apply_relocations``), and what else the processor asks.

Whether a known one overflows depends on where the kernel puts the module, which nothing foretells.
"""

import errno
from typing import TYPE_CHECKING

from lkm.formats.elf.constants import Machine, SectionFlag, SectionType
from lkm.formats.elf.layouts import layout
from lkm.rules.loading import relocations_arm64, relocations_x86_64
from lkm.rules.loading.attempt import Attempt, Refusal
from lkm.rules.loading.relocated import Relocated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lkm.formats.elf.layouts import Layout
    from lkm.rules.loading.section_headers import RawSection, SectionHeaders

__all__ = ["check_architecture", "check_relocations", "finish_architecture"]

_REL, _RELA = SectionType.REL.value, SectionType.RELA.value
_KINDS = frozenset({_REL, _RELA})
_NOBITS = SectionType.NOBITS.value
_X86_64, _AARCH64 = Machine.X86_64.value, Machine.AARCH64.value
_ALLOC = SectionFlag.ALLOC.value
_LIVEPATCH = 0x00100000  # SHF_RELA_LIVEPATCH (include/uapi/linux/elf.h): applied later, by the live patch


def check_relocations(attempt: Attempt) -> Refusal | None:
    """Refuse the first relocation section with something in it that this processor's kernel does not know."""
    machine = attempt.profile.machine
    if machine not in {_X86_64, _AARCH64}:
        attempt.undecidable.append("whether this processor's kernel knows the relocations")
        return None
    structures = layout(is_64bit=True, little_endian=attempt.profile.little_endian)
    for number, section in _applied(attempt):
        if section.type == _REL:
            attempt.say(f"module {attempt.name}: REL relocation unsupported")
            return Refusal(errno.ENOEXEC)
        records, contents = _parts(attempt.headers, structures, section)
        if machine == _X86_64 and relocations_x86_64.are_plain(attempt, records, contents, structures):
            continue
        relocated = Relocated(number, records, contents, structures)
        if machine == _X86_64:
            lines = relocations_x86_64.faults(attempt, relocated)
        else:
            lines = relocations_arm64.faults(attempt, relocated)
        for line in lines:
            attempt.say(line)
        if lines:
            return Refusal(errno.ENOEXEC)
    return None


def _applied(attempt: Attempt) -> "Iterator[tuple[int, RawSection]]":
    """Give the relocation sections that the kernel applies: those of sections that stay in memory."""
    sections = attempt.headers.sections
    for number, kind in enumerate(attempt.headers.types):
        if kind not in _KINDS:
            continue
        section = sections[number]
        if section.flags & _LIVEPATCH or section.info >= len(sections):
            continue
        in_memory = sections[section.info].flags & _ALLOC and section.info not in attempt.dropped
        if in_memory or (attempt.traits.relocates_percpu and 0 < section.info == attempt.percpu):
            yield number, section


def _parts(
    headers: "SectionHeaders", structures: "Layout", section: "RawSection"
) -> tuple[memoryview, memoryview | None]:
    """Give whole Elf64_Rela, and what the section holds that they apply to."""
    target = headers.sections[section.info]
    records = headers.contents(section)
    left_over = len(records) % structures.rela.size
    whole = records[: len(records) - left_over] if left_over else records
    return whole, None if target.type == _NOBITS else headers.contents(target)


def check_architecture(attempt: Attempt) -> Refusal | None:
    """``module_frob_arch_sections``: what the processor needs in every module."""
    return relocations_arm64.check_plts(attempt) if attempt.profile.machine == _AARCH64 else None


def finish_architecture(attempt: Attempt) -> Refusal | None:
    """``module_finalize``: the same, once the module is relocated."""
    return relocations_arm64.check_trampolines(attempt) if attempt.profile.machine == _AARCH64 else None
