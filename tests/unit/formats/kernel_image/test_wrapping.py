"""Kernel images, unpacked and asked for their release."""

import bz2
import gzip
import lzma
import struct
import sys
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import CompressionError, FormatError, Unreadable
from lkm.formats.compression import Compression, compress
from lkm.formats.elf.constants import ElfType, Machine, SectionFlag
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.kernel_image import lz4_legacy
from lkm.formats.kernel_image.wrapping import contents, machine_of_flat, release, unpack, version

RELEASE = "6.1.0-56-amd64"
VERSION = f"{RELEASE} (builder@example.org) #1 SMP".encode()


def vmlinux() -> bytes:
    writer = ObjectWriter(type=ElfType.EXEC)
    writer.add_section("__ksymtab", flags=SectionFlag.ALLOC, data=bytes(24), address=0xFFFFFFFF82000000)
    text = b"Linux version %s (%s)\0Linux version " + VERSION + b"\0"
    writer.add_section(".rodata", flags=SectionFlag.ALLOC, data=text)
    return writer.to_bytes()


def with_size(packed: bytes) -> bytes:
    return packed + len(vmlinux()).to_bytes(4, "little")


PAYLOADS = {
    "gzip": gzip.compress(vmlinux()),
    "bzip2": with_size(bz2.compress(vmlinux())),
    "lzma": with_size(lzma.compress(vmlinux(), lzma.FORMAT_ALONE)),
    "xz": with_size(lzma.compress(vmlinux())),
    "zstd": with_size(compress(vmlinux(), Compression.ZSTD)),
    "none": vmlinux(),
}


def bzimage(
    payload: bytes,
    *,
    setup_sects: int = 27,
    version: int = 0x020F,
    length: int | None = None,
    kernel_version: int | None = 0x3000,
) -> bytes:
    sectors = (setup_sects or 4) + 1
    image = bytearray(512 * sectors + 0x100) + payload + bytes(64)
    image[0x1F1] = setup_sects
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x206, version)
    struct.pack_into("<II", image, 0x248, 0x100, len(payload) if length is None else length)
    if kernel_version and kernel_version < len(image):
        struct.pack_into("<H", image, 0x20E, kernel_version)
        image[kernel_version + 0x200 : kernel_version + 0x200 + len(VERSION) + 1] = VERSION + b"\0"
    return bytes(image)


def zboot(packed: bytes) -> bytes:
    return struct.pack("<4s4sII8x32s", b"MZ\0\0", b"zimg", 56, len(packed), b"whatever") + packed


class TestBzImage:
    @pytest.mark.parametrize("packed", PAYLOADS.values(), ids=list(PAYLOADS))
    def test_every_compression(self, packed: bytes) -> None:
        image = bzimage(packed)
        assert unpack(image) == vmlinux()
        assert release(image) == RELEASE

    def test_zero_setup_sectors_stand_for_four(self) -> None:
        assert unpack(bzimage(PAYLOADS["gzip"], setup_sects=0, kernel_version=None)) == vmlinux()

    def test_what_follows_the_image_stays(self) -> None:
        payload = vmlinux() + b"relocations"
        image = unpack(bzimage(gzip.compress(payload)))
        assert image == payload
        assert Elf(image).section("__ksymtab") is not None

    def test_what_can_not_be_unpacked_is_named(self) -> None:
        magic = b"\x89LZO\0\r\n\x1a\n"
        with pytest.raises(FormatError, match="packed with LZO, which can't be unpacked here") as caught:
            unpack(bzimage(magic + bytes(100)))
        assert caught.value.offset == 28 * 512 + 0x100
        assert release(bzimage(magic + bytes(100))) == RELEASE

    def test_lz4_takes_a_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "lz4.block", None)
        with pytest.raises(FormatError, match="packed with LZ4") as caught:
            unpack(bzimage(lz4_legacy.MAGIC + bytes(100)))
        assert caught.value.offset == 28 * 512 + 0x100
        stand_in = ModuleType("lz4.block")
        vars(stand_in).update(decompress=lambda block, uncompressed_size: block, LZ4BlockError=ValueError)
        monkeypatch.setitem(sys.modules, "lz4.block", stand_in)
        packed = lz4_legacy.MAGIC + len(vmlinux()).to_bytes(4, "little") + vmlinux()
        assert unpack(bzimage(with_size(packed))) == vmlinux()
        with pytest.raises(CompressionError, match="not the size that follows"):
            unpack(bzimage(packed + b"\1\2\3\4"))

    def test_an_unknown_compression(self) -> None:
        with pytest.raises(FormatError, match="packed in an unknown way: it begins with 61 62 63 64 65 66"):
            unpack(bzimage(b"abcdefgh"))

    def test_an_old_protocol(self) -> None:
        with pytest.raises(FormatError, match=r"boot protocol 2\.07 does not say where"):
            unpack(bzimage(PAYLOADS["gzip"], version=0x0207))

    @pytest.mark.parametrize("length", [1 << 20, 0xFFFFFFFF])
    def test_a_payload_past_the_end(self, length: int) -> None:
        with pytest.raises(FormatError, match=f"a payload of {length} bytes reaches past the end"):
            unpack(bzimage(PAYLOADS["gzip"], length=length))

    @pytest.mark.parametrize("kind", ["gzip", "bzip2", "lzma", "xz", "zstd"])
    def test_a_payload_cut_short(self, kind: str) -> None:
        with pytest.raises(CompressionError):
            unpack(bzimage(PAYLOADS[kind], length=len(PAYLOADS[kind]) - 6))

    @pytest.mark.parametrize("kind", ["bzip2", "lzma", "xz", "zstd"])
    def test_another_size_than_announced(self, kind: str) -> None:
        for payload in (PAYLOADS[kind][:-4] + b"\1\2\3\4", PAYLOADS[kind][:-4]):
            with pytest.raises(CompressionError, match="not the size that follows"):
                unpack(bzimage(payload))

    def test_the_limit(self) -> None:
        with pytest.raises(CompressionError, match="more than 100 bytes"):
            unpack(bzimage(PAYLOADS["xz"]), limit=100)

    def test_damage_is_told_by_its_place_in_the_file(self) -> None:
        start = 28 * 512 + 0x100
        with pytest.raises(CompressionError, match="damaged") as caught:
            unpack(bzimage(b"\x1f\x8b\x08" + b"\xff" * 40))
        assert caught.value.offset == start

    @pytest.mark.parametrize("length", [0x206, 0x210, 0x24F])
    def test_a_header_cut_short(self, length: int) -> None:
        for use in (unpack, release):
            with pytest.raises(FormatError, match="ends inside of the setup header"):
                use(bzimage(PAYLOADS["gzip"])[:length])

    def test_without_a_release(self) -> None:
        with pytest.raises(FormatError, match="does not say the kernel's release"):
            release(bzimage(PAYLOADS["gzip"], kernel_version=None))

    def test_a_release_past_the_end_or_too_long(self) -> None:
        image = bytearray(bzimage(PAYLOADS["gzip"]))
        struct.pack_into("<H", image, 0x20E, 0xFFFF)
        with pytest.raises(FormatError, match="does not say its release"):
            release(image)
        struct.pack_into("<H", image, 0x20E, 0x3000)
        image[0x3200:0x3300] = b"6" * 0x100
        with pytest.raises(FormatError, match="does not say its release"):
            release(image)


