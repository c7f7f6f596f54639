"""Facts about many modules as bytes and back: numbers, then all names with a NUL between them.

Reading it makes lists of bytes and nothing else, whatever the input; one that contradicts itself is an error.
"""

from array import array
from collections.abc import Sequence
from itertools import accumulate, chain, pairwise
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
    rows = [(one.aliases, one.softdeps, one.weakdeps, one.exports, one.needs, one.weak) for one in facts]
    numbers = array(
        "I", [count for one, row in zip(facts, rows, strict=True) for count in (*map(len, row), one.damage)]
    )
    names = chain.from_iterable(chain.from_iterable(rows))
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
        ends = list(accumulate(lengths[row : row + _LISTS], initial=place))
        aliases, softdeps, weakdeps, exports, needs, weak = (names[a:b] for a, b in pairwise(ends))
        found.append(ModuleFacts(aliases, softdeps, weakdeps, exports, needs, weak, lengths[row + _LISTS]))
        place = ends[-1]
    return found
