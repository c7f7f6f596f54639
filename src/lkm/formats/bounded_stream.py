"""Unpacking a compressed stream piece by piece, so that its output never outgrows a limit."""

from typing import TYPE_CHECKING, Protocol

from lkm.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["Decoder", "DecoderKind", "collect", "unpack_stream"]

# Input is handed over in slices that grow: a file of a million tiny streams costs no more than one large stream.
_FIRST_SLICE = 1 << 12
_LARGEST_SLICE = 1 << 18
_LARGEST_CHUNK = 1 << 20


class Decoder(Protocol):
    """What the decoders of ``lzma``, ``bz2`` and ``compression.zstd`` have in common."""

    @property
    def eof(self) -> bool:
        """The stream has ended."""

    @property
    def needs_input(self) -> bool:
        """There is no more output without more input."""

    @property
    def unused_data(self) -> bytes:
        """What followed the end of the stream in the last slice."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most ``max_length`` bytes of output."""


DecoderKind = tuple["Callable[[], Decoder]", tuple[type[Exception], ...]]
"""How to make a decoder for one stream, and the exceptions by which it says that the stream is damaged."""


def unpack_stream(
    data: memoryview, start: int, kind: DecoderKind, *, limit: int, already: int = 0
) -> "Generator[bytes, None, tuple[int, int]]":
    """Unpack the stream that begins at an offset, and yield its output in pieces of at most a megabyte.

    :param start: the offset
    :param limit: how many bytes may come out
    :param already: how many of them came out of the streams before this one
    :returns: when it is exhausted, the offset behind the stream, and how many bytes came out with those before
    :raises CompressionError: the stream is damaged, cut short, or has more output than the limit
    """
    new_decoder, damages = kind
    decoder = new_decoder()
    position, size, total = start, _FIRST_SLICE, already
    while not decoder.eof:
        piece = bytes(data[position : position + size]) if decoder.needs_input else b""
        if decoder.needs_input and not piece:
            raise CompressionError("the compressed data ends too early", offset=len(data))
        try:
            chunk = decoder.decompress(piece, min(limit - total + 1, _LARGEST_CHUNK))
        except damages as error:
            raise CompressionError(f"the compressed data is damaged: {error}", offset=position) from error
        total += len(chunk)
        if total > limit:
            raise CompressionError(f"the compressed data unpacks to more than {limit} bytes", offset=position)
        if chunk:
            yield chunk
        position += len(piece)
        size = min(2 * size, _LARGEST_SLICE)
    return position - len(decoder.unused_data), total


def collect(stream: "Generator[bytes, None, tuple[int, int]]") -> tuple[bytes, int]:
    """Return all the output of :func:`unpack_stream`, and the offset behind the stream."""
    chunks = []
    while True:
        try:
            chunks.append(next(stream))
        except StopIteration as end:
            position: int = end.value[0]
            return b"".join(chunks), position
