"""Write kmod's binary indexes, in the node order of either generation of depmod."""

from collections.abc import Mapping, Sequence
from struct import pack

__all__ = ["EMPTY", "index_file"]

Values = Sequence[tuple[int, str]]

MAGIC, VERSION = 0xB007F457, 0x00020001
PREFIX, VALUES, CHILDREN = 0x80000000, 0x40000000, 0x20000000
EMPTY = pack(">3I", MAGIC, VERSION, 0)


def index_file(entries: Mapping[str, Values], *, parents_first: bool = False) -> bytes:
    """Write an index.

    :param entries: for each key its (priority, value), in the order in which they are to stand in the file
    :param parents_first: the order of kmod 34; else that of kmod 30
    """
    if not entries:
        return EMPTY
    keys = {key.encode("utf-8", "surrogateescape"): values for key, values in entries.items()}
    body = bytearray(EMPTY)
    root = _write(body, keys, parents_first=parents_first)
    body[8:12] = pack(">I", root)
    return bytes(body)


def _write(body: bytearray, keys: Mapping[bytes, Values], *, parents_first: bool) -> int:
    prefix = _common_prefix(min(keys), max(keys))
    groups: dict[int, dict[bytes, Values]] = {}
    for key in sorted(keys):
        rest = key[len(prefix) :]
        if rest:
            groups.setdefault(rest[0], {})[rest[1:]] = keys[key]
    values = keys.get(prefix, ())
    flags = PREFIX * bool(prefix) | CHILDREN * bool(groups) | VALUES * bool(values)
    children = {} if parents_first else _write_children(body, groups, parents_first=False)
    offset = len(body)
    body += _node(prefix, children or dict.fromkeys(groups, 0), values)
    if parents_first and groups:
        children = _write_children(body, groups, parents_first=True)
        body[offset : offset + len(_node(prefix, children, values))] = _node(prefix, children, values)
    return offset | flags


def _common_prefix(first: bytes, last: bytes) -> bytes:
    length = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:length]


def _write_children(
    body: bytearray, groups: Mapping[int, Mapping[bytes, Values]], *, parents_first: bool
) -> dict[int, int]:
    return {label: _write(body, keys, parents_first=parents_first) for label, keys in groups.items()}


def _node(prefix: bytes, children: Mapping[int, int], values: Values) -> bytes:
    node = prefix + b"\0" if prefix else b""
    if children:
        first, last = min(children), max(children)
        references = [children.get(label, 0) for label in range(first, last + 1)]
        node += pack(f">BB{len(references)}I", first, last, *references)
    if values:
        node += pack(">I", len(values))
        for priority, text in values:
            node += pack(">I", priority) + text.encode("utf-8", "surrogateescape") + b"\0"
    return node
