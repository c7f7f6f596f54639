"""Our compression against gzip, xz and zstd."""

import subprocess

import pytest
from tests.support.require import require_tool

from lkm.errors import CompressionError
from lkm.formats.compression import Compression, compress, decompress

pytestmark = pytest.mark.peer

KINDS = [Compression.GZIP, Compression.XZ, Compression.ZSTD]
SAMPLE = b"\x7fELF" + bytes(range(256)) * 900
ACCEPTED_WITH_WARNING = 2  # gzip: "decompression OK, trailing garbage ignored"


def filtered(command: list[str], data: bytes) -> tuple[int, bytes]:
    run = subprocess.run([require_tool(command[0]), *command[1:]], input=data, capture_output=True, check=False)
    return run.returncode, run.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_the_tool_unpacks_what_we_pack(kind: Compression) -> None:
    assert filtered([kind.value, "-dc"], compress(SAMPLE, kind)) == (0, SAMPLE)


@pytest.mark.parametrize("arguments", [["-c"], ["-1", "-c"], ["-9", "-c"]])
@pytest.mark.parametrize("kind", KINDS)
def test_we_unpack_what_the_tool_packs(kind: Compression, arguments: list[str]) -> None:
    status, packed = filtered([kind.value, *arguments], SAMPLE)
    assert status == 0
    assert decompress(packed) == SAMPLE


def test_xz_as_the_kernel_build_calls_it_gives_the_same_bytes() -> None:
    command = ["xz", "--threads=1", "--check=crc32", "--lzma2=dict=1MiB", "-c"]
    assert filtered(command, SAMPLE) == (0, compress(SAMPLE, Compression.XZ))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rest", [b"\0", b"\0\0\0\0", b"garbage", b"\0\0\0\0x", "again"])
def test_what_follows_is_judged_as_the_tool_does(kind: Compression, rest: bytes | str) -> None:
    packed = compress(SAMPLE, kind)
    data = packed + (packed if isinstance(rest, str) else rest)
    status, expected = filtered([kind.value, "-dc"], data)
    if status in {0, ACCEPTED_WITH_WARNING}:
        assert decompress(data) == expected
    else:
        with pytest.raises(CompressionError):
            decompress(data)