class TestOtherImages:
    @pytest.mark.parametrize("kind", list(Compression))
    def test_elf_as_it_is_or_compressed(self, kind: Compression) -> None:
        image = compress(vmlinux(), kind)
        assert unpack(image) == unpack(memoryview(image)) == vmlinux()
        assert release(image) == RELEASE

    def test_what_proc_version_says(self) -> None:
        assert version(vmlinux()) == f"Linux version {VERSION.decode()}"
        weak = b"\0Linux version 6.1.0 (x) # SMP\n\0Linux version 6.1.0 (x) #9 SMP 2026\n\0Linux version %s (%s)"
        assert version(weak) == "Linux version 6.1.0 (x) #9 SMP 2026"
        assert version(b"") == ""

    def test_elf_without_a_release(self) -> None:
        with pytest.raises(FormatError, match="does not say its release"):
            release(ObjectWriter().to_bytes())

    def test_a_flat_image(self) -> None:
        flat = bytearray(4096)
        flat[0x38:0x3C] = b"ARM\x64"
        flat[0x100:0x180] = (b"Linux version " + VERSION).ljust(128, b"\0")
        for image in (bytes(flat), gzip.compress(flat)):
            assert release(image) == RELEASE
            with pytest.raises(FormatError, match="a flat image, not an ELF one") as caught:
                unpack(image)
            assert caught.value.hint == "use the vmlinux file of the build or of the debugging package"

    def test_a_zboot_image(self) -> None:
        flat = bytearray(4096)
        flat[0x38:0x3C] = b"ARM\x64"
        flat[0x100:0x180] = (b"Linux version " + VERSION).ljust(128, b"\0")
        for packed in (gzip.compress(flat), compress(bytes(flat), Compression.ZSTD)):
            image = zboot(packed)
            assert contents(image) == flat
            assert release(image) == RELEASE
            with pytest.raises(FormatError, match="a flat image, not an ELF one"):
                unpack(image)
            with pytest.raises(FormatError, match="reaches past the end"):
                contents(image[:-1])
        assert machine_of_flat(bytes(flat)) == Machine.AARCH64
        assert machine_of_flat(vmlinux()) is None
        with pytest.raises(FormatError, match="ends inside of the zboot header"):
            contents(image[:55])
        with pytest.raises(FormatError, match="no kernel"):
            contents(zboot(gzip.compress(b"hello")))

    @pytest.mark.parametrize("data", [b"", b"MZ", bytes(4096), b"#!/bin/sh\n"])
    def test_what_is_no_kernel(self, data: bytes) -> None:
        for use in (unpack, release):
            with pytest.raises(FormatError, match="not a kernel image"):
                use(data)

    def test_what_is_packed_but_no_kernel(self) -> None:
        with pytest.raises(FormatError, match="what is packed in it is no kernel"):
            unpack(gzip.compress(b"hello"))


@settings(max_examples=200)
@given(
    kind=st.sampled_from(sorted(PAYLOADS)),
    changes=st.lists(
        st.tuples(st.integers(0x1F0, 0x250) | st.integers(28 * 512 + 0x100, 30 * 512), st.integers(0, 255)),
        min_size=1,
        max_size=6,
    ),
)
def test_changed_bytes(kind: str, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(bzimage(PAYLOADS[kind]))
    for position, value in changes:
        damaged[position % len(damaged)] = value
    for use in (unpack, release):
        try:
            assert use(damaged)
        except Unreadable as error:
            assert isinstance(error, FormatError)  # noqa: PT017 - any outcome is fine, but no other error


@settings(max_examples=100)
@given(data=st.binary(max_size=0x300))
def test_arbitrary_bytes(data: bytes) -> None:
    for start in (b"#", b"\0" * 0x202 + b"HdrS\xff\xff"):
        with pytest.raises(FormatError):
            unpack(start + data)
