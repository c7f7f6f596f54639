"""Decoders of compressed streams, from the standard library and, before Python 3.14, from ``backports.zstd``.

Each library is imported only when its format is met: most modules are not compressed, and the imports take longer than
reading one.
"""

# ruff: noqa: PLC0415 - see above

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from lkm.formats.bounded_stream import DecoderKind

__all__ = ["bzip2", "gzip", "lzma_alone", "xz", "zstd", "zstd_library"]

# The kernel's own build uses dictionaries of up to 128 MiB (scripts/xz_wrap.sh), and the decoder needs a little more.
_LZMA_MEMORY_LIMIT = 256 << 20


def gzip() -> "DecoderKind":
    """Return the decoder of one gzip member."""
    import zlib

    return _GzipDecoder, (zlib.error,)


def xz() -> "DecoderKind":
    """Return the decoder of one xz stream."""
    import lzma

    return (lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _LZMA_MEMORY_LIMIT)), (lzma.LZMAError,)


def lzma_alone() -> "DecoderKind":
    """Return the decoder of the format before xz, ``.lzma``."""
    import lzma

    return (lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, _LZMA_MEMORY_LIMIT)), (lzma.LZMAError,)


def bzip2() -> "DecoderKind":
    """Return the decoder of one bzip2 stream."""
    import bz2

    return bz2.BZ2Decompressor, (OSError, ValueError)


def zstd() -> "DecoderKind":
    """Return the decoder of one Zstandard frame; it refuses windows of more than 128 MiB by itself."""
    library = zstd_library()
    return library.ZstdDecompressor, (library.ZstdError,)


def zstd_library() -> "ModuleType":
    """Return ``compression.zstd`` or what stands for it."""
    if sys.version_info >= (3, 14):
        from compression import zstd as library
    else:
        from backports import zstd as library
    return library


class _GzipDecoder:
    """The decoder of ``zlib`` with the interface of the others."""

    __slots__ = ("_stream",)

    def __init__(self) -> None:
        import zlib

        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        # Output may still be held back when all input is taken, but never the whole of it: the 8 bytes that end a
        # member are taken last.
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)
