"""The section headers of a module as the kernel sees them before it trusts any of them."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from lkm.formats.elf.constants import MAGIC, ElfType, SectionFlag, SectionType
from lkm.formats.elf.layouts import IDENT_SIZE, layout

if TYPE_CHECKING:
    from lkm.formats.elf.layouts import Layout
    from lkm.system.kernel_profile import KernelProfile

__all__ = ["STRUCT_MODULE", "WITHOUT_CONTENTS", "RawSection", "SectionHeaders", "read_headers"]

_LONGEST_NAME = 4096  # longer ones could not be shown in a log line either
_NULL = SectionType.NULL.value
_ALLOC = SectionFlag.ALLOC.value
WITHOUT_CONTENTS = frozenset({_NULL, SectionType.NOBITS.value})
STRUCT_MODULE = ".gnu.linkonce.this_module"


class RawSection(NamedTuple):
    """A section header as it stands in the file."""

    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int


_MAKE_SECTION = partial(tuple.__new__, RawSection)  # what RawSection._make does, without a call of Python's for each


@dataclass(frozen=True)
class SectionHeaders:
    """The headers of a file whose table of them lies inside of it, and nothing else is known of.

    :param data: the module without its signature
    :param name_index: ``e_shstrndx``
    """

    data: memoryview
    structures: "Layout"
    sections: list[RawSection]
    name_index: int

    def is_outside(self, section: RawSection) -> bool:
        """Tell whether a section reaches past the end of the file (``validate_section_offset``)."""
        return section.offset + section.size > len(self.data)

    def has_name_index(self) -> bool:
        """Tell whether there is a section of names."""
        return 0 < self.name_index < len(self.sections)

    def wrong_name_index(self) -> str:
        """Give the line for a section of names that is not there."""
        index = self.name_index
        return f"Invalid ELF section name index: {index} || e_shstrndx ({index}) >= e_shnum ({len(self.sections)})"

    def first_fault(self) -> str | None:
        """Give the line for a section 0 that holds something."""
        first = self.sections[0]
        if first.type == _NULL and not first.size and not first.address:
            return None
        kind = signed(first.type)
        return f"ELF Spec violation: section 0 type({kind})!=SH_NULL or non-zero len or addr"

    def names_fault(self) -> str | None:
        """Give the line for a table of names that is empty or without end."""
        names = self.sections[self.name_index]
        if names.size == 0:
            return "empty section name table"
        if self.data[names.offset + names.size - 1] != 0:
            return "ELF Spec violation: section name table isn't null terminated"
        return None

    def link_fault(self, link: int) -> str | None:
        """Give the line for a symbol table without names."""
        count = len(self.sections)
        if 0 < link < count:
            return None
        shown = signed(link)
        return f"Invalid ELF sh_link!=SHN_UNDEF({shown}) or (sh_link({shown}) >= hdr->e_shnum({count})"

    @cached_property
    def types(self) -> list[int]:
        """The type of every section."""
        return [section.type for section in self.sections]

    @cached_property
    def names(self) -> list[str]:
        """The name of every section, which for hostile ones may begin anywhere behind the table of names."""
        table = self.sections[self.name_index]
        text = str(self.contents(table), "latin-1")
        offsets = [section.name for section in self.sections]
        if text.isascii() and text.endswith("\0") and max(offsets) < len(text):
            return [text[offset : text.index("\0", offset)] for offset in offsets]
        names = []
        for section in self.sections:
            end = text.find("\0", section.name)
            name = text[section.name : end]
            names.append(name if end >= 0 and name.isascii() else _text(self.data, table.offset + section.name))
        return names

    def all_named(self, name: str) -> list[int]:
        """Find the sections of a name, whatever their type, but for number 0."""
        return [index for index, found in enumerate(self.names) if found == name and index]

    def in_memory(self, name: str) -> int:
        """Find the first section of a name that takes up memory; 0 where there is none (``find_sec``)."""
        names = self.names
        if name not in names:
            return 0
        first = names.index(name)
        if first and self.sections[first].flags & _ALLOC:
            return first
        found = (i for i, other in enumerate(names) if other == name and self.sections[i].flags & _ALLOC and i)
        return next(found, 0)

    def contents(self, section: RawSection) -> memoryview:
        """Give the bytes where a section says they are; fewer where the file ends."""
        return self.data[section.offset : section.offset + section.size]

    def whole_strings(self, index: int) -> memoryview:
        """Give the contents of a section of texts, of which the kernel reads the first and the last to their end."""
        section = self.sections[index]
        end = section.offset + max(section.size, 1)
        after = bytes(self.data[end - 1 : end + _LONGEST_NAME]).find(b"\0")
        return self.data[section.offset : end + max(after, 0)]


def _text(data: memoryview, start: int) -> str:
    """Give the text up to a NUL; hostile ones need not be read to their end."""
    return bytes(data[start : start + _LONGEST_NAME]).partition(b"\0")[0].decode("utf-8", "surrogateescape")


def signed(word: int) -> int:
    """Give an Elf32_Word as ``%d`` prints it."""
    return word - (1 << 32) if word >> 31 else word


def read_headers(data: memoryview, profile: "KernelProfile") -> SectionHeaders | str:
    """Check the ELF header and where the section headers are, with which every version begins.

    :returns: the headers, or the line for the first fault
    """
    structures = layout(profile.is_64bit, profile.little_endian)
    if len(data) < IDENT_SIZE + structures.header.size:
        return f"Invalid ELF header len {len(data)}"
    header = structures.header.unpack_from(data, IDENT_SIZE)
    kind, machine, shoff, shentsize, shnum, shstrndx = header[0], header[1], header[5], *header[10:]
    if data[: len(MAGIC)] != MAGIC:
        return "Invalid ELF header magic: != \x7fELF"
    if kind != ElfType.REL:
        return f"Invalid ELF header type: {kind} != {ElfType.REL}"
    if machine != profile.machine:
        return f"Invalid architecture in ELF header: {machine}"
    size = structures.section.size
    if shentsize != size:
        return "Invalid ELF section header size"
    if shoff >= len(data) or shnum * size > len(data) - shoff:
        return "Invalid ELF section header overflow"
    records = structures.section.iter_unpack(data[shoff : shoff + shnum * size])
    return SectionHeaders(data, structures, list(map(_MAKE_SECTION, records)), shstrndx)
