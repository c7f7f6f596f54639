"""Facts about many modules as bytes and back: numbers, then all names with a NUL between them.

Reading it makes lists of bytes and nothing else, whatever the input; one that contradicts itself is an error.
"""

from array import array
from collections.abc import Sequence
from itertools import chain
from struct import Struct

from lkm.errors import FormatError
from lkm.formats.module_facts import ModuleFacts

__all__ = ["FORMAT", "decode", "encode"]

FORMAT = 1
"""To be raised whenever the layout, or what the facts mean, changes."""

_COUNT = Struct("<I")
_LISTS = 6
_NUMBERS = _LISTS + 1  # the lengths of the lists, and the damage


def encode(facts: Sequence[ModuleFacts]) -> bytes:
    """Write facts.

    :param facts: of any number of modules; no name holds a NUL
    """
    numbers = array("I", [number for one in facts for number in (*map(len, one[:_LISTS]), one.damage)])
    names = chain.from_iterable(chain.from_iterable([one[:_LISTS] for one in facts]))
    return b"".join((_COUNT.pack(len(facts)), numbers.tobytes(), b"\0".join(names)))


def decode(data: bytes) -> list[ModuleFacts]:
    """Read facts, on a machine of the byte order that wrote them.

    :raises FormatError: this is not what :func:`encode` writes
    """
    begin = _COUNT.size
    if len(data) < begin:
        raise FormatError("facts without a number of modules", offset=0)
    (count,) = _COUNT.unpack_from(data)
    numbers = array("I")
    end = begin + count * _NUMBERS * numbers.itemsize
    if end > len(data):
        raise FormatError(f"facts of {count} modules do not fit into {len(data)} bytes", offset=0)
    numbers.frombytes(data[begin:end])
    lengths = numbers.tolist()
    names = data[end:].split(b"\0")
    total = sum(lengths) - sum(lengths[_LISTS::_NUMBERS])
    if total != (len(names) if end < len(data) or total else 0) or max(lengths, default=0) > len(data):
        raise FormatError(f"facts with {total} names have {len(names)}", offset=end)
    found = []
    place = 0
    for row in range(0, count * _NUMBERS, _NUMBERS):
        lists = []
        for length in lengths[row : row + _LISTS]:
            lists.append(names[place : place + length] if length else [])
            place += length
        found.append(ModuleFacts(*lists, damage=lengths[row + _LISTS]))
    return found
