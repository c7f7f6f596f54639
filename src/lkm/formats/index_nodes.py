"""The nodes of kmod's binary index, read one by one.

A reference to a node is an offset whose upper bits say what the node has: a prefix (text, NUL), children (first and
last label, one reference each; 0 for none), values (u32 count, then u32 priority and text, NUL). Integers are
big-endian (kmod 30, libkmod/libkmod-index.c).
"""

from struct import unpack_from
from typing import NamedTuple

from lkm.errors import FormatError
from lkm.formats.glob import Form, form_of, tokenise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, SupportsIndex

    class Data(Protocol):
        """What bytes and mmap have in common."""

        def __buffer__(self, flags: int, /) -> memoryview: ...
        def __getitem__(self, index: slice[SupportsIndex, SupportsIndex, None], /) -> bytes: ...
        def __len__(self) -> int: ...
        def find(self, sub: bytes, start: int = ..., end: int = ..., /) -> int: ...


__all__ = ["HINT", "LONGEST_KEY", "OFFSET", "SPECIAL", "Node", "Nodes", "Piece", "Special", "Value", "damaged", "split"]

HINT = "write it anew: depmod"

OFFSET = 0x0FFFFFFF
"""The bits of a reference that are its offset; all 0 where there is no node."""

_LABELS = 128  # labels of children are below: keys are ASCII

LONGEST_KEY = 4096
"""Bytes: PATH_MAX, the size of depmod's buffers."""

_HAS_PREFIX = 0x80000000
_HAS_VALUES = 0x40000000
_HAS_CHILDREN = 0x20000000

_WILDCARDS = b"*?["
_BUT_STARS = b"?[\\"
SPECIAL = b"*?[\\"
"""Labels that mean something in a pattern."""

Piece = tuple[Form, bytes]
"""A part of a pattern: its form, and an escape or a bracket that has begun at its end."""

_NOTHING: Piece = (Form(b""), b"")


class Value(NamedTuple):
    """One value of a key.

    :param priority: smaller comes first; depmod gives the module's place in its order
    :param text: the value: a module's name, or a row of modules.dep
    """

    priority: int
    text: str


class Special(NamedTuple):
    """A child whose label means something in a pattern.

    :param piece: its label and prefix
    """

    label: int
    node: "Node"
    piece: Piece


class Node:
    """A node as it stands in the file; what only some look-ups need is filled in by the first that does.

    :param first: the label of the first reference
    :param references: to the children, by label from the first on; an offset of 0 means that there is none
    :ivar values_at: the offset of the values, 0 where there are none
    :ivar wild_at: where in the prefix the first wildcard is, -1 where there is none
    :ivar known: children that were asked for, by label; None where there is none
    :ivar inner: the prefix as part of a pattern
    :ivar tail: the prefix from its first wildcard on, likewise
    :ivar special: the children whose labels are wildcards or a backslash
    """

    __slots__ = ("first", "inner", "known", "prefix", "references", "special", "tail", "values", "values_at", "wild_at")

    def __init__(self, prefix: bytes, first: int, references: tuple[int, ...], values_at: int) -> None:
        self.prefix = prefix
        self.first = first
        self.references = references
        self.values_at = values_at
        self.values: tuple[Value, ...] | None = None if values_at else ()
        self.wild_at = _first_wildcard(prefix) if len(prefix.translate(None, _WILDCARDS)) < len(prefix) else -1
        self.known: dict[int, Node | None] = {}
        self.inner: Piece | None = None if prefix else _NOTHING
        self.tail: Piece | None = None
        self.special: tuple[Special, ...] | None = None if references else ()

    def reference(self, label: int) -> int:
        """Give the reference to the child of a label, 0 where there is none."""
        place = label - self.first
        return self.references[place] if 0 <= place < len(self.references) else 0

    def children(self) -> list[tuple[int, int]]:
        """List label and reference of each child, by label."""
        return [(label, reference) for label, reference in enumerate(self.references, self.first) if reference & OFFSET]


def _first_wildcard(prefix: bytes) -> int:
    return min(place for place in (prefix.find(b"*"), prefix.find(b"?"), prefix.find(b"[")) if place >= 0)


