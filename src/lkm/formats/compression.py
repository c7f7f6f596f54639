"""The compressions that module files come in, told apart by their first bytes as kmod does, not by their names."""

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING

from lkm.errors import CompressionError
from lkm.formats import decoders
from lkm.formats.bounded_stream import unpack_stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap

    from lkm.formats.bounded_stream import DecoderKind

    _Data = bytes | bytearray | memoryview | mmap

__all__ = ["DEFAULT_LIMIT", "Compression", "compress", "decompress", "detect"]

DEFAULT_LIMIT = 512 << 20
"""Bytes of output: several times the largest module with debugging information."""

_LARGEST_HELD = 64 << 20
_SKIPPABLE_FRAMES = range(0x184D2A50, 0x184D2A60)


class Compression(Enum):
    """How a file is compressed; the values are the words of ``/sys/module/compression``."""

    NONE = "none"
    GZIP = "gzip"
    XZ = "xz"
    ZSTD = "zstd"


_MAGICS = {Compression.ZSTD: b"\x28\xb5\x2f\xfd", Compression.XZ: b"\xfd7zXZ\0", Compression.GZIP: b"\x1f\x8b"}


def detect(data: "_Data") -> Compression:
    """Say by its first bytes how a file is compressed (kmod 30, ``libkmod/libkmod-file.c``, ``comp_types``).

    :param data: the file, or its first 6 bytes
    """
    for compression, magic in _MAGICS.items():
        if data[: len(magic)] == magic:
            return compression
    return Compression.NONE


def decompress(data: "_Data", *, limit: int = DEFAULT_LIMIT) -> bytes:
    """Unpack a file; one that has none of the known magic numbers comes back as it is.

    A file may consist of several streams, whose outputs are joined. What follows the last one is ignored with gzip,
    may be zeros in multiples of 4 with xz, and must be nothing with zstd: so do the tools of these names.

    Output of more than 64 MiB is unpacked once to see whether it stays below the limit, and once more to be kept, so
    that a small file made to unpack to gigabytes takes no memory to speak of.

    :param data: the whole file
    :param limit: how many bytes may come out
    :returns: the output; twice its size is needed while its pieces are joined
    :raises CompressionError: the data is damaged, cut short, or has more output than the limit
    """
    compression = detect(data)
    if compression is Compression.NONE:
        return bytes(data)
    view = memoryview(data)
    small = _first_pieces(_pieces(view, compression, limit))
    if small is not None:
        return small[0] if len(small) == 1 else b"".join(small)
    deque(_pieces(view, compression, limit), maxlen=0)  # raises when it is too much, and keeps nothing
    return b"".join(_pieces(view, compression, limit))


def compress(data: bytes, compression: Compression) -> bytes:
    """Pack a file with the settings of the kernel's build (``scripts/Makefile.modinst``, Linux 6.12).

    The same input gives the same output. The kernel unpacks xz only with CRC32 as the check and a small dictionary.
    """
    if compression is Compression.GZIP:
        import zlib  # noqa: PLC0415 - as in decoders.py

        packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        return packer.compress(data) + packer.flush()
    if compression is Compression.XZ:
        import lzma  # noqa: PLC0415 - as in decoders.py

        filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20}]
        return lzma.compress(data, check=lzma.CHECK_CRC32, filters=filters)
    if compression is Compression.ZSTD:
        library = decoders.zstd_library()
        packed: bytes = library.compress(data, options={library.CompressionParameter.checksum_flag: 1})
        return packed
    return data


def _decoder_kind(compression: Compression) -> "DecoderKind":
    if compression is Compression.GZIP:
        return decoders.gzip()
    return decoders.xz() if compression is Compression.XZ else decoders.zstd()


def _first_pieces(pieces: "Iterator[bytes]") -> list[bytes] | None:
    """Return all the pieces, or ``None`` when they are too large to be kept without a thought."""
    kept, size = [], 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        if size > _LARGEST_HELD:
            return None
    return kept


def _pieces(data: memoryview, compression: Compression, limit: int) -> "Iterator[bytes]":
    """Yield the output of all streams."""
    kind = _decoder_kind(compression)
    position: int | None = 0
    already = 0
    while position is not None:
        end, already = yield from unpack_stream(data, position, kind, limit=limit, already=already)
        position = _next_stream(compression, data, end)


def _next_stream(compression: Compression, data: memoryview, position: int) -> int | None:
    """Return where the stream after the one that ended at ``position`` begins; ``None`` when that was the last."""
    magic = _MAGICS[compression]
    if compression is Compression.XZ:
        position = _after_padding(data, position)
    if position == len(data):
        return None
    found = data[position : position + len(magic)]
    if found == magic:
        return position
    if compression is Compression.GZIP:
        return None
    if compression is Compression.ZSTD and int.from_bytes(found, "little") in _SKIPPABLE_FRAMES:
        return position
    raise CompressionError(f"what follows the last {compression.value} stream is no stream", offset=position)


def _after_padding(data: memoryview, position: int) -> int:
    """Return where the zeros end that may follow an xz stream, in multiples of 4."""
    start, size = position, 1
    while data[position : position + size] == bytes(size):
        position += size
        size *= 2
    while size:
        if data[position : position + size] == bytes(size):
            position += size
        else:
            size //= 2
    return position - (position - start) % 4
