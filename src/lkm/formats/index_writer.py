"""Writing kmod's binary index: keys with values in a trie (kmod 30, tools/depmod.c ``index_write``)."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from lkm.errors import FormatError

__all__ = ["Entry", "encode"]

_MAGIC = 0xB007F457
_VERSION = 0x0002_0001
_PREFIX, _VALUES, _CHILDREN = 0x8000_0000, 0x4000_0000, 0x2000_0000
_HEADER = struct.Struct(">III")
_WORD = struct.Struct(">I")
_MOST_CHARACTERS = 128  # kmod's nodes have room for ASCII only


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a key.

    :param key: ASCII without NUL
    :param value: without NUL
    :param priority: values of one key are sorted by it, lowest first
    """

    key: str
    value: str
    priority: int = 0


@dataclass(slots=True)
class _Node:
    prefix: bytes
    values: list[tuple[int, bytes]] = field(default_factory=list)
    children: dict[int, "_Node"] = field(default_factory=dict)


def encode(entries: Iterable[Entry]) -> bytes:
    """Give the index file's bytes.

    :raises FormatError: a key is not ASCII, or a text holds a NUL
    """
    keyed: dict[bytes, list[tuple[int, bytes]]] = {}
    for entry in entries:
        key, value = entry.key.encode("utf-8", "surrogateescape"), entry.value.encode("utf-8", "surrogateescape")
        if any(byte >= _MOST_CHARACTERS for byte in key) or b"\0" in key + value:
            raise FormatError(f"an index can't hold the key {entry.key!r}: it must be ASCII without NUL")
        keyed.setdefault(key, []).append((entry.priority, value))
    if not keyed:
        return _HEADER.pack(_MAGIC, _VERSION, 0)
    out = bytearray(_HEADER.size)
    root = _emit(_tree(sorted(keyed.items())), out)
    _HEADER.pack_into(out, 0, _MAGIC, _VERSION, root)
    return bytes(out)


def _tree(keys: list[tuple[bytes, list[tuple[int, bytes]]]]) -> _Node:
    """Build the trie from sorted keys with an explicit stack: keys may be longer than Python's recursion is deep."""
    root = _Node(b"")
    pending = [(root, keys, 0)]
    while pending:
        node, group, start = pending.pop()
        shared = _shared_prefix(group[0][0], group[-1][0], start)
        node.prefix = group[0][0][start:shared]
        branches: dict[int, list[tuple[bytes, list[tuple[int, bytes]]]]] = {}
        for key, values in group:
            if len(key) == shared:
                node.values = sorted(values, key=lambda pair: pair[0])
            else:
                branches.setdefault(key[shared], []).append((key, values))
        for character, branch in branches.items():
            child = node.children[character] = _Node(b"")
            pending.append((child, branch, shared + 1))
    return root


def _shared_prefix(first: bytes, last: bytes, start: int) -> int:
    """Give where two keys part; of sorted keys the first and last part before any others do."""
    end = min(len(first), len(last))
    while start < end and first[start] == last[start]:
        start += 1
    return start


def _emit(root: _Node, out: bytearray) -> int:
    """Append all nodes, children before their parents, and give the root's offset with its flags."""
    order: list[_Node] = []
    pending = [root]
    while pending:
        node = pending.pop()
        order.append(node)
        pending.extend(node.children.values())
    offsets: dict[int, int] = {}
    for node in reversed(order):
        offsets[id(node)] = len(out) | _flags(node)
        out += _encoded(node, offsets)
    return offsets[id(root)]


def _flags(node: _Node) -> int:
    return _PREFIX * bool(node.prefix) | _VALUES * bool(node.values) | _CHILDREN * bool(node.children)


def _encoded(node: _Node, offsets: dict[int, int]) -> bytes:
    parts: list[bytes] = []
    if node.prefix:
        parts.append(node.prefix + b"\0")
    if node.children:
        first, last = min(node.children), max(node.children)
        parts.append(bytes((first, last)))
        for character in range(first, last + 1):
            child = node.children.get(character)
            parts.append(_WORD.pack(offsets[id(child)] if child else 0))
    if node.values:
        parts.append(_WORD.pack(len(node.values)))
        parts += [_WORD.pack(priority) + value + b"\0" for priority, value in node.values]
    return b"".join(parts)
