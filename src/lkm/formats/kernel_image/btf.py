"""Sizes of types out of BTF, the description of its types that a kernel image carries for BPF.

Documentation/bpf/btf.rst, include/uapi/linux/btf.h (6.12): a header, the types one behind the other, their names.
"""

from struct import Struct

from lkm.errors import FormatError

__all__ = ["find", "struct_size"]

_MAGIC = 0xEB9F
_BEGIN = b"\x9f\xeb\x01\0\x18\0\0\0\0\0\0\0"  # version 1, a header of 24 bytes, the types right behind it
_STRUCT = 4
_VLEN = 0xFFFF
# Bytes that follow a type, by its kind: (always, for each member).
_FOLLOWING = {
    **dict.fromkeys((2, 7, 8, 9, 10, 11, 12, 16, 18), (0, 0)),  # PTR, FWD, TYPEDEF … FUNC, FLOAT, TYPE_TAG
    **dict.fromkeys((1, 14, 17), (4, 0)),  # INT, VAR, DECL_TAG
    3: (12, 0),  # ARRAY
    **dict.fromkeys((_STRUCT, 5, 15, 19), (0, 12)),  # STRUCT, UNION, DATASEC, ENUM64
    **dict.fromkeys((6, 13), (0, 8)),  # ENUM, FUNC_PROTO
}


def find(image: bytes) -> memoryview:
    """Return what begins as BTF does in a flat, little-endian image, and all that follows; empty where nothing does."""
    place = image.find(_BEGIN)
    return memoryview(image)[place:] if place >= 0 else memoryview(b"")


def struct_size(btf: bytes | memoryview, name: str, *, little_endian: bool = True) -> int | None:
    """Return the size of a struct in bytes; None where there is none of that name.

    :param btf: what the section ``.BTF`` holds
    :raises FormatError: it is no BTF, or of a kind that came later
    """
    data = memoryview(btf)
    order = "<" if little_endian else ">"
    header, record = Struct(order + "HBBIIIII"), Struct(order + "III")
    if len(data) < header.size:
        raise FormatError("the BTF ends inside of its header", offset=len(data))
    magic, _, _, length, types, types_size, names, names_size = header.unpack_from(data)
    if magic != _MAGIC:
        raise FormatError("this is no BTF", offset=0)
    position, end, names = length + types, length + types + types_size, length + names
    if end > len(data) or names + names_size > len(data):
        raise FormatError("the parts of the BTF reach past its end", offset=0)
    # A text stands once in the table, so the types of that name all point to it.
    wanted = bytes(data[names : names + names_size]).find(b"\0" + name.encode() + b"\0") + 1
    while wanted and position + record.size <= end:
        offset, info, size = record.unpack_from(data, position)
        kind = info >> 24 & 0x1F
        if kind == _STRUCT and offset == wanted:
            return int(size)
        if kind not in _FOLLOWING:
            raise FormatError(f"a type of kind {kind}, which is not known", offset=position)
        always, each = _FOLLOWING[kind]
        position += record.size + always + each * (info & _VLEN)
    return None
