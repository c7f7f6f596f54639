"""The kernel's own unpacking of a compressed module (kernel/module/decompress.c, 6.1 to 7.2).

It knows one format, that of its configuration, unpacks one stream and leaves what follows alone.
"""

import errno
import re
from typing import TYPE_CHECKING

from lkm.formats import decoders
from lkm.rules.loading.attempt import COMPRESSED_FILE, Attempt, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["unpack"]

_LIMIT = 512 << 20  # bytes; what a kernel could hold depends on its memory

_GZIP_MAGIC = b"\x1f\x8b\x08"
_GZIP_HEADER = 10
_GZIP_HAS_NAME = 0x08
_GZIP_CUT_SHORT = -5  # Z_BUF_ERROR
_ZLIB_STATUS = re.compile(r"Error (-?\d+)")

_XZ_MAGIC = b"\xfd7zXZ\0"
_XZ_CRC32 = 1  # stronger checks are unsupported options to the kernel's decoder
_XZ_CHECK = 7  # where in the stream header
_XZ_OK, _XZ_FORMAT, _XZ_OPTIONS, _XZ_DATA = 0, 5, 6, 7  # enum xz_ret, include/linux/xz.h

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_STATUS = {"checksum": 22, "Unsupported frame parameter": 14}  # include/linux/zstd_errors.h
_ZSTD_CORRUPT = 20

_FAILED = "decompression failed with status"


class _Damaged(Exception):
    """The kernel says this line and gives EINVAL."""


def unpack(attempt: Attempt) -> Refusal | None:
    """``module_decompress``, which runs where the caller says that the file is compressed."""
    if not attempt.has_flag(COMPRESSED_FILE):
        return None
    unpacker = next((f for option, f in _UNPACKERS if attempt.profile.has(option)), None)
    if unpacker is None or not attempt.profile.has("MODULE_DECOMPRESS"):
        return Refusal(errno.EOPNOTSUPP)
    try:
        attempt.contents = unpacker(attempt.request.contents)
    except _Damaged as damage:
        attempt.say(str(damage))
        return Refusal(errno.EINVAL)
    if len(attempt.contents) > _LIMIT:
        return Refusal(errno.ENOMEM)
    return _shown_again(attempt)


def _shown_again(attempt: Attempt) -> Refusal | None:
    """``ima_post_read_file`` (security/integrity/ima/ima_main.c, 7.2) refuses what has no contents."""
    appraises = attempt.profile.has("IMA_APPRAISE") and attempt.traits.passes_unpacked_files_to_ima
    return Refusal(errno.EACCES) if appraises and not attempt.contents else None


def _gzip(data: bytes) -> bytes:
    import zlib  # noqa: PLC0415  as in decoders.py

    start = _gzip_header(data)
    stream = zlib.decompressobj(-zlib.MAX_WBITS)  # so neither checksum nor length count
    try:
        found = stream.decompress(data[start:], _LIMIT + 1)
    except zlib.error as error:
        status = _ZLIB_STATUS.match(str(error))
        raise _Damaged(f"{_FAILED} {status[1] if status else -3}") from error
    if not stream.eof and len(found) <= _LIMIT:
        raise _Damaged(f"{_FAILED} {_GZIP_CUT_SHORT}")
    return found


def _gzip_header(data: bytes) -> int:
    """``module_gzip_header_len``: of the optional parts it knows only the file name."""
    name_end = data.find(b"\0", _GZIP_HEADER) if data[3:4] and data[3] & _GZIP_HAS_NAME else _GZIP_HEADER - 1
    if len(data) < _GZIP_HEADER or not data.startswith(_GZIP_MAGIC) or name_end < 0:
        raise _Damaged("not a gzip compressed module")
    return name_end + 1


def _xz(data: bytes) -> bytes:
    if not data.startswith(_XZ_MAGIC):
        raise _Damaged("not an xz compressed module")
    if len(data) > _XZ_CHECK and data[_XZ_CHECK] > _XZ_CRC32:
        raise _Damaged(f"{_FAILED} {_XZ_OPTIONS}")
    make, damages = decoders.xz()
    stream = make()
    try:
        found = stream.decompress(data, _LIMIT + 1)
    except damages as error:
        raise _Damaged(f"{_FAILED} {_xz_status(str(error))}") from error
    if not stream.eof and len(found) <= _LIMIT:
        raise _Damaged(f"{_FAILED} {_XZ_OK}")
    return found


def _xz_status(text: str) -> int:
    if "option" in text:
        return _XZ_OPTIONS
    return _XZ_FORMAT if "format" in text else _XZ_DATA


def _zstd(data: bytes) -> bytes:
    """``module_zstd_decompress``, which takes what a frame cut short holds for the whole."""
    if not data.startswith(_ZSTD_MAGIC):
        raise _Damaged("not a zstd compressed module")
    if len(data) < _zstd_header_size(data):
        raise _Damaged("ZSTD-compressed data has an incomplete frame header")
    make, damages = decoders.zstd()
    try:
        return make().decompress(data, _LIMIT + 1)
    except damages as error:
        status = next((code for word, code in _ZSTD_STATUS.items() if word in str(error)), _ZSTD_CORRUPT)
        raise _Damaged(f"ZSTD-decompression failed with status {status}") from error


def _zstd_header_size(data: bytes) -> int:
    """Give the bytes of a frame header (RFC 8878, 3.1.1.1), magic number included."""
    if len(data) <= len(_ZSTD_MAGIC):
        return len(_ZSTD_MAGIC) + 1
    descriptor = data[len(_ZSTD_MAGIC)]
    single_segment = descriptor >> 5 & 1
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    content_size = (single_segment, 2, 4, 8)[descriptor >> 6]
    return len(_ZSTD_MAGIC) + 1 + (not single_segment) + dictionary + content_size


_UNPACKERS: "tuple[tuple[str, Callable[[bytes], bytes]], ...]" = (
    ("MODULE_COMPRESS_GZIP", _gzip),
    ("MODULE_COMPRESS_XZ", _xz),
    ("MODULE_COMPRESS_ZSTD", _zstd),
)
