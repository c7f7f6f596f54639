"""The kernel's checks of the ELF file, on the raw bytes (kernel/module/main.c ``elf_validity_check``, 6.1)."""

import errno
import struct
from dataclasses import dataclass

from lkm.formats.elf.constants import ElfType, SectionFlag, SectionType
from lkm.rules.loading.attempt import Attempt, Refusal

__all__ = ["check_elf", "check_module_sections"]

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")  # Elf64_Ehdr of a little-endian kernel; class and order go unchecked
_SECTION = struct.Struct("<IIQQQQIIQQ")


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
    contents = attempt.request.contents
    line = _invalid(contents[: _signed_size(attempt)], attempt.profile.machine)
    if line:
        attempt.say(line)
        return Refusal(errno.ENOEXEC)
    return Refusal(errno.ENOEXEC) if attempt.readable() else None


def _signed_size(attempt: Attempt) -> int:
    """Give the size without an appended signature, which the signature stage has cut off."""
    contents = attempt.request.contents
    trailer = contents[-40:]
    if attempt.request.flags or not trailer.endswith(b"~Module signature appended~\n"):
        return len(contents)
    return max(len(contents) - 40 - int.from_bytes(trailer[8:12], "big"), 0)


def _invalid(data: bytes, wanted: int) -> str | None:
    """Give the kernel's line for the first thing that is wrong, in its order."""
    if len(data) < _HEADER.size:
        return f"Invalid ELF header len {len(data)}"
    ident, kind, machine, _, _, _, shoff, _, _, _, _, shentsize, shnum, shstrndx = _HEADER.unpack_from(data)
    if not ident.startswith(b"\x7fELF"):
        return "Invalid ELF header magic: != \x7fELF"
    if kind != ElfType.REL:
        return f"Invalid ELF header type: {kind} != {ElfType.REL}"
    if machine != wanted:
        return f"Invalid architecture in ELF header: {machine}"
    if shentsize != _SECTION.size:
        return "Invalid ELF section header size"
    if shoff >= len(data) or shnum * _SECTION.size > len(data) - shoff:
        return "Invalid ELF section header overflow"
    if shstrndx == 0 or shstrndx >= shnum:
        return f"Invalid ELF section name index: {shstrndx} || e_shstrndx ({shstrndx}) >= e_shnum ({shnum})"
    sections = [_section(data, shoff + index * _SECTION.size) for index in range(shnum)]
    return _invalid_names(data, sections[shstrndx]) or _invalid_sections(data, sections, sections[shstrndx])


def _section(data: bytes, offset: int) -> _Section:
    name, kind, flags, address, at, size, link, _, _, _ = _SECTION.unpack_from(data, offset)
    return _Section(name, kind, flags, address, at, size, link)


def _outside(data: bytes, section: _Section) -> bool:
    return section.offset + section.size > len(data)


def _invalid_names(data: bytes, names: _Section) -> str | None:
    if _outside(data, names):
        return f"Invalid ELF section hdr(type {names.type})"
    if names.size == 0:
        return "empty section name table"
    if data[names.offset + names.size - 1] != 0:
        return "ELF Spec violation: section name table isn't null terminated"
    return None


def _invalid_sections(data: bytes, sections: list[_Section], names: _Section) -> str | None:
    first = sections[0]
    if first.type != SectionType.NULL or first.size or first.address:
        return f"ELF Spec violation: section 0 type({first.type})!=SH_NULL or non-zero len or addr"
    count = len(sections)
    for index, section in enumerate(sections[1:], 1):
        if section.type in {SectionType.NULL, SectionType.NOBITS}:
            continue
        link = section.link
        if section.type == SectionType.SYMTAB and not 0 < link < count:
            return f"Invalid ELF sh_link!=SHN_UNDEF({link}) or (sh_link({link}) >= hdr->e_shnum({count})"
        if _outside(data, section):
            return f"Invalid ELF section in module (section {index} type {section.type})"
        if section.flags & SectionFlag.ALLOC and section.name >= names.size:
            return f"Invalid ELF section name in module (section {index} type {section.type})"
    return None


def check_module_sections(attempt: Attempt) -> Refusal | None:
    """``setup_load_info``: a symbol table and a struct module must be there, of the kernel's size where it looks."""
    image = attempt.image
    name = image.modinfo.first("name") or "(missing .modinfo section or name field)"
    if not any(section.type == SectionType.SYMTAB for section in image.elf.sections):
        attempt.say(f"{name}: module has no symbols (stripped?)")
        return Refusal(errno.ENOEXEC)
    if image.elf.section(".gnu.linkonce.this_module") is None:
        attempt.say(_missing_struct_module(attempt, name))
        return Refusal(errno.ENOEXEC)
    expected = attempt.profile.struct_module_size
    if attempt.traits.checks_struct_module_size and expected and image.struct_module_size != expected:
        attempt.say(
            f"module {name}: .gnu.linkonce.this_module section size must match the kernel's built struct module size"
            " at run time"
        )
        return Refusal(errno.ENOEXEC)
    return None


def _missing_struct_module(attempt: Attempt, name: str) -> str:
    if attempt.traits.checks_struct_module_size:
        return f"module {name}: Exactly one .gnu.linkonce.this_module section must exist."
    return f"{name}: No module found in object"
