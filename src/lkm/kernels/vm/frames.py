"""What the host and the agent inside a machine say to each other: frames of a JSON body and parts of raw bytes.

A frame is ``LKM1``, the head's length (32 bits, big-endian), the head, and the parts one after the other. The head is
``{"body": {…}, "parts": [length, …]}``. The guest may run anything, so the host takes a frame for hostile input.

The agent imports this, and in an emulated machine imports are dear: hence no dataclasses and no typing.
"""

import json
import struct
from collections.abc import Sequence

__all__ = ["Body", "Decoder", "Frame", "encode"]

Body = dict[str, object]
"""A JSON object."""

Frame = tuple[Body, tuple[bytes, ...]]
"""One message: its body, and the raw bytes that belong to it."""

_PREFIX = struct.Struct(">4sI")
_MAGIC = b"LKM1"
_MOST_HEAD = 64 * 1024 * 1024
_MOST_PARTS = 1024 * 1024 * 1024


def encode(body: Body, part_sizes: Sequence[int] = ()) -> bytes:
    """Write a frame up to where its parts start; whoever sends it sends the parts right after.

    :param body: lone surrogates in its strings survive
    :param part_sizes: the parts' lengths in bytes
    """
    head = json.dumps({"body": body, "parts": list(part_sizes)}, separators=(",", ":")).encode()
    return _PREFIX.pack(_MAGIC, len(head)) + head


class Decoder:
    """Puts frames together from bytes that come in pieces of any size."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._head: tuple[Body, list[int]] | None = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._pending += data

    def next(self) -> Frame | None:
        """Give the next frame, or None until more bytes have come.

        :raises ValueError: the bytes are no frame; nothing after them can be understood
        """
        if self._head is None:
            self._head = self._taken_head()
        if self._head is None:
            return None
        body, sizes = self._head
        if len(self._pending) < sum(sizes):
            return None
        self._head = None
        return body, tuple(self._taken(size) for size in sizes)

    def _taken_head(self) -> tuple[Body, list[int]] | None:
        if len(self._pending) < _PREFIX.size:
            return None
        magic, size = _PREFIX.unpack_from(self._pending)
        if magic != _MAGIC:
            raise ValueError(f"not a frame: {magic!r}")
        if size > _MOST_HEAD:
            raise ValueError(f"a frame's head of {size} bytes")
        if len(self._pending) < _PREFIX.size + size:
            return None
        self._taken(_PREFIX.size)
        return _parsed(self._taken(size))

    def _taken(self, size: int) -> bytes:
        with memoryview(self._pending) as view:
            taken = bytes(view[:size])
        del self._pending[:size]
        return taken


def _parsed(text: bytes) -> tuple[Body, list[int]]:
    try:
        head = json.loads(text)
    except RecursionError as error:
        raise ValueError("a frame's head is nested too deeply") from error
    match head:
        case {"body": dict(body), "parts": list(sizes)} if all(type(size) is int and size >= 0 for size in sizes):
            if sum(sizes) > _MOST_PARTS:
                raise ValueError(f"a frame of {sum(sizes)} bytes")
            return body, sizes
    raise ValueError("a frame's head lacks its body or the lengths of its parts")
