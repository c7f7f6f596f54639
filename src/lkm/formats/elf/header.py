"""The ELF header: which class and byte order a file has, and where its section headers are."""

from typing import TYPE_CHECKING, NamedTuple

from lkm.errors import ElfError
from lkm.formats.elf.constants import MAGIC, ElfClass, ElfData
from lkm.formats.elf.layouts import IDENT_SIZE, layout

if TYPE_CHECKING:
    from lkm.formats.elf.layouts import Layout

__all__ = ["Header", "class_layout", "read_header"]

EI_CLASS = 4
EI_DATA = 5
_CLASSES = frozenset(ElfClass)
_BYTE_ORDERS = frozenset(ElfData)


class Header(NamedTuple):
    """The fields of ``Elf32_Ehdr`` or ``Elf64_Ehdr`` as they stand in the file, checked against nothing."""

    ident: bytes
    type: int
    machine: int
    version: int
    entry: int
    phoff: int
    shoff: int
    flags: int
    ehsize: int
    phentsize: int
    phnum: int
    shentsize: int
    shnum: int
    shstrndx: int


def read_header(data: bytes | bytearray | memoryview) -> Header:
    """Read the header and nothing behind it, so that a file with a broken section table can still be judged.

    :param data: the file, or as much of it as there is
    :returns: the raw fields
    :raises ElfError: no magic, an unknown class or byte order, or not all of the header is there
    """
    structures = class_layout(data)
    return Header(bytes(data[:IDENT_SIZE]), *structures.header.unpack_from(data, IDENT_SIZE))


def class_layout(data: bytes | bytearray | memoryview) -> "Layout":
    """Return the structures that ``e_ident`` names, once all of the header is known to be there.

    :raises ElfError: as :func:`read_header`
    """
    if data[:4] != MAGIC:
        raise ElfError("not an ELF file: the magic number is missing", offset=0)
    if len(data) < IDENT_SIZE:
        raise ElfError("the file ends inside the ELF header", offset=len(data))
    elf_class, byte_order = data[EI_CLASS], data[EI_DATA]
    if elf_class not in _CLASSES:
        raise ElfError(f"unknown ELF class {elf_class}", offset=EI_CLASS)
    if byte_order not in _BYTE_ORDERS:
        raise ElfError(f"unknown ELF byte order {byte_order}", offset=EI_DATA)
    structures = layout(elf_class == ElfClass.ELF64, byte_order == ElfData.LITTLE)
    if len(data) < IDENT_SIZE + structures.header.size:
        raise ElfError("the file ends inside the ELF header", offset=len(data))
    return structures
