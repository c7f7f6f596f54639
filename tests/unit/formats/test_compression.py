"""Compressed modules: every kind, damaged, and too large when unpacked."""

import gzip
import lzma
import struct
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import CompressionError
from lkm.formats.compression import Compression, compress, decompress, detect

KINDS = [Compression.GZIP, Compression.XZ, Compression.ZSTD]
SAMPLE = b"\x7fELF" + bytes(range(256)) * 700
SKIPPABLE_FRAME = struct.pack("<II", 0x184D2A53, 4) + b"note"


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKind:
    def test_there_and_back(self, kind: Compression) -> None:
        packed = compress(SAMPLE, kind)
        assert detect(packed) is kind
        assert len(packed) < len(SAMPLE)
        assert decompress(packed) == SAMPLE

    def test_the_same_input_gives_the_same_output(self, kind: Compression) -> None:
        assert compress(SAMPLE, kind) == compress(SAMPLE, kind)

    def test_other_kinds_of_input(self, kind: Compression) -> None:
        packed = compress(SAMPLE, kind)
        assert decompress(memoryview(packed)) == decompress(bytearray(packed)) == SAMPLE

    def test_several_streams(self, kind: Compression) -> None:
        packed = compress(SAMPLE, kind) + compress(b"", kind) + compress(b"more", kind)
        assert decompress(packed) == SAMPLE + b"more"

    def test_nothing_inside(self, kind: Compression) -> None:
        assert decompress(compress(b"", kind)) == b""

    def test_every_truncation(self, kind: Compression) -> None:
        packed = compress(bytes(range(256)), kind)
        for length in range(len(compress(b"", kind)[:6]), len(packed)):
            with pytest.raises(CompressionError, match="ends too early") as caught:
                decompress(packed[:length])
            assert caught.value.offset == length

    def test_damage(self, kind: Compression) -> None:
        packed = bytearray(compress(SAMPLE, kind))
        packed[len(packed) // 2] ^= 0xFF
        with pytest.raises(CompressionError, match="damaged"):
            decompress(packed)

    def test_the_limit_is_exact(self, kind: Compression) -> None:
        packed = compress(SAMPLE, kind)
        assert decompress(packed, limit=len(SAMPLE)) == SAMPLE
        with pytest.raises(CompressionError, match=f"unpacks to more than {len(SAMPLE) - 1} bytes"):
            decompress(packed, limit=len(SAMPLE) - 1)

    def test_the_limit_is_for_all_streams_together(self, kind: Compression) -> None:
        packed = compress(b"four", kind) * 3
        assert decompress(packed, limit=12) == b"four" * 3
        with pytest.raises(CompressionError, match="more than 11 bytes"):
            decompress(packed, limit=11)

    def test_a_bomb_is_refused_in_little_memory(self, kind: Compression) -> None:
        packed = compress(bytes(1 << 20), kind) * 1024
        limit = 16 << 20
        tracemalloc.start()
        try:
            with pytest.raises(CompressionError, match="unpacks to more than"):
                decompress(packed, limit=limit)
            assert tracemalloc.get_traced_memory()[1] < limit + (4 << 20)
        finally:
            tracemalloc.stop()

    def test_many_empty_streams(self, kind: Compression) -> None:
        assert decompress(compress(b"", kind) * 20000) == b""


class TestOneLargeStream:
    """A gigabyte of zeros in one stream, which is what a bomb looks like."""

    @pytest.mark.parametrize("kind", [Compression.GZIP, Compression.ZSTD])
    def test_a_gigabyte(self, kind: Compression) -> None:
        packed = _gigabyte_gzip() if kind is Compression.GZIP else _gigabyte_zstd()
        assert len(packed) < 2 << 20
        tracemalloc.start()
        try:
            with pytest.raises(CompressionError, match="unpacks to more than 536870912 bytes"):
                decompress(packed)
            assert tracemalloc.get_traced_memory()[1] < 80 << 20
        finally:
            tracemalloc.stop()

    def test_what_is_large_but_below_the_limit(self) -> None:
        packed = _gigabyte_zstd(mebibytes=65)
        assert len(decompress(packed)) == 65 << 20
        with pytest.raises(CompressionError, match=f"more than {(65 << 20) - 1} bytes"):
            decompress(packed, limit=(65 << 20) - 1)
        with pytest.raises(CompressionError, match="ends too early"):
            decompress(packed[:-1])


def _gigabyte_gzip() -> bytes:
    # Full flushes make a megabyte's worth repeatable, so that the test need not pack a gigabyte.
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packer.compress(b"\0")
    packer.flush(zlib.Z_FULL_FLUSH)
    megabyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(7) + megabyte * 1024


def _gigabyte_zstd(mebibytes: int = 1024) -> bytes:
    # RFC 8878: a frame with a window of 1 MiB, then blocks of run-length type, 128 KiB of zeros each.
    run = (0x20000 << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    last = (0x20000 << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00" + bytes([10 << 3]) + run * (8 * mebibytes - 1) + last


class TestWhatFollows:
    @pytest.mark.parametrize("rest", [b"\0", b"\0\0\0\0garbage", b"\x1f", b"not gzip"])
    def test_gzip_ignores_it(self, rest: bytes) -> None:
        assert decompress(gzip.compress(b"data") + rest) == b"data"

    def test_gzip_does_not_ignore_a_broken_member(self) -> None:
        with pytest.raises(CompressionError, match="damaged"):
            decompress(gzip.compress(b"data") + b"\x1f\x8bnot gzip")

    @pytest.mark.parametrize("zeros", [4, 8, 12, 64, 4096, 100_000])
    def test_xz_takes_zeros_in_fours(self, zeros: int) -> None:
        packed = lzma.compress(b"data")
        assert decompress(packed + bytes(zeros)) == b"data"
        assert decompress(packed + bytes(zeros) + packed) == b"datadata"

    @pytest.mark.parametrize("rest", [b"\0", b"\0\0\0", b"\0\0\0\0\0", b"x", b"\0\0\0\0\xfd7zX"])
    def test_xz_takes_nothing_else(self, rest: bytes) -> None:
        packed = lzma.compress(b"data")
        with pytest.raises(CompressionError, match="what follows the last xz stream is no stream") as caught:
            decompress(packed + rest)
        assert caught.value.offset == len(packed) + len(rest) // 4 * 4 - (4 if rest.endswith(b"zX") else 0)

    def test_zstd_takes_frames_to_be_skipped(self) -> None:
        packed = compress(b"data", Compression.ZSTD)
        assert decompress(packed + SKIPPABLE_FRAME + packed) == b"datadata"

    @pytest.mark.parametrize("rest", [b"\0", b"\0\0\0\0", b"garbage", b"\x28\xb5\x2f"])
    def test_zstd_takes_nothing_else(self, rest: bytes) -> None:
        packed = compress(b"data", Compression.ZSTD)
        with pytest.raises(CompressionError, match="what follows the last zstd stream is no stream") as caught:
            decompress(packed + rest)
        assert caught.value.offset == len(packed)


class TestNotCompressed:
    @pytest.mark.parametrize("data", [b"", b"\x1f", b"\x7fELF", b"BZh9"])
    def test_comes_back_as_it_is(self, data: bytes) -> None:
        assert detect(data) is Compression.NONE
        assert decompress(data) == decompress(memoryview(data)) == data

    def test_packing_with_nothing(self) -> None:
        assert compress(SAMPLE, Compression.NONE) == SAMPLE


class TestSettings:
    """The kernel's own decoders take less than the tools."""

    def test_xz_has_crc32_and_a_small_dictionary(self) -> None:
        decoder = lzma.LZMADecompressor(memlimit=2 << 20)
        decoder.decompress(compress(SAMPLE, Compression.XZ))
        assert decoder.check == lzma.CHECK_CRC32

    def test_gzip_has_no_time_and_no_name(self) -> None:
        assert compress(SAMPLE, Compression.GZIP)[3:8] == bytes(5)

    def test_a_dictionary_too_large_for_memory_is_refused(self) -> None:
        packed = bytearray(lzma.compress(b"data", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]))
        # The block header: its size, flags, the filter's id, its size, the dictionary (40 is 4 GiB), padding, CRC32.
        packed[16] = 40
        packed[20:24] = zlib.crc32(packed[12:20]).to_bytes(4, "little")
        with pytest.raises(CompressionError, match="damaged: Memory usage limit exceeded"):
            decompress(packed)


MAGICS = [b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"]


def only_our_errors(use: Callable[[], bytes]) -> None:
    try:
        assert isinstance(use(), bytes)
    except CompressionError as error:
        assert error.offset is not None  # noqa: PT017 - any outcome is fine, but an error has to say where


@settings(max_examples=300)
@given(magic=st.sampled_from(MAGICS), data=st.binary(max_size=100))
def test_arbitrary_bytes(magic: bytes, data: bytes) -> None:
    only_our_errors(lambda: decompress(magic + data, limit=1 << 16))


PACKED = [compress(SAMPLE, kind) + compress(b"again", kind) for kind in KINDS]


@settings(max_examples=200)
@given(
    packed=st.sampled_from(PACKED),
    changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=5),
)
def test_changed_bytes(packed: bytes, changes: list[tuple[int, int]]) -> None:
    image = bytearray(packed)
    for position, value in changes:
        image[position % len(image)] = value
    only_our_errors(lambda: decompress(image, limit=1 << 20))
