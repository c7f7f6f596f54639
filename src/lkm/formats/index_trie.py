"""kmod's binary index, ``modules.*.bin``: a trie from keys to values, read node by node as look-ups need them.

Three big-endian u32 (magic, version, reference to the root), then the nodes. The order in which they stand in the file
is free: depmod before 34 writes children first, later ones parents first (kmod 30, libkmod/libkmod-index.c).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from struct import Struct

from lkm.errors import FormatError
from lkm.formats.glob import ANY, STAR, Token, advance, places, tokenise
from lkm.formats.index_nodes import HINT, LABELS, LONGEST_KEY, OFFSET, Node, Nodes, Piece, Value, damaged, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lkm.formats.index_nodes import Data

__all__ = ["IndexTrie", "Value"]

_MAGIC = 0xB007F457
_MAJOR = 2
_HEADER = Struct(">3I")

_LONGEST_BRACKET = 128  # bytes of one [...] in a key; real ones have about 5
_REFERENCE = 4  # bytes that a node costs its parent

_WILDCARDS = b"*?["
_BEGINS = frozenset(b"[\\")  # begin something that takes more than one character
_LABEL_TOKENS: tuple[tuple[Token, ...], ...] = tuple(
    (STAR,) if label == ord("*") else (ANY,) if label == ord("?") else (label,) for label in range(LABELS)
)


@dataclass(slots=True)
class _Search:
    """A text that is matched with the keys.

    :param after: the text, as :func:`lkm.formats.glob.places` gives it
    :param everywhere: the bits 0 to the text's length
    :param end: the text's length
    :param steps_left: how many children may still be looked at
    """

    after: list[int]
    everywhere: int
    end: int
    steps_left: int


class IndexTrie:
    """An index of depmod.

    :param data: the whole file, bytes or an mmap
    :raises FormatError: it is no index, or one of an unknown version
    """

    __slots__ = ("_most_steps", "_nodes", "_root")

    def __init__(self, data: "Data") -> None:
        if len(data) < _HEADER.size:
            raise FormatError("is too short for an index", offset=len(data), hint=HINT)
        magic, version, self._root = _HEADER.unpack_from(data)
        if magic != _MAGIC:
            raise FormatError(f"is no index: it begins with {magic:#010x}, not {_MAGIC:#010x}", offset=0, hint=HINT)
        if version >> 16 != _MAJOR:
            raise FormatError(
                f"is an index of version {version >> 16}.{version & 0xFFFF}, not {_MAJOR}.x", offset=4, hint=HINT
            )
        self._nodes = Nodes(data)
        self._most_steps = len(data) // _REFERENCE  # nodes below each other, each met once, are not more

    # --- exact look-ups -----------------------------------------------------------------------------------------------

    def search(self, key: str) -> str | None:
        """Give the first value of a key (``index_mm_search``).

        :raises FormatError: the index is damaged
        """
        values = self._exact(_encode(key))
        return values[0].text if values else None

    def values(self, key: str) -> list[Value]:
        """Give all values of a key, in the file's order: by priority.

        :raises FormatError: the index is damaged
        """
        return list(self._exact(_encode(key)))

    def _exact(self, key: bytes) -> tuple[Value, ...]:
        reference = self._root
        place = 0
        # Every round but the first uses up a byte of the key.
        while reference & OFFSET:
            node = self._nodes.get(reference)
            if not key.startswith(node.prefix, place):
                return ()
            place += len(node.prefix)
            if place == len(key):
                return self._nodes.values_of(node)
            reference = node.children.get(key[place], 0)
            place += 1
        return ()

    # --- keys that are patterns ---------------------------------------------------------------------------------------

    def match(self, text: str) -> list[str]:
        """Give the values of all keys that, read as shell patterns, match a text (``index_mm_searchwild``).

        As in kmod what stands before a key's first wildcard is compared byte by byte, escapes too. Values come by
        priority, equal ones in the reverse of the order in which kmod meets them; a value may come several times.

        :raises FormatError: the index is damaged
        """
        key = _encode(text)
        search = _Search(places(key), (2 << len(key)) - 1, len(key), self._steps_for(key))
        found: list[list[Value]] = []
        reference = self._root
        place = 0
        while reference & OFFSET:
            node = self._nodes.get(reference)
            if node.wild_at >= 0:
                if key.startswith(node.prefix[: node.wild_at], place):
                    tail = node.tail = node.tail or split(node.prefix[node.wild_at :])
                    found.append(self._below(node, tail, 1 << (place + node.wild_at), search))
                break
            if not key.startswith(node.prefix, place):
                break
            place += len(node.prefix)
            for child, start in self._starts(node) if node.starts is None else node.starts:
                found.append(self._below(child, start, 1 << place, search))
            if place == len(key):
                found.append(list(reversed(self._nodes.values_of(node))))
                break
            reference = node.children.get(key[place], 0)
            place += 1
        return _by_priority(found)

    def _starts(self, node: Node) -> tuple[tuple[Node, Piece], ...]:
        children = [(label, self._nodes.get(node.children[label])) for label in _WILDCARDS if label in node.children]
        node.starts = tuple((child, split(bytes([label]) + child.prefix)) for label, child in children)
        return node.starts

    def _steps_for(self, key: bytes) -> int:
        """Bound the children that one search looks at: each once, and again for each wildcard of the text itself."""
        return self._most_steps * (2 + len(key) - len(key.translate(None, _WILDCARDS)))

    def _below(self, top: Node, start: Piece, reached: int, search: _Search) -> list[Value]:
        """Match the keys of a part of the trie, which begin with a wildcard.

        kmod meets children by label, then the node's own values; this goes the other way, so that what it meets is
        in the order in which values of one priority come out.

        :param start: the pattern from the wildcard to the end of the top node
        :param reached: the places in the text that the wildcard can begin at, as bits
        """
        after, everywhere = search.after, search.everywhere
        found: list[Value] = []
        tokens, pending = start
        reached = advance(tokens, reached, after, everywhere)
        stack = [(top, reached, pending)] if reached else []
        while stack:
            node, reached, pending = stack.pop()
            search.steps_left -= len(node.children)
            if search.steps_left < 0:
                raise damaged("nodes form a loop", self._root & OFFSET)
            if node.values_at and _accepts(reached, pending, search):
                found.extend(reversed(self._nodes.values_of(node)))
            if pending or node.has_special:
                stack.extend(self._enter(node, reached, pending, search))
                continue
            shifted = reached << 1
            for label, reference in node.children.items():
                reached = shifted & after[label]
                if reached:
                    child = self._nodes.get(reference)
                    tokens, pending = child.inner = child.inner or split(child.prefix)
                    reached = advance(tokens, reached, after, everywhere)
                    if reached:
                        stack.append((child, reached, pending))
        return found

    def _enter(self, node: Node, reached: int, pending: bytes, search: _Search) -> Iterator[tuple[Node, int, bytes]]:
        """Step to the children whose label, or what it is part of, is no plain character."""
        for label, reference in node.children.items():
            if pending or label in _BEGINS:
                arrived, begun = reached, pending + bytes([label])
            else:
                arrived, begun = advance(_LABEL_TOKENS[label], reached, search.after, search.everywhere), b""
            if not arrived:
                continue
            child = self._nodes.get(reference)
            if begun:
                tokens, begun = split(begun + child.prefix)
            else:
                tokens, begun = child.inner = child.inner or split(child.prefix)
            if len(begun) > _LONGEST_BRACKET:
                raise damaged("a key has a bracket without an end", reference & OFFSET)
            arrived = advance(tokens, arrived, search.after, search.everywhere)
            if arrived:
                yield child, arrived, begun

    # --- everything ---------------------------------------------------------------------------------------------------

    def items(self) -> Iterator[tuple[str, Value]]:
        """Iterate over all keys and values, in the order of ``modprobe -c`` (``index_mm_dump``).

        :raises FormatError: the index is damaged
        """
        steps_left = self._most_steps
        stack = [(self._root, b"")] if self._root & OFFSET else []
        while stack:
            reference, path = stack.pop()
            node = self._nodes.get(reference)
            steps_left -= len(node.children)
            if steps_left < 0:
                raise damaged("nodes form a loop", reference & OFFSET)
            path += node.prefix
            if len(path) > LONGEST_KEY:
                raise damaged(f"a key is longer than {LONGEST_KEY} bytes", reference & OFFSET)
            key = path.decode("utf-8", "surrogateescape")
            for value in self._nodes.values_of(node):
                yield key, value
            stack.extend((child, path + bytes([label])) for label, child in reversed(node.children.items()))


def _accepts(reached: int, pending: bytes, search: _Search) -> bool:
    if pending:
        reached = advance(tokenise(pending)[0], reached, search.after, search.everywhere)
    return reached >> search.end != 0


def _by_priority(found: list[list[Value]]) -> list[str]:
    values = [value for part in reversed(found) for value in part]
    if len(values) > 1:
        values.sort(key=attrgetter("priority"))
    return [value.text for value in values]


def _encode(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")
