"""What an ELF file consists of, as values: sections, symbols, relocations."""

from dataclasses import dataclass

__all__ = ["Relocation", "Section", "Symbol"]


@dataclass(frozen=True, slots=True)
class Section:
    """A section header.

    :ivar index: its number in the table
    :ivar name: the empty string when ``name_offset`` points outside of the name table
    :ivar offset: where its contents begin in the file; not checked against the file's length
    :ivar size: in bytes, of the file or, with NOBITS, of memory
    :ivar name_offset: ``sh_name``
    """

    index: int
    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int
    name_offset: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol.

    :ivar value: an offset into the section in a relocatable object, an address in a linked image
    :ivar section: ``st_shndx``, or the number from the extended table where it says ``XINDEX``
    :ivar extended: the number came from the extended table, so it is never one of the reserved ones
    :ivar other: ``st_other``, the visibility
    """

    name: str
    value: int
    size: int
    section: int
    binding: int
    type: int
    other: int
    extended: bool


@dataclass(frozen=True, slots=True)
class Relocation:
    """A relocation: what to do with the bytes at ``offset`` of the section it applies to.

    :ivar symbol: the index of a symbol
    :ivar addend: ``None`` where the addend is in those bytes (REL)
    """

    offset: int
    symbol: int
    type: int
    addend: int | None
