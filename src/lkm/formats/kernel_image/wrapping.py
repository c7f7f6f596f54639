"""The kernel's ELF image, and its release, out of the file that a boot loader starts.

An x86 bzImage says in its setup header where its payload is (``Documentation/arch/x86/boot.rst``, protocol 2.08 and
later, which is Linux 2.6.26). The payload is compressed; except with gzip, its size when unpacked follows it in four
bytes (``scripts/Makefile.lib``, ``size_append``). Architectures other than x86 compress a flat image without sections,
which can't be turned back into ELF; an EFI zboot image (``drivers/firmware/efi/libstub/zboot-header.S``, 6.1) is a
program that unpacks one.

What distributions use on x86: xz and zstd (Debian), zstd (Fedora, Arch, openSUSE, Ubuntu), LZ4 (Ubuntu up to 21.04),
gzip (RHEL). LZO is left to embedded systems, and no library for it is kept up, so it is not unpacked.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lkm.errors import CompressionError, FormatError
from lkm.formats import decoders
from lkm.formats.bounded_stream import collect, unpack_stream
from lkm.formats.compression import DEFAULT_LIMIT, Compression, decompress, detect
from lkm.formats.elf.constants import MAGIC, Machine
from lkm.formats.kernel_image import lz4_legacy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from mmap import mmap

    from lkm.formats.bounded_stream import DecoderKind

    _Data = bytes | bytearray | memoryview | mmap

__all__ = ["contents", "machine_of_flat", "release", "unpack", "version"]

# Offsets in the setup header of struct boot_params (arch/x86/include/uapi/asm/bootparam.h).
_SETUP_SECTS = 0x1F1
_HEADER = 0x202
_VERSION = 0x206
_KERNEL_VERSION = 0x20E
_PAYLOAD_OFFSET = 0x248
_PAYLOAD_LENGTH = 0x24C
_END = 0x250
_SECTOR = 512
_FIRST_WITH_PAYLOAD = 0x0208

# Documentation/arch/arm64/booting.rst, Documentation/arch/riscv/boot-image-header.rst
_FLAT_MAGIC = 0x38
_FLAT_MAGICS = {b"ARMd": Machine.AARCH64, b"RSC\x05": Machine.RISCV}

# struct linux_efi_zboot_header (include/linux/efi.h, 6.1): "MZ", reserved, "zimg", offset, size, 8 reserved, type.
_ZBOOT_MAGIC = 4
_ZBOOT_OFFSET = 8
_ZBOOT_SIZE = 12
_ZBOOT_END = 56

_SIZE_LENGTH = 4
_BANNER = b"Linux version "
_LONGEST_BANNER = 1024  # bytes, above all the names of compiler and linker
_LONGEST_RELEASE = 64  # __NEW_UTS_LEN, include/uapi/linux/utsname.h


@dataclass(frozen=True, slots=True)
class _Algorithm:
    """A compression of ``lib/decompress.c``; ``kind`` is ``None`` for what no library here unpacks as a stream."""

    name: str
    magic: bytes
    kind: "Callable[[], DecoderKind] | None"


_ALGORITHMS = (
    _Algorithm("gzip", b"\x1f\x8b", decoders.gzip),
    _Algorithm("bzip2", b"BZh", decoders.bzip2),
    _Algorithm("LZMA", b"\x5d\0\0", decoders.lzma_alone),
    _Algorithm("xz", b"\xfd7zXZ\0", decoders.xz),
    _Algorithm("zstd", b"\x28\xb5\x2f\xfd", decoders.zstd),
    _Algorithm("LZO", b"\x89LZO", None),
    _Algorithm("LZ4", lz4_legacy.MAGIC, None),
)
_LONGEST_MAGIC = 6


def unpack(data: "_Data", *, limit: int = DEFAULT_LIMIT) -> bytes:
    """Return the kernel as an ELF image, with whatever follows it in the payload (relocations of x86).

    :param data: a bzImage, an ELF image, or one compressed with gzip, xz or zstd
    :param limit: how many bytes may come out
    :raises FormatError: no kernel, one whose image is not ELF, one packed with LZO, or with LZ4 without its package
    :raises CompressionError: the payload is damaged, cut short, or larger than the limit when unpacked
    """
    image = contents(data, limit=limit)
    if image[:4] == MAGIC:
        return image
    raise FormatError(
        "the kernel is a flat image, not an ELF one, so it has no sections to read",
        hint="use the vmlinux file of the build or of the debugging package",
    )


def contents(data: "_Data", *, limit: int = DEFAULT_LIMIT) -> bytes:
    """Return the kernel as it lies in memory: as :func:`unpack` does, or flat where there is no ELF image.

    :param data: as for :func:`unpack`, or a flat image, as it is, compressed, or inside of an EFI zboot image
    :param limit: how many bytes may come out
    :raises FormatError: no kernel, or one that can't be unpacked
    :raises CompressionError: as :func:`unpack`
    """
    image = _unwrapped(memoryview(data), limit)
    if image[:4] != MAGIC and not _banner_version(image):
        raise FormatError("not a kernel image: what is packed in it is no kernel")
    return image


def release(data: "_Data") -> str:
    """Return the release of a kernel, as ``uname -r`` would print it.

    :param data: as for :func:`contents`
    :raises FormatError: no kernel, or no release in it
    :raises CompressionError: as :func:`unpack`
    """
    view = memoryview(data)
    text = _setup_version(view) if _is_bzimage(view) else _banner_version(_unwrapped(view, DEFAULT_LIMIT))
    name = text.split(b" ", 1)[0]
    if not 0 < len(name) <= _LONGEST_RELEASE:
        raise FormatError("the kernel image does not say its release")
    return name.decode("utf-8", "surrogateescape")


def machine_of_flat(image: bytes) -> int | None:
    """Return for which processor a flat image is, as in ``e_machine``; None where it does not tell.

    :param image: as :func:`contents` gives it
    """
    return _FLAT_MAGICS.get(image[_FLAT_MAGIC : _FLAT_MAGIC + 4])


def version(image: bytes) -> str:
    """Return what /proc/version says of a kernel, without the line's end; empty where the image does not tell.

    :param image: as :func:`contents` gives it
    """
    texts = [text.partition(b"\n")[0].partition(b"\0")[0] for text in _banners(image, _LONGEST_BANNER)]
    # From 6.1 there is a second one, weak and without the build's number (init/version.c).
    text = max(texts, key=len, default=b"")
    return (_BANNER + text).decode("utf-8", "surrogateescape") if text else ""


def _unwrapped(data: memoryview, limit: int) -> bytes:
    if data[:4].tobytes() == MAGIC:
        return bytes(data)
    if _is_bzimage(data):
        return _unpacked_payload(*_payload(data), limit)
    if data[_ZBOOT_MAGIC : _ZBOOT_MAGIC + 4].tobytes() == b"zimg":
        return _unpacked_payload(*_zboot_payload(data), limit, announces_size=False)
    if detect(data) is not Compression.NONE:
        return decompress(data, limit=limit)
    if data[_FLAT_MAGIC : _FLAT_MAGIC + 4].tobytes() in _FLAT_MAGICS:
        return bytes(data)
    raise FormatError("not a kernel image: neither a bzImage, nor ELF, nor compressed", offset=0)


# --- bzImage ----------------------------------------------------------------------------------------------------------


def _is_bzimage(data: memoryview) -> bool:
    return data[_HEADER : _HEADER + 4].tobytes() == b"HdrS"


def _payload(data: memoryview) -> tuple[memoryview, int]:
    """Return the file up to the end of its payload, and where the payload begins."""
    if len(data) < _END:
        raise FormatError("the file ends inside of the setup header", offset=len(data))
    version = _number(data, _VERSION, 2)
    if version < _FIRST_WITH_PAYLOAD:
        raise FormatError(
            f"boot protocol {version >> 8}.{version & 0xFF:02} does not say where the kernel's image is, as 2.08 does",
            offset=_VERSION,
        )
    # A zero stands for 4, "for backwards compatibility".
    start = (1 + (data[_SETUP_SECTS] or 4)) * _SECTOR + _number(data, _PAYLOAD_OFFSET, 4)
    length = _number(data, _PAYLOAD_LENGTH, 4)
    if start + length > len(data):
        raise FormatError(f"a payload of {length} bytes reaches past the end of the file", offset=start)
    return data[: start + length], start


def _zboot_payload(data: memoryview) -> tuple[memoryview, int]:
    """Return the file up to the end of its payload, and where the payload begins."""
    if len(data) < _ZBOOT_END:
        raise FormatError("the file ends inside of the zboot header", offset=len(data))
    start, length = _number(data, _ZBOOT_OFFSET, 4), _number(data, _ZBOOT_SIZE, 4)
    if start + length > len(data):
        raise FormatError(f"a payload of {length} bytes reaches past the end of the file", offset=start)
    return data[: start + length], start


def _unpacked_payload(data: memoryview, start: int, limit: int, *, announces_size: bool = True) -> bytes:
    begin = data[start : start + _LONGEST_MAGIC].tobytes()
    if begin.startswith(MAGIC):
        return bytes(data[start:])
    if begin.startswith(lz4_legacy.MAGIC):
        end = len(data) - _SIZE_LENGTH * announces_size
        image = lz4_legacy.unpack(data, start, end, limit=limit)
    else:
        kind = _decoder_kind(begin, start)
        image, end = collect(unpack_stream(data, start, kind(), limit=limit))
        announces_size = announces_size and kind is not decoders.gzip
    announced = data[end : end + _SIZE_LENGTH].tobytes()
    if announces_size and announced != (len(image) & 0xFFFFFFFF).to_bytes(_SIZE_LENGTH, "little"):
        raise CompressionError(f"{len(image)} bytes were unpacked, which is not the size that follows", offset=end)
    return image


def _decoder_kind(begin: bytes, offset: int) -> "Callable[[], DecoderKind]":
    """Return what unpacks a payload that begins so."""
    for algorithm in _ALGORITHMS:
        if begin.startswith(algorithm.magic):
            if algorithm.kind is None:
                raise FormatError(
                    f"the kernel is packed with {algorithm.name}, which can't be unpacked here", offset=offset
                )
            return algorithm.kind
    raise FormatError(f"the kernel is packed in an unknown way: it begins with {begin.hex(' ')}", offset=offset)


def _setup_version(data: memoryview) -> bytes:
    """Return the text that ``kernel_version`` points to, less 0x200: release, builder, number and date."""
    if len(data) < _END:
        raise FormatError("the file ends inside of the setup header", offset=len(data))
    pointer = _number(data, _KERNEL_VERSION, 2)
    if not pointer:
        raise FormatError("the setup header does not say the kernel's release", offset=_KERNEL_VERSION)
    start = pointer + 0x200
    return bytes(data[start : start + 2 * _LONGEST_RELEASE]).split(b"\0", 1)[0]


def _number(data: memoryview, offset: int, size: int) -> int:
    return int.from_bytes(data[offset : offset + size], "little")


# --- other images -----------------------------------------------------------------------------------------------------


def _banner_version(image: bytes) -> bytes:
    """Return what follows "Linux version ", empty without it."""
    return next(_banners(image, 2 * _LONGEST_RELEASE), b"")


def _banners(image: bytes, longest: int) -> "Iterator[bytes]":
    """Yield what follows "Linux version " in each ``linux_banner`` (``init/version-timestamp.c``).

    The same words stand in other places, as a format.
    """
    position = image.find(_BANNER)
    while position >= 0:
        text = image[position + len(_BANNER) : position + len(_BANNER) + longest]
        if text[:1].isdigit():
            yield text
        position = image.find(_BANNER, position + 1)
