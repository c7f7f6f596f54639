"""How far an ELF file reaches by its own account: what stands behind that is something else, as a signature is."""

from typing import TYPE_CHECKING

from lkm.errors import ElfError
from lkm.formats.elf.constants import SectionType

if TYPE_CHECKING:
    from lkm.formats.elf.reader import Elf

__all__ = ["extent"]

_WITHOUT_CONTENTS = frozenset((SectionType.NULL.value, SectionType.NOBITS.value))
_TYPE, _OFFSET, _SIZE = 1, 4, 5  # positions in Layout.section


def extent(elf: "Elf") -> int:
    """Tell where the last byte ends that the header, its tables or a section take up.

    :param elf: the file, as far as it goes
    :returns: bytes from the start of the file, at most as many as it has
    :raises ElfError: something of it lies behind the end of the file
    """
    header, table, size = elf.header, elf.section_table, len(elf.data)
    ends = [header.ehsize, header.phoff + header.phnum * header.phentsize]
    if len(table):
        ends.append(header.shoff + len(table) * header.shentsize)
    for number in range(len(table)):
        fields = table.fields(number)
        if fields[_TYPE] not in _WITHOUT_CONTENTS:
            ends.append(fields[_OFFSET] + fields[_SIZE])
    end = max(ends)
    if end > size:
        raise ElfError(f"the file ends too early: by its headers it has {end} bytes, and {size} are there", offset=size)
    return end
