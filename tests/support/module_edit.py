"""Made-up faults: a module's file with one thing more, for tests of the loader's rules."""

import struct

from lkm.formats.elf.reader import Elf

__all__ = ["with_section"]

_SHOFF, _SHNUM, _SHSTRNDX = 40, 60, 62
_HEADER = struct.Struct("<IIQQQQIIQQ")


def with_section(
    module: bytes, name: str, kind: int, flags: int, contents: bytes = b"", *, size: int = 0, alignment: int = 1
) -> bytes:
    """Add a section to a module of 64 bits, little-endian; its table of names and its headers move to the end.

    :param size: of a section without contents
    """
    elf = Elf(module)
    names = elf.contents(elf.sections[elf.section_name_index]).tobytes()
    headers = bytearray(module[elf.header.shoff : elf.header.shoff + 64 * len(elf.sections)])
    data = bytearray(module)
    place = len(data)
    data += contents
    struct.pack_into("<QQ", headers, 64 * elf.section_name_index + 24, len(data), len(names) + len(name) + 1)
    data += names + name.encode() + b"\0"
    data += bytes(-len(data) % 8)
    headers += _HEADER.pack(len(names), kind, flags, 0, place, size or len(contents), 0, 0, alignment, 0)
    struct.pack_into("<Q", data, _SHOFF, len(data))
    struct.pack_into("<H", data, _SHNUM, len(headers) // 64)
    return bytes(data + headers)
