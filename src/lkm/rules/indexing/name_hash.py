"""The order of kmod's hash tables, in which depmod meets modules and symbols that nothing else puts in order.

Facts: kmod 30, shared/hash.c: Paul Hsieh's SuperFastHash with ``char`` as on x86 (signed); entries of one bucket are
sorted by strcmp(3).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from struct import unpack

__all__ = ["MODULE_BUCKETS", "SYMBOL_BUCKETS", "hash_of", "in_bucket_order"]

MODULE_BUCKETS = 512
SYMBOL_BUCKETS = 2048

_MASK = 0xFFFF_FFFF
_FEWEST = 4  # names of one length from which on it pays to hash them together
_LANE = 8  # bytes: the hash has 32 bits, and a shift to the left must not reach the next lane


def in_bucket_order(names: Iterable[bytes], buckets: int) -> list[bytes]:
    """Put names, each once, in the order in which ``hash_iter_next`` gives them.

    :param buckets: how many the table has, a power of 2
    """
    table: defaultdict[int, list[bytes]] = defaultdict(list)
    by_length: defaultdict[int, list[bytes]] = defaultdict(list)
    for name in names:
        by_length[len(name)].append(name)
    for length, alike in by_length.items():
        for name, value in zip(alike, _hashes(alike, length), strict=True):
            table[value & (buckets - 1)].append(name)
    return [name for bucket in sorted(table) for name in sorted(table[bucket])]


def hash_of(name: bytes) -> int:
    """Hash one name (``hash_superfast``), 32 bits."""
    value = len(name)
    whole = value & ~3
    for place in range(0, whole, 4):
        value = value + _half(name, place) & _MASK
        value = (value << 16 ^ _half(name, place + 2) << 11 ^ value) & _MASK
        value = value + (value >> 11) & _MASK
    return _finished(_with_rest(value, name, whole))


def _half(name: bytes, place: int) -> int:
    return name[place] | name[place + 1] << 8


def _with_rest(value: int, name: bytes, place: int) -> int:
    match len(name) - place:
        case 3:
            value = value + _half(name, place) & _MASK
            value ^= value << 16 & _MASK
            value = (value ^ _signed(name[place + 2]) << 18) & _MASK
            value += value >> 11
        case 2:
            value = value + _half(name, place) & _MASK
            value ^= value << 11 & _MASK
            value += value >> 17
        case 1:
            value = value + _signed(name[place]) & _MASK
            value ^= value << 10 & _MASK
            value += value >> 1
    return value & _MASK


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _finished(value: int) -> int:
    for left, right in ((3, 5), (4, 17), (25, 6)):
        value ^= value << left & _MASK
        value = value + (value >> right) & _MASK
    return value


# --- many names of one length at once ---------------------------------------------------------------------------------


def _hashes(names: Sequence[bytes], length: int) -> Iterable[int]:
    """Hash names of one length: each has a lane of 64 bits in one large integer, on which all steps are done."""
    joined = b"".join(names)
    if len(names) < _FEWEST or not joined.isascii():
        return map(hash_of, names)
    count = len(names)
    lanes = _Lanes(joined, length, count)
    value = lanes.constant(length)
    whole = length & ~3
    for place in range(0, whole, 4):
        value = lanes.cut(value + lanes.half(place))
        value = lanes.cut(value << 16) ^ lanes.half(place + 2) << 11 ^ value
        value = lanes.cut(value)
        value = lanes.cut(value + lanes.right(value, 11))
    value = _lanes_with_rest(lanes, value, length, whole)
    for left, right in ((3, 5), (4, 17), (25, 6)):
        value ^= lanes.cut(value << left)
        value = lanes.cut(value + lanes.right(value, right))
    return unpack(f"<{count}Q", value.to_bytes(count * _LANE, "little"))


def _lanes_with_rest(lanes: "_Lanes", value: int, length: int, place: int) -> int:
    match length - place:
        case 3:
            value = lanes.cut(value + lanes.half(place))
            value ^= lanes.cut(value << 16)
            value = lanes.cut(value ^ lanes.column(place + 2) << 18)
            value += lanes.right(value, 11)
        case 2:
            value = lanes.cut(value + lanes.half(place))
            value ^= lanes.cut(value << 11)
            value += lanes.right(value, 17)
        case 1:
            value = lanes.cut(value + lanes.column(place))
            value ^= lanes.cut(value << 10)
            value += lanes.right(value, 1)
    return lanes.cut(value)


class _Lanes:
    """Characters of many names of one length as integers with a lane for each name."""

    __slots__ = ("_bytes", "_length", "_low", "_ones", "count")

    def __init__(self, joined: bytes, length: int, count: int) -> None:
        self._bytes, self._length, self.count = joined, length, count
        self._ones = int.from_bytes(b"\1\0\0\0\0\0\0\0" * count, "little")
        self._low = self._ones * _MASK

    def constant(self, number: int) -> int:
        return self._ones * number

    def cut(self, value: int) -> int:
        return value & self._low

    def right(self, value: int, bits: int) -> int:
        """Shift to the right; what comes in from the next lane lands in the upper half, and is cut off."""
        return value >> bits & self._low

    def column(self, place: int) -> int:
        lanes = bytearray(self.count * _LANE)
        lanes[::_LANE] = self._bytes[place :: self._length]
        return int.from_bytes(lanes, "little")

    def half(self, place: int) -> int:
        lanes = bytearray(self.count * _LANE)
        lanes[::_LANE] = self._bytes[place :: self._length]
        lanes[1::_LANE] = self._bytes[place + 1 :: self._length]
        return int.from_bytes(lanes, "little")
