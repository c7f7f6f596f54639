"""Writing kmod's binary index: keys with values in a trie, byte for byte as kmod 30 writes it.

Facts: tools/depmod.c ``index_insert``, ``index_add_value``, ``index_write``: children stand before their parents, by
label; the root has no prefix; values of a key come by priority, of equal ones the one that was added last first.

The keys are sorted; where two neighbours part, a node ends. So one pass over them meets each node when it is complete,
and keys may be longer than Python's recursion is deep.
"""

from collections.abc import Iterable
from functools import cache
from operator import itemgetter
from struct import Struct
from typing import NamedTuple

from lkm.errors import FormatError

__all__ = ["Entry", "Row", "encode", "encode_rows", "row_value"]

_MAGIC = 0xB007F457
_VERSION = 0x0002_0001
_PREFIX, _VALUES, _CHILDREN = 0x8000_0000, 0x4000_0000, 0x2000_0000
_LARGEST = 0x0FFF_FFFF  # offsets have 28 bits
_HEADER = Struct(">III")
_WORD = Struct(">I")
_ONE = _WORD.pack(1)
_WIDTH = 64  # bytes of a key that are compared at once

Row = tuple[bytes, bytes]
"""A key and a value as :func:`row_value` gives it."""


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
    rows = []
    for entry in entries:
        key, value = entry.key.encode("utf-8", "surrogateescape"), entry.value.encode("utf-8", "surrogateescape")
        if not key.isascii() or b"\0" in key + value:
            raise FormatError(f"an index can't hold the key {entry.key!r}: it must be ASCII without NUL")
        rows.append((key, row_value(value, entry.priority)))
    return encode_rows(rows)


def row_value(value: bytes, priority: int) -> bytes:
    """Give a value as the file has it: a module has many aliases, and this once for all of them.

    :param value: without NUL
    """
    return _WORD.pack(priority) + value + b"\0"


def encode_rows(rows: list[Row]) -> bytes:
    """Give the index file's bytes.

    :param rows: keys, ASCII without NUL, with values, in the order in which kmod adds them
    :raises FormatError: there is more than an index can refer to
    """
    keys, values = _grouped(rows)
    writer = _Writer()
    root = writer.write(keys, values, _shared_lengths(keys))
    if writer.size > _LARGEST:
        raise FormatError(f"an index of {writer.size} bytes is too large: references have 28 bits")
    return b"".join((_HEADER.pack(_MAGIC, _VERSION, root), *writer.parts))


def _grouped(rows: list[Row]) -> tuple[list[bytes], list[bytes]]:
    """Sort the keys, each once, and bring the values of each together, with their number before them."""
    ordered = rows[::-1]
    ordered.sort(key=itemgetter(0))
    keys: list[bytes] = []
    values: list[bytes] = []
    several: dict[int, list[bytes]] = {}
    last = None
    for key, value in ordered:
        if key == last:
            several.setdefault(len(keys) - 1, [values[-1][4:]]).append(value)
        else:
            keys.append(key)
            values.append(_ONE + value)
            last = key
    for place, group in several.items():
        group.sort(key=itemgetter(slice(4)))
        values[place] = _WORD.pack(len(group)) + b"".join(group)
    return keys, values


def _shared_lengths(keys: list[bytes]) -> list[int]:
    """Tell how many characters each key shares with the next one; the last shares none.

    Two neighbours are compared by exclusive or, and all neighbours at once.
    """
    if not keys:
        return []
    heads = b"".join([key[:_WIDTH].ljust(_WIDTH, b"\0") for key in keys])
    differences = int.from_bytes(heads[:-_WIDTH]) ^ int.from_bytes(heads[_WIDTH:])
    rows = differences.to_bytes(len(heads) - _WIDTH)
    lengths = [_WIDTH - len(rows[place : place + _WIDTH].lstrip(b"\0")) for place in range(0, len(rows), _WIDTH)]
    for number, length in enumerate(lengths):
        if length == _WIDTH:
            lengths[number] = _shared_length(keys[number], keys[number + 1])
    return [*lengths, 0]


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


class _Node:
    """A node with children that is not complete yet.

    :ivar end: how many characters lead to its end
    """

    __slots__ = ("end", "labels", "references", "values")

    def __init__(self, end: int) -> None:
        self.end = end
        self.values = b""
        self.labels: list[int] = []
        self.references: list[int] = []


class _Writer:
    """The parts of the file behind its header."""

    __slots__ = ("parts", "size")

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = _HEADER.size

    def write(self, keys: list[bytes], values: list[bytes], shared: list[int]) -> int:
        """Write all nodes and give the reference to the root."""
        node = _Node(0)
        open_nodes: list[_Node] = []
        add, size = self.parts.append, self.size
        for key, value, common in zip(keys, values, shared, strict=True):
            if common > node.end:
                open_nodes.append(node)
                node = _Node(common)
            end = node.end
            if len(key) == end:
                node.values = value
            else:  # nothing else begins with this key
                rest = key[end + 1 :]
                node.labels.append(key[end])
                if rest:
                    part = rest + b"\0" + value
                    node.references.append(size | 0xC000_0000)
                else:
                    part = value
                    node.references.append(size | _VALUES)
                add(part)
                size += len(part)
            while common < node.end:
                parent = open_nodes.pop()
                if parent.end < common:
                    open_nodes.append(parent)
                    parent = _Node(common)
                begin = parent.end
                part, flags = _encoded(node, key[begin + 1 : node.end])
                add(part)
                parent.labels.append(key[begin])
                parent.references.append(size | flags)
                size += len(part)
                node = parent
        part, flags = _encoded(node, b"")
        add(part)
        self.size = size + len(part)
        return size | flags


def _encoded(node: _Node, prefix: bytes) -> tuple[bytes, int]:
    part, flags = (prefix + b"\0", _PREFIX) if prefix else (b"", 0)
    labels = node.labels
    if labels:
        first, last = labels[0], labels[-1]
        references = node.references
        if last - first >= len(labels):
            dense = [0] * (last - first + 1)
            for label, reference in zip(labels, references, strict=True):
                dense[label - first] = reference
            references = dense
        part += _children(len(references)).pack(first, last, *references)
        flags |= _CHILDREN
    if node.values:
        part += node.values
        flags |= _VALUES
    return part, flags


@cache
def _children(count: int) -> Struct:
    return Struct(f">BB{count}I")
