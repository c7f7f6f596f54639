"""The kernel's checks of the ELF file, on the raw bytes (kernel/module/main.c ``elf_validity_check``, 6.1)."""

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lkm.errors import FormatError
from lkm.formats import module_signature
from lkm.formats.elf.constants import MAGIC, ElfType, SectionFlag, SectionType
from lkm.formats.elf.layouts import IDENT_SIZE, layout
from lkm.rules.loading.attempt import Attempt, Refusal

if TYPE_CHECKING:
    from lkm.formats.elf.layouts import Layout

__all__ = ["check_elf"]


@dataclass(frozen=True, slots=True)
class _Section:
    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int


def check_elf(attempt: Attempt) -> Refusal | None:
    """Refuse what is no relocatable object of this machine, or lies about its parts."""
    profile = attempt.profile
    structures = layout(profile.is_64bit, profile.little_endian)
    contents = memoryview(attempt.request.contents)[: _size_without_signature(attempt)]
    line = _invalid(contents, structures, profile.machine)
    if line:
        attempt.say(line)
        return Refusal(errno.ENOEXEC)
    return Refusal(errno.ENOEXEC) if attempt.readable() else None


def _size_without_signature(attempt: Attempt) -> int:
    """Give how much of the file is left of the signature stage, which cuts off what it has looked at."""
    contents = attempt.request.contents
    if attempt.request.flags or not attempt.profile.has("MODULE_SIG"):
        return len(contents)
    try:
        trailer = module_signature.read(contents)
    except FormatError:
        return len(contents)
    if trailer is None:
        return len(contents)
    if trailer.id_type != module_signature.KeyIdType.PKCS7:
        return len(contents) - len(module_signature.MARKER)
    return max(trailer.content_size, 0)


def _invalid(data: memoryview, structures: "Layout", wanted: int) -> str | None:
    """Give the kernel's line for the first thing that is wrong, in its order."""
    if len(data) < IDENT_SIZE + structures.header.size:
        return f"Invalid ELF header len {len(data)}"
    kind, machine, _, _, _, shoff, _, _, _, _, shentsize, shnum, shstrndx = structures.header.unpack_from(
        data, IDENT_SIZE
    )
    if data[: len(MAGIC)] != MAGIC:
        return "Invalid ELF header magic: != \x7fELF"
    if kind != ElfType.REL:
        return f"Invalid ELF header type: {kind} != {ElfType.REL}"
    if machine != wanted:
        return f"Invalid architecture in ELF header: {machine}"
    size = structures.section.size
    if shentsize != size:
        return "Invalid ELF section header size"
    if shoff >= len(data) or shnum * size > len(data) - shoff:
        return "Invalid ELF section header overflow"
    if shstrndx == 0 or shstrndx >= shnum:
        return f"Invalid ELF section name index: {shstrndx} || e_shstrndx ({shstrndx}) >= e_shnum ({shnum})"
    sections = [_Section(*header[:7]) for header in structures.section.iter_unpack(data[shoff : shoff + shnum * size])]
    return _invalid_names(data, sections[shstrndx]) or _invalid_sections(data, sections, sections[shstrndx])


def _outside(data: memoryview, section: _Section) -> bool:
    return section.offset + section.size > len(data)


def _invalid_names(data: memoryview, names: _Section) -> str | None:
    if _outside(data, names):
        return f"Invalid ELF section hdr(type {names.type})"
    if names.size == 0:
        return "empty section name table"
    if data[names.offset + names.size - 1] != 0:
        return "ELF Spec violation: section name table isn't null terminated"
    return None


def _invalid_sections(data: memoryview, sections: list[_Section], names: _Section) -> str | None:
    first = sections[0]
    if first.type != SectionType.NULL or first.size or first.address:
        return f"ELF Spec violation: section 0 type({_signed(first.type)})!=SH_NULL or non-zero len or addr"
    count = len(sections)
    for index, section in enumerate(sections[1:], 1):
        if section.type in {SectionType.NULL, SectionType.NOBITS}:
            continue
        if section.type == SectionType.SYMTAB and not 0 < section.link < count:
            link = _signed(section.link)
            return f"Invalid ELF sh_link!=SHN_UNDEF({link}) or (sh_link({link}) >= hdr->e_shnum({count})"
        if _outside(data, section):
            return f"Invalid ELF section in module (section {index} type {section.type})"
        if section.flags & SectionFlag.ALLOC and section.name >= names.size:
            return f"Invalid ELF section name in module (section {index} type {section.type})"
    return None


def _signed(word: int) -> int:
    """Give an Elf32_Word as ``%d`` prints it."""
    return word - (1 << 32) if word >> 31 else word
