"""kmod's binary index, ``modules.*.bin``: a trie from keys to values, read node by node as look-ups need them.

Three big-endian u32 (magic, version, reference to the root), then the nodes. The order in which they stand in the file
is free: depmod before 34 writes children first, later ones parents first (kmod 30, libkmod/libkmod-index.c).
"""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from struct import Struct

from lkm.errors import FormatError
from lkm.formats.glob import Text, advance, form_of, tokenise
from lkm.formats.index_nodes import HINT, LONGEST_KEY, OFFSET, SPECIAL, Node, Nodes, Piece, Value, damaged, split

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
_BACKSLASH = ord("\\")

_Arrived = tuple[int, Node, int, bytes]
"""The label of a node, the node, the places in the text behind its prefix, and what has begun there."""


class _Search:
    """A text that is matched with the keys.

    :param steps: how many children may be looked at
    """

    __slots__ = ("end", "steps_left", "text")

    def __init__(self, key: bytes, steps: int) -> None:
        self.text = Text(key)
        self.end = len(key)
        self.steps_left = steps


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
        place = self._nodes.find(self._root, _encode(key))
        return self._nodes.first_value(place) if place else None

    def values(self, key: str) -> list[Value]:
        """Give all values of a key, in the file's order: by priority.

        :raises FormatError: the index is damaged
        """
        place = self._nodes.find(self._root, _encode(key))
        return list(self._nodes.values_at(place)) if place else []

    # --- keys that are patterns ---------------------------------------------------------------------------------------

    def match(self, text: str) -> list[str]:
        """Give the values of all keys that, read as shell patterns, match a text (``index_mm_searchwild``).

        As in kmod what stands before a key's first wildcard is compared byte by byte, escapes too. Values come by
        priority, equal ones in the reverse of the order in which kmod meets them; a value may come several times.

        :raises FormatError: the index is damaged
        """
        key = _encode(text)
        nodes = self._nodes
        found: list[Value] = []
        search = _Search(key, 2 * self._most_steps)
        size = len(key)
        place = 0
        node = nodes.get(self._root) if self._root & OFFSET else None
        while node is not None:
            prefix = node.prefix
            if prefix:
                if node.wild_at >= 0:
                    found[:0] = self._behind_wildcard(node, place, search)
                    break
                if not key.startswith(prefix, place):
                    break
                place += len(prefix)
            if node.special is None or node.special:
                found[:0] = self._behind_wildcards(node, place, search)
            if place == size:
                found[:0] = reversed(nodes.values_of(node))
                break
            label = key[place]
            node = node.known[label] if label in node.known else nodes.child(node, label)
            place += 1
        if len(found) > 1:
            found.sort(key=itemgetter(0))
        return [value.text for value in found]

    def _behind_wildcard(self, node: Node, place: int, search: _Search) -> list[Value]:
        """Match the keys of a node that has a wildcard in its prefix."""
        if not search.text.data.startswith(node.prefix[: node.wild_at], place):
            return []
        tail = node.tail = node.tail or split(node.prefix[node.wild_at :])
        return self._below(node, tail, 1 << place + node.wild_at, search)

    def _behind_wildcards(self, node: Node, place: int, search: _Search) -> list[Value]:
        """Match the keys of a node's children that begin with a wildcard."""
        found: list[Value] = []
        for label, child, piece in self._nodes.special(node):
            if label != _BACKSLASH:
                found[:0] = self._below(child, piece, 1 << place, search)
        return found

    def _below(self, node: Node, piece: Piece, reached: int, search: _Search) -> list[Value]:
        """Match the keys of a part of the trie, which begin with a wildcard.

        kmod meets children by label, then the node's own values; this goes the other way, so that what it meets is
        in the order in which values of one priority come out.

        :param node: the top
        :param piece: the pattern from the wildcard to the end of the top
        :param reached: the places in the text that the wildcard can begin at, as bits
        """
        nodes, text, end = self._nodes, search.text, search.end
        data = text.data
        found: list[Value] = []
        form, pending = piece
        later: list[_Arrived] = [(0, node, advance(form, reached, text), pending)]
        while later:
            _, node, reached, pending = later.pop()
            if not reached:
                continue
            if node.values_at and _accepts(reached, pending, search):
                found.extend(reversed(nodes.values_of(node)))
            if not node.references:
                continue
            search.steps_left -= len(node.references)
            if search.steps_left < 0:
                self._check_steps(search)
            if pending or reached & (reached - 1) or node.special is None or node.special:
                later += self._enter(node, reached, pending, search)
            elif not reached >> end:
                # As a rule there is one place in the text, and no label is a wildcard: so one child at the most.
                label = data[reached.bit_length() - 1]
                child = node.known[label] if label in node.known else nodes.child(node, label)
                if child is not None:
                    form, pending = child.inner = child.inner or split(child.prefix)
                    reached <<= 1
                    later.append((label, child, advance(form, reached, text) if child.prefix else reached, pending))
        return found

    def _check_steps(self, search: _Search) -> None:
        """Bound the children that one search looks at: each once, and again for each wildcard of the text itself."""
        key = search.text.data
        again = len(key) - len(key.translate(None, _WILDCARDS))
        if search.steps_left < -again * self._most_steps:
            raise damaged("nodes form a loop", self._root & OFFSET)

    def _enter(self, node: Node, reached: int, pending: bytes, search: _Search) -> list[_Arrived]:
        """Step to the children, by label."""
        if pending:
            return self._go_on(node, reached, pending, search)
        nodes, text = self._nodes, search.text
        arrived = []
        for label, begun in _next_bytes(node, reached, text):
            child = nodes.child(node, label)
            if child is not None and label not in SPECIAL:
                form, pending = child.inner = child.inner or split(child.prefix)
                arrived.append((label, child, advance(form, begun, text), pending))
        for label, child, (form, pending) in nodes.special(node):
            _check(pending, node.reference(label))
            arrived.append((label, child, advance(form, reached, text), pending))
        if len(arrived) > 1:
            arrived.sort(key=itemgetter(0))
        return arrived

    def _go_on(self, node: Node, reached: int, pending: bytes, search: _Search) -> list[_Arrived]:
        """Step to the children behind something that has begun."""
        arrived = []
        for label, reference in node.children():
            child = self._nodes.get(reference)
            form, begun = split(pending + bytes([label]) + child.prefix)
            _check(begun, reference)
            arrived.append((label, child, advance(form, reached, search.text), begun))
        return arrived

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
            steps_left -= len(node.references)
            if steps_left < 0:
                raise damaged("nodes form a loop", reference & OFFSET)
            path += node.prefix
            if len(path) > LONGEST_KEY:
                raise damaged(f"a key is longer than {LONGEST_KEY} bytes", reference & OFFSET)
            key = path.decode("utf-8", "surrogateescape")
            for value in self._nodes.values_of(node):
                yield key, value
            stack.extend((child, path + bytes([label])) for label, child in reversed(node.children()))


def _next_bytes(node: Node, reached: int, text: Text) -> Iterable[tuple[int, int]]:
    """Give the bytes that stand at some places, as far as they can be labels of children, and the places behind."""
    if reached.bit_count() == 1:
        return [(byte, reached << 1) for byte in text.data[reached.bit_length() - 1 : reached.bit_length()]]
    shifted, after = reached << 1, text.after
    return [(label, shifted & after[label]) for label, _ in node.children() if shifted & after[label]]


def _check(pending: bytes, reference: int) -> None:
    if len(pending) > _LONGEST_BRACKET:
        raise damaged("a key has a bracket without an end", reference & OFFSET)


def _accepts(reached: int, pending: bytes, search: _Search) -> bool:
    if pending:
        reached = advance(form_of(tokenise(pending)[0]), reached, search.text)
    return reached >> search.end != 0


def _encode(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")
