"""A module's file with the fields made right that its kernel never looks at, but a careful reader does."""

from typing import TYPE_CHECKING

from lkm.formats.elf.constants import MAGIC, ElfClass, ElfData, SectionType
from lkm.formats.elf.layouts import IDENT_SIZE, column
from lkm.rules.loading.section_headers import WITHOUT_CONTENTS

if TYPE_CHECKING:
    from typing import Literal

    from lkm.rules.loading.section_headers import RawSection, SectionHeaders
    from lkm.system.kernel_profile import KernelProfile

__all__ = ["rectified"]

_STRTAB, _PROGBITS, _SYMTAB = SectionType.STRTAB.value, SectionType.PROGBITS.value, SectionType.SYMTAB.value
_READ_FROM_FILE = ("__versions", "__version_ext_crcs", "__version_ext_names")
_SHOFF, _SIZE_64, _SIZE_32, _TYPE = 5, 32, 20, 4  # a position in Layout.header; offsets in a section header


def rectified(contents: bytes, headers: "SectionHeaders", profile: "KernelProfile") -> bytes:
    """Give the file as the kernel takes it; nearly always that is the file itself.

    It looks neither at the class and byte order in the header, nor, up to 6.12, at the types of the string tables, nor
    at the size of that of the symbols. Versions it reads from the file whatever their section's type.
    """
    elf_class = ElfClass.ELF64 if profile.is_64bit else ElfClass.ELF32
    own = MAGIC + bytes((elf_class, ElfData.LITTLE if profile.little_endian else ElfData.BIG))
    changes = _changes(headers)
    if not changes and contents.startswith(own):
        return contents
    data = bytearray(contents)
    data[: len(own)] = own
    start = headers.structures.header.unpack_from(data, IDENT_SIZE)[_SHOFF]
    order: Literal["little", "big"] = "little" if profile.little_endian else "big"
    for index, (offset, size, value) in changes:
        at = start + index * headers.structures.section.size + offset
        data[at : at + size] = value.to_bytes(size, order)
    return bytes(data)


def _changes(headers: "SectionHeaders") -> list[tuple[int, tuple[int, int, int]]]:
    """Tell which fields to change: section, (offset in its header, bytes, value)."""
    changes = []
    sections = headers.sections
    if sections[headers.name_index].type != _STRTAB:
        changes.append((headers.name_index, (_TYPE, 4, _STRTAB)))
    for name in _READ_FROM_FILE:
        index = headers.in_memory(name)
        if index and sections[index].type in WITHOUT_CONTENTS:
            changes.append((index, (_TYPE, 4, _PROGBITS)))
    symbols = sections[headers.types.index(_SYMTAB)] if _SYMTAB in headers.types else None
    if symbols is not None and 0 < symbols.link < len(sections):
        strings = sections[symbols.link]
        if strings.type != _STRTAB:
            changes.append((symbols.link, (_TYPE, 4, _STRTAB)))
        if _longest_reach(headers, symbols) >= strings.size:
            offset, size = (_SIZE_64, 8) if headers.structures.is_64bit else (_SIZE_32, 4)
            changes.append((symbols.link, (offset, size, max(len(headers.data) - strings.offset, 0))))
    return changes


def _longest_reach(headers: "SectionHeaders", symbols: "RawSection") -> int:
    """Give the largest offset of a symbol's name."""
    structures = headers.structures
    records = headers.contents(symbols)
    whole = records[: len(records) - len(records) % structures.symbol.size]
    return max(column(whole, structures.symbol, 0, "I", is_native=structures.is_native), default=0)
