"""Writing kmod's binary index: keys with values in a trie, byte for byte as kmod 30 writes it.

Facts: tools/depmod.c ``index_insert``, ``index_add_value``, ``index_write``: children stand before their parents, by
label; the root has no prefix; values of a key come by priority, of equal ones the one that was added last first.

The keys are sorted; where two neighbours part, a node ends. So one pass over them meets each node when it is complete,
and keys may be longer than Python's recursion is deep.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from operator import itemgetter
from struct import Struct
from typing import NamedTuple

from lkm.errors import FormatError

__all__ = ["Entry", "Rows", "encode", "encode_rows", "row_value"]

_MAGIC = 0xB007F457
_VERSION = 0x0002_0001
_PREFIX, _VALUES, _CHILDREN = 0x8000_0000, 0x4000_0000, 0x2000_0000
_LARGEST = 0x0FFF_FFFF  # offsets have 28 bits
_HEADER = Struct(">III")
_WORD = Struct(">I")
_ONE = _WORD.pack(1)
_WIDTH = 40  # bytes of a key that are compared at once
_PORTION = 512  # keys that are packed at once
_TO_1 = bytes([0]) + bytes([1]) * 255

Rows = tuple[list[bytes], list[bytes]]
"""Keys, and to each a value as :func:`row_value` gives it, in the order in which kmod adds them."""


class Entry(NamedTuple):
    """One value of a key.

    :param key: ASCII without NUL
    :param value: without NUL
    :param priority: values of one key are sorted by it, lowest first
    """

    key: str
    value: str
    priority: int = 0


def encode(entries: Iterable[Entry]) -> bytes:
    """Give the index file's bytes.

    :raises FormatError: a key is not ASCII, or a text holds a NUL
    """
    keys: list[bytes] = []
    values: list[bytes] = []
    for entry in entries:
        key, value = entry.key.encode("utf-8", "surrogateescape"), entry.value.encode("utf-8", "surrogateescape")
        if not key.isascii() or b"\0" in key + value:
            raise FormatError(f"an index can't hold the key {entry.key!r}: it must be ASCII without NUL")
        keys.append(key)
        values.append(row_value(value, entry.priority))
    return encode_rows((keys, values))


def row_value(value: bytes, priority: int) -> bytes:
    """Give a value as the file has it where a key has no other: a module has many aliases, and this once for all.

    :param value: without NUL
    :returns: 4 bytes of number, 4 of priority, the value, NUL
    """
    return b"%b%b%b\0" % (_ONE, _WORD.pack(priority), value)


def encode_rows(rows: Rows) -> bytes:
    """Give the index file's bytes.

    :param rows: keys are ASCII without NUL
    :raises FormatError: there is more than an index can refer to
    """
    table = _values(*rows)
    keys = sorted(table)
    parts, size, root = _write(keys, list(map(table.__getitem__, keys)), _shared_lengths(keys))
    if size > _LARGEST:
        raise FormatError(f"an index of {size} bytes is too large: references have 28 bits")
    return b"".join((_HEADER.pack(_MAGIC, _VERSION, root), *parts))


def _values(keys: list[bytes], values: list[bytes]) -> dict[bytes, bytes]:
    """Bring the values of each key together, with their number before them."""
    table = dict(zip(keys, values, strict=True))
    if len(table) == len(keys):
        return table
    groups: dict[bytes, list[bytes]] = {key: [] for key, number in Counter(keys).items() if number > 1}
    for key, value in zip(keys, values, strict=True):
        if key in groups:
            groups[key].append(value[4:])
    for key, group in groups.items():
        group.reverse()
        group.sort(key=itemgetter(slice(4)))
        table[key] = _WORD.pack(len(group)) + b"".join(group)
    return table


def _shared_lengths(keys: list[bytes]) -> list[int]:
    """Tell how many characters each key shares with the next one; the last shares none.

    Two neighbours are compared by exclusive or, and all neighbours at once.
    """
    if not keys:
        return []
    heads = b"".join([_heads(len(some)).pack(*some) for some in _portions(keys)])
    differences = int.from_bytes(heads[:-_WIDTH]) ^ int.from_bytes(heads[_WIDTH:])
    find = (differences.to_bytes(len(heads) - _WIDTH).translate(_TO_1) + b"\1").find
    lengths = [find(1, place) - place for place in range(0, len(heads) - _WIDTH, _WIDTH)]
    if max(lengths, default=0) >= _WIDTH:
        for number, length in enumerate(lengths):
            if length >= _WIDTH:
                lengths[number] = _shared_length(keys[number], keys[number + 1])
    return [*lengths, 0]


def _portions(keys: list[bytes]) -> Iterator[list[bytes]]:
    return (keys[place : place + _PORTION] for place in range(0, len(keys), _PORTION))


@cache
def _heads(count: int) -> Struct:
    """Give what cuts keys to one width, or fills them up."""
    return Struct(f"{_WIDTH}s" * count)


def _shared_length(first: bytes, second: bytes) -> int:
    """Compare two keys that begin alike, in steps that grow and then shrink."""
    place, step = _WIDTH, _WIDTH
    end = min(len(first), len(second))
    while step:
        if place + step <= end and first[place : place + step] == second[place : place + step]:
            place += step
            step *= 2
        else:
            step //= 2
    return place


_Node = tuple[int, bytes, list[int], list[int]]


def _write(keys: list[bytes], values: list[bytes], shared: list[int]) -> tuple[list[bytes], int, int]:
    """Give the parts of the file behind its header, the file's size, and the reference to the root.

    The node in hand is what leads to its end, the values of the key that ends there, and its children so far: their
    labels, and the references to them. Nodes above it that are not complete either wait in ``above``.
    """
    parts: list[bytes] = []
    add, size = parts.append, _HEADER.size
    above: list[_Node] = []
    end, held = 0, b""
    labels: list[int] = []
    references: list[int] = []
    for key, value, common in zip(keys, values, shared, strict=True):
        if common > end:
            above.append((end, held, labels, references))
            end, held, labels, references = common, b"", [], []
        rest = len(key) - end
        if rest > 1:  # nothing else begins with this key
            labels.append(key[end])
            references.append(size | _PREFIX | _VALUES)
            part = key[end + 1 :] + b"\0" + value
            add(part)
            size += len(part)
        elif rest:
            labels.append(key[end])
            references.append(size | _VALUES)
            add(value)
            size += len(value)
        else:
            held = value
        while common < end:
            wider: _Node = above.pop() if above[-1][0] >= common else (common, b"", [], [])
            begin = wider[0]
            part = _children(labels, references) + held
            flags = size | _CHILDREN | (_VALUES if held else 0)
            if end - begin > 1:
                part = key[begin + 1 : end] + b"\0" + part
                flags |= _PREFIX
            add(part)
            end, held, labels, references = wider
            labels.append(key[end])
            references.append(flags)
            size += len(part)
    part = (_children(labels, references) if labels else b"") + held
    add(part)
    return parts, size + len(part), size | (_CHILDREN if labels else 0) | (_VALUES if held else 0)


def _children(labels: list[int], references: list[int]) -> bytes:
    """Give the table of a node's children, with a gap for each label between that has none."""
    first, last = labels[0], labels[-1]
    if last - first < len(labels):
        return _table(len(labels)).pack(first, last, *references)
    if len(labels) == 2:  # every second node
        return _table_of_two(last - first - 1).pack(first, last, *references)
    dense = [0] * (last - first + 1)
    for label, reference in zip(labels, references, strict=True):
        dense[label - first] = reference
    return _table(len(dense)).pack(first, last, *dense)


@cache
def _table(count: int) -> Struct:
    return Struct(f">BB{count}I")


@cache
def _table_of_two(gap: int) -> Struct:
    return Struct(f">BBI{4 * gap}xI")
