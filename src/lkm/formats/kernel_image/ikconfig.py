"""The build configuration that a kernel image, or the module ``configs``, carries (CONFIG_IKCONFIG).

``kernel/configs.c`` (6.1) puts .config, packed with gzip, between the marks ``IKCFG_ST`` and ``IKCFG_ED``.
"""

from typing import TYPE_CHECKING

from lkm.errors import CompressionError
from lkm.formats import decoders
from lkm.formats.bounded_stream import collect, unpack_stream

if TYPE_CHECKING:
    from mmap import mmap

__all__ = ["find", "unpack"]

_START = b"IKCFG_ST"
_END = b"IKCFG_ED"
_GZIP = b"\x1f\x8b"
_LARGEST = 8 << 20  # bytes unpacked: some thirty times that of a distribution


def find(image: "bytes | bytearray | mmap") -> str | None:
    """Return the text of .config, or None where the image has none that is whole.

    :param image: a kernel image when unpacked, or an uncompressed module
    """
    position = image.find(_START + _GZIP)
    while position >= 0:
        text = _between(memoryview(image), position + len(_START))
        if text is not None:
            return text
        position = image.find(_START + _GZIP, position + 1)
    return None


def unpack(data: bytes) -> str:
    """Return the text of what /proc/config.gz holds.

    :raises CompressionError: it is not gzip, damaged, or larger than 8 MiB
    """
    return _unpack(memoryview(data), 0)[0]


def _between(data: memoryview, start: int) -> str | None:
    try:
        text, end = _unpack(data, start)
    except CompressionError:
        return None
    return text if data[end : end + len(_END)] == _END else None


def _unpack(data: memoryview, start: int) -> tuple[str, int]:
    text, end = collect(unpack_stream(data, start, decoders.gzip(), limit=_LARGEST))
    return text.decode("utf-8", "surrogateescape"), end
