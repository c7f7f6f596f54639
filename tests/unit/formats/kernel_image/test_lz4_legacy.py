"""LZ4's first frame format. The package that unpacks blocks is stood in for: its blocks here are only reversed."""

import sys
from types import ModuleType

import pytest

from lkm.errors import CompressionError, FormatError
from lkm.formats.kernel_image.lz4_legacy import MAGIC, unpack


class _BlockError(Exception):
    pass


def _decompress(block: bytes, *, uncompressed_size: int) -> bytes:
    assert uncompressed_size == 8 << 20
    if block == b"damaged":
        raise _BlockError("it is damaged")
    return block[::-1]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = ModuleType("lz4.block")
    vars(stand_in).update(decompress=_decompress, LZ4BlockError=_BlockError)
    monkeypatch.setitem(sys.modules, "lz4.block", stand_in)


def frame(*blocks: bytes) -> bytes:
    return MAGIC + b"".join(len(block).to_bytes(4, "little") + block for block in blocks)


def read(data: bytes, *, limit: int = 100) -> bytes:
    return unpack(memoryview(b"head" + data + b"tail"), 4, 4 + len(data), limit=limit)


@pytest.mark.usefixtures("library")
def test_blocks_are_joined() -> None:
    assert read(frame(b"abc", b"fed")) == b"cbadef"
    assert read(frame()) == b""


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("data", [frame(b"abc")[:-1], frame(b"abc") + b"\2\0", frame(b"", b"abc")])
def test_cut_short(data: bytes) -> None:
    with pytest.raises(CompressionError, match="ends too early"):
        read(data)


@pytest.mark.usefixtures("library")
def test_damage_and_too_much() -> None:
    with pytest.raises(CompressionError, match="damaged: it is damaged") as caught:
        read(frame(b"abc", b"damaged"))
    assert caught.value.offset == 4 + 4 + 7
    with pytest.raises(CompressionError, match="more than 5 bytes"):
        read(frame(b"abc", b"def"), limit=5)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lz4.block", None)
    with pytest.raises(FormatError, match="packed with LZ4") as caught:
        read(frame(b"abc"))
    assert caught.value.offset == 4
    assert caught.value.hint is not None
    assert "lz4" in caught.value.hint
