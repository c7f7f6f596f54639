"""Images as the tools make them: a plain archive, then a compressed one; and damaged ones."""

import random
import stat

import pytest

from lkm.errors import FormatError
from lkm.formats import cpio
from lkm.formats.compression import Compression, compress
from lkm.formats.initramfs import members

_MICROCODE = cpio.write([cpio.directory("kernel"), cpio.file("kernel/x86.bin", b"\x01" * 999)])
_MAIN = cpio.write(
    [
        cpio.directory("etc"),
        cpio.directory("etc/modprobe.d"),
        cpio.file("etc/modprobe.d/a.conf", b"blacklist x\n"),
        cpio.link("etc/modprobe.d/b.conf", "/dev/null"),
        cpio.file("usr/lib/modules/1/big.ko", random.Random(1).randbytes(300_000)),
        cpio.file("./last", b"end"),
    ]
)


def _found(image: bytes, limit: int = 1 << 30) -> dict[str, bytes | None]:
    return {
        member.name: member.data
        for member in members(memoryview(image), lambda name: name.startswith("etc/"), limit=limit)
    }


@pytest.mark.parametrize("kind", Compression)
@pytest.mark.parametrize("early", [b"", _MICROCODE, _MICROCODE + bytes(2048)])
def test_files_are_found_behind_microcode(kind: Compression, early: bytes) -> None:
    found = _found(early + compress(_MAIN, kind))
    assert found["etc/modprobe.d/a.conf"] == b"blacklist x\n"
    assert found["etc/modprobe.d/b.conf"] == b"/dev/null"
    assert found["usr/lib/modules/1/big.ko"] is None
    assert "last" in found
    assert ("kernel/x86.bin" in found) is bool(early)


def test_several_archives_in_a_row() -> None:
    more = cpio.write([cpio.file("etc/more", b"1")])
    found = _found(_MAIN + more + bytes(512) + compress(more + bytes(100) + _MAIN, Compression.GZIP) + bytes(7))
    assert found["etc/more"] == b"1"


def test_kinds() -> None:
    found = {member.name: member for member in members(memoryview(_MAIN), lambda _: False)}
    assert found["etc"].is_directory
    assert found["etc/modprobe.d/b.conf"].is_link
    assert stat.S_ISREG(found["last"].mode)


@pytest.mark.parametrize("image", [b"junk", b"\x02\x21\x4c\x18junk", _MAIN[:200], _MAIN[:-600], _MAIN + b"x"])
def test_what_is_no_image(image: bytes) -> None:
    with pytest.raises(FormatError):
        _found(image)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = compress(cpio.write([cpio.file("zeros", bytes(5_000_000))]), Compression.ZSTD)
    with pytest.raises(FormatError):
        _found(bomb, limit=1_000_000)
    with pytest.raises(FormatError):
        _found(bomb + bomb + bomb, limit=6_000_000)


def test_hostile_bytes_give_errors_of_ours_only() -> None:
    chance = random.Random(3)
    small = cpio.write([cpio.directory("etc"), cpio.file("etc/a", b"x" * 40), cpio.file("b", b"")])
    for _ in range(500):
        damaged = bytearray(small)
        for _ in range(chance.randint(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.choice(b"0123456789ABCDEFabcdef\0xyz")
        try:
            found = _found(bytes(damaged))
        except FormatError:
            continue
        assert len(found) <= 3
