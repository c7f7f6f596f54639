"""The nodes of kmod's binary index, read one by one.

A reference to a node is an offset whose upper bits say what the node has: a prefix (text, NUL), children (first and
last label, one reference each; 0 for none), values (u32 count, then u32 priority and text, NUL). Integers are
big-endian (kmod 30, libkmod/libkmod-index.c).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack_from

from lkm.errors import FormatError
from lkm.formats.glob import Token, tokenise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, SupportsIndex

    class Data(Protocol):
        """What bytes and mmap have in common."""

        def __buffer__(self, flags: int, /) -> memoryview: ...
        def __getitem__(self, index: slice[SupportsIndex, SupportsIndex, None], /) -> bytes: ...
        def __len__(self) -> int: ...
        def find(self, sub: bytes, start: int = ..., end: int = ..., /) -> int: ...


__all__ = ["HINT", "LABELS", "LONGEST_KEY", "OFFSET", "Node", "Nodes", "Piece", "Value", "damaged", "split"]

HINT = "write it anew: depmod"

OFFSET = 0x0FFFFFFF
"""The bits of a reference that are its offset; all 0 where there is no node."""

LABELS = 128
"""Labels of children are below: keys are ASCII."""

LONGEST_KEY = 4096
"""Bytes: PATH_MAX, the size of depmod's buffers."""

_HAS_PREFIX = 0x80000000
_HAS_VALUES = 0x40000000
_HAS_CHILDREN = 0x20000000

_SPECIAL = frozenset(b"*?[\\")

Piece = tuple[tuple[Token, ...], bytes]
"""A part of a pattern: its tokens, and an escape or a bracket that has begun at its end."""

_NOTHING: Piece = ((), b"")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a key.

    :param priority: smaller comes first; depmod gives the module's place in its order
    :param text: the value: a module's name, or a row of modules.dep
    """

    priority: int
    text: str


class Node:
    """A node as it stands in the file; what only some look-ups need is filled in by the first that does.

    :ivar children: references by label; those of 0 are left out
    :ivar values_at: the offset of the values, 0 where there are none
    :ivar wild_at: where in the prefix the first wildcard is, -1 where there is none
    :ivar has_special: a label of a child is a wildcard or a backslash
    :ivar inner: the prefix as part of a pattern
    :ivar tail: the prefix from its first wildcard on, likewise
    :ivar starts: the children behind a wildcard, and label and prefix of each, likewise
    """

    __slots__ = ("children", "has_special", "inner", "prefix", "starts", "tail", "values", "values_at", "wild_at")

    def __init__(self, prefix: bytes, children: dict[int, int], values_at: int) -> None:
        self.prefix = prefix
        self.children = children
        self.values_at = values_at
        self.values: tuple[Value, ...] | None = None if values_at else ()
        self.wild_at = _first_wildcard(prefix)
        self.has_special = not _SPECIAL.isdisjoint(children)
        self.inner: Piece | None = None if prefix else _NOTHING
        self.tail: Piece | None = None
        self.starts: tuple[tuple[Node, Piece], ...] | None = None if self.has_special else ()


def _first_wildcard(prefix: bytes) -> int:
    found = [place for place in (prefix.find(b"*"), prefix.find(b"?"), prefix.find(b"[")) if place >= 0]
    return min(found) if found else -1


def split(pattern: bytes) -> Piece:
    """Read a part of a pattern that may go on."""
    tokens, used = tokenise(pattern, final=False)
    return tokens, pattern[used:]


class Nodes:
    """All nodes of an index; each is read when it is first asked for.

    :param data: the whole file
    """

    __slots__ = ("_bytes_left", "_data", "_nodes", "size")

    def __init__(self, data: "Data") -> None:
        self._data = data
        self.size = len(data)
        self._nodes: dict[int, Node] = {}
        self._bytes_left = self.size  # nodes share no bytes, so all together they can't be larger than the file

    def __len__(self) -> int:
        """Give the number of nodes that have been read."""
        return len(self._nodes)

    def get(self, reference: int) -> Node:
        """Give the node that a reference leads to.

        :raises FormatError: it is damaged
        """
        node = self._nodes.get(reference)
        if node is None:
            node = self._nodes[reference] = self._read(reference)
        return node

    def values_of(self, node: Node) -> tuple[Value, ...]:
        """Give a node's values, in the file's order.

        :raises FormatError: they are damaged
        """
        if node.values is None:
            node.values = tuple(self._read_values(node.values_at))
        return node.values

    def _read(self, reference: int) -> Node:
        place = start = reference & OFFSET
        prefix = b""
        if reference & _HAS_PREFIX:
            prefix = self._read_text(place, LONGEST_KEY)
            place += len(prefix) + 1
        children: dict[int, int] = {}
        if reference & _HAS_CHILDREN:
            children, place = self._read_children(place)
        if place > self.size:
            raise damaged("a node lies outside of the file", start)
        self._spend(place - start, start)
        return Node(prefix, children, place if reference & _HAS_VALUES else 0)

    def _read_children(self, place: int) -> tuple[dict[int, int], int]:
        labels = self._data[place : place + 2]
        if len(labels) < 2:
            raise damaged("a node is cut off", place)
        first, last = labels
        if not 0 < first <= last < LABELS:
            raise damaged(f"a node has children from {first} to {last}", place)
        count = last - first + 1
        end = place + 2 + 4 * count
        if end > self.size:
            raise damaged("a node is cut off", place)
        references = enumerate(unpack_from(f">{count}I", self._data, place + 2), first)
        return {label: reference for label, reference in references if reference & OFFSET}, end

    def _read_values(self, start: int) -> Iterator[Value]:
        place = start + 4
        if place > self.size:
            raise damaged("a node is cut off", start)
        count = int.from_bytes(self._data[start:place])
        if place + 5 * count > self.size:
            raise damaged(f"a key has {count} values, which is more than the file holds", start)
        for _ in range(count):
            text = self._read_text(place + 4, self.size)
            yield Value(int.from_bytes(self._data[place : place + 4]), text.decode("utf-8", "surrogateescape"))
            place += len(text) + 5
        self._spend(place - start, start)

    def _read_text(self, place: int, longest: int) -> bytes:
        end = self._data.find(b"\0", place, place + longest + 1)
        if end < 0:
            raise damaged("a text does not end", place)
        return self._data[place:end]

    def _spend(self, count: int, place: int) -> None:
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise damaged("nodes overlap", place)


def damaged(reason: str, offset: int) -> FormatError:
    """Make the error for an index that is one, but broken."""
    return FormatError(f"is a damaged index: {reason}", offset=offset, hint=HINT)
