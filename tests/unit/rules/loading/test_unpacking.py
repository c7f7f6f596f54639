"""The kernel's own unpacking of what is handed over compressed."""

import errno
import gzip
import lzma
from dataclasses import replace

import pytest
from tests.support.loader import NEWEST, OLD, PROFILE, answer, configured, recipe

from lkm.formats.compression import Compression, compress
from lkm.formats.module_writer import write
from lkm.rules.loading.attempt import COMPRESSED_FILE, Verdict

MODULE = write(recipe())
OPTIONS = {
    Compression.GZIP: "MODULE_COMPRESS_GZIP",
    Compression.XZ: "MODULE_COMPRESS_XZ",
    Compression.ZSTD: "MODULE_COMPRESS_ZSTD",
}
ALL = tuple(OPTIONS)


def _asked(data: bytes, kind: Compression, *, release: str = PROFILE.release) -> Verdict:
    profile = configured(replace(PROFILE, release=release), MODULE_DECOMPRESS=True, **{OPTIONS[kind]: True})
    return answer(data, profile=profile, flags=COMPRESSED_FILE)


@pytest.mark.parametrize("kind", ALL)
def test_what_the_configuration_names_is_unpacked(kind: Compression) -> None:
    verdict = _asked(compress(MODULE, kind), kind)
    assert (verdict.errno, verdict.log) == (0, ())
    assert verdict.record is not None


@pytest.mark.parametrize("kind", ALL)
def test_what_follows_the_first_stream_is_left_alone(kind: Compression) -> None:
    assert _asked(compress(MODULE, kind) + b"more", kind).loads


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (Compression.GZIP, "not a gzip compressed module"),
        (Compression.XZ, "not an xz compressed module"),
        (Compression.ZSTD, "not a zstd compressed module"),
    ],
)
@pytest.mark.parametrize("data", [b"x", b"\x1f\x8b", b"\x1f\x8b\x08\x08name without an end", MODULE])
def test_anything_else_is_refused(kind: Compression, line: str, data: bytes) -> None:
    verdict = _asked(data, kind)
    assert (verdict.errno, verdict.stage, verdict.log) == (errno.EINVAL, "compression", (line,))


def test_damage() -> None:
    packed = {kind: compress(MODULE, kind) for kind in ALL}
    assert _asked(packed[Compression.GZIP][:-20], Compression.GZIP).log == ("decompression failed with status -5",)
    assert _asked(packed[Compression.XZ][:-20], Compression.XZ).log == ("decompression failed with status 0",)
    middle = packed[Compression.XZ][:40] + b"\xff" * 8 + packed[Compression.XZ][48:]
    assert _asked(middle, Compression.XZ).log == ("decompression failed with status 7",)
    strong = lzma.compress(MODULE, check=lzma.CHECK_CRC64)
    assert _asked(strong, Compression.XZ).log == ("decompression failed with status 6",)
    short = packed[Compression.ZSTD][:5]
    assert _asked(short, Compression.ZSTD).log == ("ZSTD-compressed data has an incomplete frame header",)


def test_a_zstd_frame_cut_short_gives_what_there_is() -> None:
    verdict = _asked(compress(MODULE, Compression.ZSTD)[:-30], Compression.ZSTD)
    assert (verdict.errno, verdict.stage) == (errno.ENOEXEC, "elf")


def test_gzip_keeps_a_name_and_no_checksum() -> None:
    packed = bytearray(gzip.compress(MODULE))
    packed[3] = 8
    named = bytes(packed[:10]) + b"mod.ko\0" + bytes(packed[10:-8]) + bytes(8)
    assert _asked(named, Compression.GZIP).loads


def test_without_the_option_the_flag_is_not_supported() -> None:
    verdict = answer(compress(MODULE, Compression.XZ), flags=COMPRESSED_FILE)
    assert (verdict.errno, verdict.stage) == (errno.EOPNOTSUPP, "compression")


def test_without_the_flag_a_packed_file_is_no_module() -> None:
    verdict = answer(compress(MODULE, Compression.XZ), profile=configured(MODULE_DECOMPRESS=True))
    assert verdict.log == ("Invalid ELF header magic: != \x7fELF",)


def test_nothing_inside() -> None:
    nothing = compress(b"", Compression.XZ)
    assert _asked(nothing, Compression.XZ).log == ("Invalid ELF header len 0",)
    options = {"MODULE_DECOMPRESS": True, "MODULE_COMPRESS_XZ": True, "IMA_APPRAISE": True}
    verdict = answer(nothing, profile=configured(NEWEST, **options), flags=COMPRESSED_FILE)
    assert (verdict.errno, verdict.stage) == (errno.EACCES, "compression")


@pytest.mark.parametrize("flags", [8, 1 << 30, 15])
def test_unknown_flags(flags: int) -> None:
    verdict = answer(MODULE, flags=flags)
    assert (verdict.errno, verdict.stage, verdict.log) == (errno.EINVAL, "flags", ())


def test_an_old_kernel_does_not_know_the_flag() -> None:
    assert answer(compress(MODULE, Compression.XZ), profile=OLD, flags=COMPRESSED_FILE).errno == errno.EINVAL