def split(pattern: bytes) -> Piece:
    """Read a part of a pattern that may go on."""
    if len(pattern.translate(None, _BUT_STARS)) == len(pattern):
        first, *others = pattern.split(b"*")
        return (Form(first, tuple(filter(None, others[:-1])), others[-1]) if others else Form(first)), b""
    tokens, used = tokenise(pattern, final=False)
    return form_of(tokens), pattern[used:]


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

    def child(self, node: Node, label: int) -> Node | None:
        """Give the child of a label, None where there is none.

        :raises FormatError: it is damaged
        """
        if label not in node.known:
            reference = node.reference(label)
            node.known[label] = self.get(reference) if reference & OFFSET else None
        return node.known[label]

    def special(self, node: Node) -> tuple[Special, ...]:
        """Give the children whose labels are wildcards or a backslash.

        :raises FormatError: one is damaged
        """
        if node.special is None:
            found = [(label, self.child(node, label)) for label in SPECIAL]
            node.special = tuple(
                [Special(label, child, split(bytes([label]) + child.prefix)) for label, child in found if child]
            )
        return node.special

    def values_of(self, node: Node) -> tuple[Value, ...]:
        """Give a node's values, in the file's order.

        :raises FormatError: they are damaged
        """
        if node.values is None:
            node.values, end = self._read_values(node.values_at)
            self._spend(end - node.values_at, node.values_at)
        return node.values

    def values_at(self, start: int) -> tuple[Value, ...]:
        """Give the values that begin at an offset, in the file's order.

        :raises FormatError: they are damaged
        """
        return self._read_values(start)[0]

    def find(self, reference: int, key: bytes) -> int:
        """Give the offset of a key's values, 0 where there are none, without keeping the nodes on the way.

        :param reference: leads to the node to begin at
        :raises FormatError: the index is damaged
        """
        data = self._data
        place = 0
        # Every round but the first uses up a byte of the key.
        while reference & OFFSET:
            at = reference & OFFSET
            if reference & _HAS_PREFIX:
                prefix = self._read_text(at, LONGEST_KEY)
                if not key.startswith(prefix, place):
                    return 0
                place += len(prefix)
                at += len(prefix) + 1
            if place == len(key):
                if reference & _HAS_CHILDREN:
                    first, last = self._labels(at)
                    at += 2 + 4 * (last - first + 1)
                return at if reference & _HAS_VALUES else 0
            if not reference & _HAS_CHILDREN:
                return 0
            first, last = self._labels(at)
            label = key[place]
            if not first <= label <= last:
                return 0
            at += 2 + 4 * (label - first)
            reference = int.from_bytes(data[at : at + 4])
            place += 1
        return 0

    def first_value(self, start: int) -> str | None:
        """Give the text of the first of some values, None where there are none after all.

        :param start: their offset
        :raises FormatError: they are damaged
        """
        if not self._count_values(start):
            return None
        return self._read_text(start + 8, self.size).decode("utf-8", "surrogateescape")

    def _read(self, reference: int) -> Node:
        place = start = reference & OFFSET
        prefix = b""
        if reference & _HAS_PREFIX:
            prefix = self._read_text(place, LONGEST_KEY)
            place += len(prefix) + 1
        first = 0
        references: tuple[int, ...] = ()
        if reference & _HAS_CHILDREN:
            first, last = self._labels(place)
            references = unpack_from(f">{last - first + 1}I", self._data, place + 2)
            place += 2 + 4 * len(references)
        if place > self.size:
            raise damaged("a node lies outside of the file", start)
        self._spend(place - start, start)
        return Node(prefix, first, references, place if reference & _HAS_VALUES else 0)

    def _labels(self, place: int) -> tuple[int, int]:
        """Give the first and the last label of children, whose references are all in the file."""
        labels = self._data[place : place + 2]
        if len(labels) < 2:
            raise damaged("a node is cut off", place)
        first, last = labels
        if not 0 < first <= last < _LABELS:
            raise damaged(f"a node has children from {first} to {last}", place)
        if place + 2 + 4 * (last - first + 1) > self.size:
            raise damaged("a node is cut off", place)
        return first, last

    def _read_values(self, start: int) -> tuple[tuple[Value, ...], int]:
        """Read values, and where they end."""
        found = []
        place = start + 4
        for _ in range(self._count_values(start)):
            text = self._read_text(place + 4, self.size)
            found.append(Value(int.from_bytes(self._data[place : place + 4]), text.decode("utf-8", "surrogateescape")))
            place += len(text) + 5
        return tuple(found), place

    def _count_values(self, start: int) -> int:
        place = start + 4
        if place > self.size:
            raise damaged("a node is cut off", start)
        count = int.from_bytes(self._data[start:place])
        if place + 5 * count > self.size:
            raise damaged(f"a key has {count} values, which is more than the file holds", start)
        return count

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
