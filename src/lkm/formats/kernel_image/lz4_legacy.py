"""LZ4's first frame format, which the kernel's build uses (``lz4 -l``, scripts/Makefile.lib, 6.1).

A magic number, then blocks: the size of the packed block in four bytes, then the block. Each unpacks to 8 MiB, the last
one to what is left (lib/decompress_unlz4.c, 6.1). The blocks themselves are unpacked by the package ``lz4``, where it
is installed; few need it, as distributions have moved on to zstd.
"""

import importlib
from typing import Any

from lkm.errors import CompressionError, FormatError

__all__ = ["MAGIC", "unpack"]

MAGIC = b"\x02\x21\x4c\x18"

_BLOCK = 8 << 20  # bytes that a block unpacks to, LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE
_LENGTH = 4


def unpack(data: memoryview, start: int, end: int, *, limit: int) -> bytes:
    """Unpack a frame.

    :param start: where its magic number is
    :param end: where its last block ends
    :param limit: how many bytes may come out
    :raises FormatError: the package is not installed
    :raises CompressionError: a block is damaged, cut short, or more comes out than the limit
    """
    library = _library(start)
    position = start + len(MAGIC)
    pieces: list[bytes] = []
    total = 0
    while position < end:
        size = int.from_bytes(data[position : min(position + _LENGTH, end)], "little")
        block = bytes(data[position + _LENGTH : min(position + _LENGTH + size, end)])
        if not size or len(block) < size:
            raise CompressionError("the compressed data ends too early", offset=position)
        try:
            piece = library.decompress(block, uncompressed_size=_BLOCK)
        except (ValueError, RuntimeError, library.LZ4BlockError) as error:
            raise CompressionError(f"the compressed data is damaged: {error}", offset=position) from error
        total += len(piece)
        if total > limit:
            raise CompressionError(f"the compressed data unpacks to more than {limit} bytes", offset=position)
        pieces.append(piece)
        position += _LENGTH + size
    return b"".join(pieces)


def _library(offset: int) -> Any:
    try:
        return importlib.import_module("lz4.block")
    except ImportError:
        raise FormatError(
            "the kernel is packed with LZ4, which takes a package to unpack that is not installed",
            offset=offset,
            hint="install it beside lkm: pip install lz4",
        ) from None
