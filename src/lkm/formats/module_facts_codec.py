"""Facts about many modules as bytes and back: numbers, then names with a NUL between them.

What modules say about themselves and what they link with are packed apart, because different processes need them.
Reading either makes lists of bytes and nothing else, whatever the input; one that contradicts itself is an error.
"""

from array import array
from collections.abc import Sequence
from itertools import accumulate, chain, count, pairwise
from struct import Struct

from lkm.errors import FormatError
from lkm.formats.module_facts import ModuleSymbols, ModuleTexts

__all__ = ["FORMAT", "PackedSymbols", "PackedTexts", "encode_symbols", "encode_texts"]

FORMAT = 2
"""To be raised whenever the layout, or what the facts mean, changes."""

_COUNT = Struct("=I")
_TEXTS = 3  # lists of a module
_SYMBOLS = 4  # three lists of a module, and its damage


def encode_texts(texts: Sequence[ModuleTexts]) -> bytes:
    """Write what modules say about themselves.

    :param texts: of any number of modules; no name holds a NUL
    """
    lengths = array("I", map(len, chain.from_iterable(texts)))
    names = chain.from_iterable(chain.from_iterable(texts))
    return b"".join((_COUNT.pack(len(texts)), lengths.tobytes(), b"\0".join(names)))


class PackedTexts:
    """What :func:`encode_texts` wrote, found to be sound and not unpacked yet.

    :param data: written on a machine of this byte order
    :raises FormatError: this is something else
    """

    __slots__ = ("_data", "_lengths", "_start")

    def __init__(self, data: bytes) -> None:
        self._lengths, self._start = _lengths(data, _TEXTS)
        self._data = data
        total = sum(self._lengths)
        found = data.count(b"\0", self._start) + 1 if total else len(data) - self._start
        if total != found:
            raise FormatError(f"facts with {total} names have {found}", offset=self._start)

    def __len__(self) -> int:
        """Count the modules."""
        return len(self._lengths) // _TEXTS

    def unpack(self) -> list[ModuleTexts]:
        """Give the texts of each module."""
        names = self._data[self._start :].split(b"\0")
        lists = [names[a:b] for a, b in pairwise(accumulate(self._lengths, initial=0))]
        return list(map(ModuleTexts, lists[::_TEXTS], lists[1::_TEXTS], lists[2::_TEXTS]))


def encode_symbols(symbols: Sequence[ModuleSymbols]) -> bytes:
    """Write what modules link with: most of their needs are the same few, so each name stands once.

    :param symbols: of any number of modules; no name holds a NUL
    """
    lengths = array(
        "I", [number for one in symbols for number in (len(one.exports), len(one.needs), len(one.weak), one.damage)]
    )
    names = list(chain.from_iterable([(*one.exports, *one.needs, *one.weak) for one in symbols]))
    numbers = dict(zip(dict.fromkeys(names), count(), strict=False))
    places = array("I", map(numbers.__getitem__, names))
    return b"".join((_COUNT.pack(len(symbols)), lengths.tobytes(), places.tobytes(), b"\0".join(numbers)))


class PackedSymbols:
    """What :func:`encode_symbols` wrote, found to be sound and not unpacked yet.

    :param data: written on a machine of this byte order
    :raises FormatError: this is something else
    """

    __slots__ = ("_damages", "_data", "_lengths", "_places", "_start")

    def __init__(self, data: bytes) -> None:
        lengths, begin = _lengths(data, _SYMBOLS)
        self._damages = lengths[_SYMBOLS - 1 :: _SYMBOLS]
        lengths[_SYMBOLS - 1 :: _SYMBOLS] = [0] * len(self._damages)
        places = array("I")
        self._start = begin + sum(lengths) * places.itemsize
        if self._start > len(data):
            raise FormatError(f"facts with {sum(lengths)} names do not fit into {len(data)} bytes", offset=begin)
        places.frombytes(data[begin : self._start])
        self._data, self._lengths, self._places = data, lengths, places.tolist()
        largest, found = max(self._places, default=0), data.count(b"\0", self._start) + 1
        if largest >= found:
            raise FormatError(f"facts name the name {largest} of {found}", offset=begin)

    def __len__(self) -> int:
        """Count the modules."""
        return len(self._damages)

    def unpack(self) -> list[ModuleSymbols]:
        """Give the symbols of each module; equal names are one object, whose hash is worked out once."""
        table = self._data[self._start :].split(b"\0")
        names = list(map(table.__getitem__, self._places))
        lists = [names[a:b] for a, b in pairwise(accumulate(self._lengths, initial=0))]
        return list(map(ModuleSymbols, lists[::_SYMBOLS], lists[1::_SYMBOLS], lists[2::_SYMBOLS], self._damages))


def _lengths(data: bytes, width: int) -> tuple[list[int], int]:
    """Read the numbers at the beginning, so many of each module, and tell where they end."""
    if len(data) < _COUNT.size:
        raise FormatError("facts without a number of modules", offset=0)
    (modules,) = _COUNT.unpack_from(data)
    lengths = array("I")
    end = _COUNT.size + modules * width * lengths.itemsize
    if end > len(data):
        raise FormatError(f"facts of {modules} modules do not fit into {len(data)} bytes", offset=0)
    lengths.frombytes(data[_COUNT.size : end])
    return lengths.tolist(), end
