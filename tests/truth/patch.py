"""Damaging modules field by field, and adding to them what no compiler would."""

import struct
from dataclasses import dataclass
from typing import Self

from lkm.formats.elf.constants import SectionFlag, SectionType
from lkm.formats.elf.reader import Elf, Section

__all__ = ["HEADER", "RELOCATION", "SECTION", "SYMBOL", "Patch"]

# Field → (offset, struct format), of the 64-bit little-endian structures (System V ABI).
HEADER = {
    "class": (4, "B"), "data": (5, "B"), "version": (6, "B"), "osabi": (7, "B"), "e_type": (16, "H"),
    "e_machine": (18, "H"), "e_version": (20, "I"), "e_entry": (24, "Q"), "e_phoff": (32, "Q"), "e_shoff": (40, "Q"),
    "e_flags": (48, "I"), "e_ehsize": (52, "H"), "e_phnum": (56, "H"), "e_shentsize": (58, "H"), "e_shnum": (60, "H"),
    "e_shstrndx": (62, "H"),
}  # fmt: skip
SECTION = {
    "sh_name": (0, "I"), "sh_type": (4, "I"), "sh_flags": (8, "Q"), "sh_addr": (16, "Q"), "sh_offset": (24, "Q"),
    "sh_size": (32, "Q"), "sh_link": (40, "I"), "sh_info": (44, "I"), "sh_addralign": (48, "Q"),
    "sh_entsize": (56, "Q"),
}  # fmt: skip
SYMBOL = {
    "st_name": (0, "I"), "st_info": (4, "B"), "st_other": (5, "B"), "st_shndx": (6, "H"), "st_value": (8, "Q"),
    "st_size": (16, "Q"),
}  # fmt: skip
RELOCATION = {"r_offset": (0, "Q"), "r_type": (8, "I"), "r_sym": (12, "I"), "r_addend": (16, "q")}


@dataclass
class Patch:
    """A module under change; each method changes it and gives it back."""

    data: bytes

    @property
    def elf(self) -> Elf:
        return Elf(self.data)

    def put(self, offset: int, form: str, value: int) -> Self:
        changed = bytearray(self.data)
        struct.pack_into("<" + form, changed, offset, value)
        self.data = bytes(changed)
        return self

    def replaced(self, old: bytes, new: bytes) -> Self:
        assert old in self.data
        assert len(old) == len(new)
        self.data = self.data.replace(old, new)
        return self

    def header(self, field: str, value: int) -> Self:
        offset, form = HEADER[field]
        return self.put(offset, form, value)

    def find(self, which: str | int) -> Section:
        """Find a section by name or number; ``symtab``, ``strtab`` and ``shstrtab`` need no dot."""
        elf = self.elf
        if which == "shstrtab":
            which = elf.section_name_index
        if which == "symtab":
            which = next(found.index for found in elf.sections if found.type == SectionType.SYMTAB)
        if which == "strtab":
            which = self.find("symtab").link
        found = elf.sections[which] if isinstance(which, int) else elf.section(which)
        assert found, which
        return found

    def section(self, which: str | int, field: str, value: int) -> Self:
        offset, form = SECTION[field]
        return self.put(self.elf.header.shoff + 64 * self.find(which).index + offset, form, value)

    def contents(self, which: str | int, offset: int, form: str, value: int) -> Self:
        return self.put(self.find(which).offset + offset, form, value)

    def symbol(self, which: str | int, field: str, value: int) -> Self:
        if isinstance(which, str):
            which = next(index for index, found in enumerate(self.elf.symbols) if found.name == which)
        offset, form = SYMBOL[field]
        return self.contents("symtab", 24 * which + offset, form, value)

    def relocation(self, of: str, index: int, field: str, value: int) -> Self:
        offset, form = RELOCATION[field]
        return self.contents(f".rela{of}", 24 * index + offset, form, value)

    # --- additions ----------------------------------------------------------------------------------------------------

    def append(self, contents: bytes, alignment: int = 64) -> int:
        self.data += bytes(-len(self.data) % alignment)
        offset = len(self.data)
        self.data += contents
        return offset

    def move(self, which: str, contents: bytes) -> Self:
        """Give a section other contents."""
        offset = self.append(contents)
        return self.section(which, "sh_offset", offset).section(which, "sh_size", len(contents))

    def rename(self, which: str | int, name: str) -> Self:
        index = self.find(which).index
        names = self.find("shstrtab")
        old = bytes(self.elf.contents(names))
        self.move("shstrtab", old + name.encode() + b"\0")
        return self.section(index, "sh_name", len(old))

    def add_section(  # noqa: PLR0913  a section header has this many fields
        self,
        name: str,
        contents: bytes = bytes(8),
        *,
        kind: int = SectionType.PROGBITS,
        flags: int = SectionFlag.ALLOC,
        size: int | None = None,
        alignment: int = 8,
        link: int = 0,
        info: int = 0,
        entry_size: int = 0,
    ) -> Self:
        """Add a section as the last one."""
        header, count = self.elf.header, len(self.elf.sections)
        table = self.data[header.shoff : header.shoff + 64 * count]
        offset = self.append(contents)
        length = len(contents) if size is None else size
        record = struct.pack("<IIQQQQIIQQ", 0, kind, flags, 0, offset, length, link, info, alignment, entry_size)
        self.header("e_shoff", self.append(table + record)).header("e_shnum", count + 1)
        return self.rename(count, name)

    def add_symbol(self, name: str, *, info: int = 0x10, section: int = 0, value: int = 0, size: int = 0) -> Self:
        """Add a symbol as the last one; by default a global one that is undefined."""
        names, symbols = self.find("strtab"), self.find("symtab")
        texts, table = bytes(self.elf.contents(names)), bytes(self.elf.contents(symbols))
        self.move("strtab", texts + name.encode("utf-8", "surrogateescape") + b"\0")
        return self.move("symtab", table + struct.pack("<IBBHQQ", len(texts), info, 0, section, value, size))

    def add_relocation(self, of: str, kind: int, symbol: str | int, *, offset: int = 0, addend: int = 0) -> Self:
        """Add a relocation to a section, which may have none yet."""
        if isinstance(symbol, str):
            symbol = next(index for index, found in enumerate(self.elf.symbols) if found.name == symbol)
        record = struct.pack("<QIIq", offset, kind, symbol, addend)
        if self.elf.section(f".rela{of}"):
            return self.move(f".rela{of}", bytes(self.elf.contents(self.find(f".rela{of}"))) + record)
        target, symbols = self.find(of).index, self.find("symtab").index
        return self.add_section(
            f".rela{of}",
            record,
            kind=SectionType.RELA,
            flags=SectionFlag.INFO_LINK,
            link=symbols,
            info=target,
            entry_size=24,
        )
