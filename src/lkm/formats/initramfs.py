"""Finding files in an initramfs image without unpacking the rest: archives of cpio, plain or compressed, in a row.

Facts: Linux 6.1, ``Documentation/driver-api/early-userspace/buffer-format.rst`` and init/initramfs.c
``unpack_to_rootfs``. The first archive is often the processor's microcode, uncompressed.
"""

import binascii
import re
import stat
import struct
from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple

from lkm.errors import FormatError
from lkm.formats import decoders
from lkm.formats.bounded_stream import DecoderKind, unpack_stream
from lkm.formats.cpio import HEADER_SIZE, MAGICS

__all__ = ["DEFAULT_LIMIT", "Member", "members"]

DEFAULT_LIMIT = 2 << 30
"""Bytes of unpacked archives."""

_MOST_NAME = 4096
_MOST_DATA = 16 << 20  # bytes of a file that is wanted
_MOST_MEMBERS = 1_000_000
_TRAILER = b"TRAILER!!!"
_NUMBERS = struct.Struct(">13I")
_NOT_ZERO = re.compile(rb"[^\0]")


class Member(NamedTuple):
    """A file, directory or link of the image.

    :param name: without a leading slash or ``./``
    :param mode: kind and permissions, as in ``st_mode``
    :param data: a file's bytes or a link's target; None where they were not asked for
    """

    name: str
    mode: int
    data: bytes | None

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)


def members(image: memoryview, wanted: Callable[[str], bool], *, limit: int = DEFAULT_LIMIT) -> Generator[Member]:
    """Go through all that an image holds, in its order; of two of one name the later one is what boot sees.

    :param image: the whole image, as bytes
    :param wanted: told a name, says whether its data is wanted
    :param limit: how many bytes may be unpacked
    :raises FormatError: the image is damaged, compressed in a way that is not known here, or unpacks to too much
    """
    place = 0
    count = total = 0
    while True:
        found = _NOT_ZERO.search(image, place)
        if found is None:
            return
        place = found.start()
        source = _Source(image, place, limit, total)
        for member in _archives(source, wanted):
            count += 1
            if count > _MOST_MEMBERS:
                raise FormatError("the image holds more than a million files", offset=place)
            yield member
        place, total = source.end()


class _Source:
    """The bytes of one segment of an image, unpacked as they are asked for."""

    def __init__(self, image: memoryview, place: int, limit: int, already: int) -> None:
        self._place = place
        self._stream: Generator[bytes, None, tuple[int, int]] | None = None
        self._held: bytes | memoryview = b""
        self._at = 0  # in what is held
        self.position = 0  # from the segment's start, unpacked
        if bytes(image[place : place + 6]) in MAGICS:
            self._held = image[place:]
        else:
            kind = _kind(bytes(image[place : place + 6]), place)
            self._stream = unpack_stream(image, place, kind, limit=limit, already=already)
        self._already = already
        self._after: tuple[int, int] | None = None

    def end(self) -> tuple[int, int]:
        """Give the place in the image behind the segment, and how many bytes were unpacked so far."""
        if self._stream is None:
            return self._place + self._at, self._already
        while self._after is None:
            self._more()
        return self._after

    def _more(self) -> bool:
        if self._stream is None:
            return False
        try:
            self._held, self._at = next(self._stream), 0
        except StopIteration as end:
            self._after = end.value
            self._held, self._at = b"", 0
            return False
        return True

    def skip(self, size: int) -> None:
        """Pass over bytes.

        :raises FormatError: there are no more
        """
        self.position += size
        while size > len(self._held) - self._at:
            size -= len(self._held) - self._at
            self._at = len(self._held)
            if not self._more():
                raise FormatError("an archive in the image is cut short", offset=self._place)
        self._at += size

    def read(self, size: int) -> bytes:
        """Give the next bytes.

        :raises FormatError: there are no more
        """
        parts: list[bytes] = []
        self.position += size
        while size > len(self._held) - self._at:
            part = bytes(self._held[self._at :])
            parts.append(part)
            size -= len(part)
            self._at = len(self._held)
            if not self._more():
                raise FormatError("an archive in the image is cut short", offset=self._place)
        parts.append(bytes(self._held[self._at : self._at + size]))
        self._at += size
        return b"".join(parts)

    def goes_on(self) -> bool:
        """Pass over zeros, and tell whether another archive follows in the same segment."""
        while True:
            found = _NOT_ZERO.search(self._held, self._at)
            if found:
                self.position += found.start() - self._at
                self._at = found.start()
                break
            self.position += len(self._held) - self._at
            self._at = len(self._held)
            if not self._more():
                return False
        return self._stream is not None or bytes(self._held[self._at : self._at + 6]) in MAGICS


def _kind(magic: bytes, offset: int) -> DecoderKind:
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        return decoders.zstd()
    if magic.startswith(b"\x1f\x8b"):
        return decoders.gzip()
    if magic == b"\xfd7zXZ\0":
        return decoders.xz()
    if magic.startswith(b"BZh"):
        return decoders.bzip2()
    if magic.startswith(b"\x5d\0\0"):
        return decoders.lzma_alone()
    raise FormatError("the image is compressed in a way that lkm does not read", offset=offset)


def _archives(source: _Source, wanted: Callable[[str], bool]) -> Iterator[Member]:
    while source.goes_on():
        start = source.position
        yield from _archive(source, start, wanted)


def _archive(source: _Source, start: int, wanted: Callable[[str], bool]) -> Iterator[Member]:
    while True:
        head = source.read(HEADER_SIZE)
        if head[:6] not in MAGICS:
            raise FormatError("what should be the header of a file in the image is none", offset=source.position)
        try:
            numbers = _NUMBERS.unpack(binascii.unhexlify(head[6:]))
        except binascii.Error as error:
            raise FormatError("a header in the image holds more than hexadecimal digits") from error
        mode, size, name_size = numbers[1], numbers[6], numbers[11]
        if not 0 < name_size <= _MOST_NAME:
            raise FormatError(f"a name of {name_size} bytes in the image", offset=source.position)
        raw = source.read(name_size).split(b"\0", 1)[0]
        source.skip(-(source.position - start) % 4)
        if raw == _TRAILER:
            return
        name = raw.decode("utf-8", "surrogateescape").removeprefix("./").lstrip("/")
        data = None
        if size <= _MOST_DATA and wanted(name):
            data = source.read(size)
        else:
            source.skip(size)
        source.skip(-(source.position - start) % 4)
        yield Member(name, mode, data)
