"""newc archives, written and read."""

import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.require import require_tool

from lkm.errors import FormatError
from lkm.formats import cpio

SAMPLE = (
    cpio.directory("dev", 0o700),
    cpio.device("dev/console", 5, 1),
    cpio.file("init", b"#!/bin/sh\n", 0o755),
    cpio.file("empty", b""),
    cpio.link("sh", "bin/busybox"),
    cpio.file("n\udcff", b"xyz"),
)

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda name: name != "TRAILER!!!"
)
NUMBERS = st.integers(0, 2**32 - 1)
PAIRS = st.tuples(NUMBERS, NUMBERS)
ENTRIES = st.lists(
    st.builds(
        cpio.Entry,
        name=NAMES,
        mode=NUMBERS,
        data=st.binary(max_size=40),
        inode=st.integers(1, 2**32 - 1),
        links=NUMBERS,
        uid=NUMBERS,
        gid=NUMBERS,
        mtime=NUMBERS,
        device=PAIRS,
        node=PAIRS,
    ),
    max_size=5,
)


def test_what_is_written_is_read_back() -> None:
    archive = cpio.write(SAMPLE)
    entries, end = cpio.read(archive)
    assert [(e.name, e.mode, e.data, e.node) for e in entries] == [(e.name, e.mode, e.data, e.node) for e in SAMPLE]
    assert [e.inode for e in entries] == [1, 2, 3, 4, 5, 6]
    assert len(archive) % 512 == 0
    assert archive[end - 14 : end].startswith(b"TRAILER!!!\0")
    assert not archive[end:].strip(b"\0")


def test_the_first_header_is_what_the_kernel_documents() -> None:
    archive = cpio.write([cpio.file("a", b"bc", 0o600)])
    assert archive[:116] == (
        b"070701" + b"00000001" + b"00008180" + b"0" * 16 + b"00000001" + b"0" * 8 + b"00000002"
        b"" + b"0" * 32 + b"00000002" + b"0" * 8 + b"a\0" + b"bc\0\0"
    )


@pytest.mark.peer
def test_cpio_itself_agrees(tmp_path: Path) -> None:
    tool = require_tool("cpio")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"content")
    (tmp_path / "d" / "g").hardlink_to(tmp_path / "d" / "f")
    (tmp_path / "d" / "l").symlink_to("f")
    for kind in ("newc", "crc"):
        made = subprocess.run(
            [tool, "--quiet", "-o", "-H", kind], input=b"d\nd/f\nd/g\nd/l\n", cwd=tmp_path, stdout=-1, check=True
        )
        entries = {entry.name: entry for entry in cpio.read(made.stdout)[0]}
        assert entries["d/l"].data == b"f"
        assert {entries["d/f"].data, entries["d/g"].data} == {b"", b"content"}
        assert entries["d/f"].inode == entries["d/g"].inode
    listed = subprocess.run(
        [tool, "--quiet", "-t"],
        input=cpio.write([cpio.directory("x"), cpio.file("x/y", b"1")]),
        stdout=-1,
        check=True,
    )
    assert listed.stdout == b"x\nx/y\n"


def test_archives_follow_each_other() -> None:
    first = cpio.write([cpio.file("kernel", b"microcode")])
    both = first + cpio.write([cpio.file("init", b"1")])
    _, end = cpio.read(both)
    entries, _ = cpio.read(both, end + len(both[end:]) - len(both[end:].lstrip(b"\0")))
    assert [entry.name for entry in entries] == ["init"]


def test_the_sum_of_the_second_kind_is_checked() -> None:
    plain = cpio.write([cpio.file("a", b"\x01\x02")])
    summed = b"070702" + plain[6:102] + b"00000003" + plain[110:]
    assert cpio.read(summed)[0][0].data == b"\x01\x02"
    with pytest.raises(FormatError, match="sum"):
        cpio.read(summed[:102] + b"00000004" + summed[110:])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda a: b"", "ends within a header"),
        (lambda a: a[:100], "ends within a header"),
        (lambda a: a[:111], "ends within a name"),
        (lambda a: a[:113], "ends within a data"),
        (lambda a: a[:116], "ends within a header"),
        (lambda a: b"070707" + a[6:], "not a cpio header"),
        (lambda a: a[:20] + b"_" + a[21:], "hexadecimal"),
        (lambda a: a[:94] + b"00000000" + a[102:], "name of 0 bytes"),
        (lambda a: a[:94] + b"FFFFFFFF" + a[102:], "name of 4294967295 bytes"),
        (lambda a: a[:110] + b"\0" + a[111:], "does not end"),
        (lambda a: a[:54] + b"FFFFFFFF" + a[62:], "ends within a data"),
    ],
)
def test_damage_is_an_error_with_an_offset(damage: Callable[[bytes], bytes], message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        cpio.read(damage(cpio.write([cpio.file("a", b"bc")])))
    assert caught.value.offset is not None


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 4096])
def test_names_that_no_archive_can_hold(name: str) -> None:
    with pytest.raises(FormatError, match="not a name"):
        cpio.write([cpio.file(name, b"")])


def test_numbers_that_no_header_can_hold() -> None:
    with pytest.raises(FormatError, match="does not fit"):
        cpio.write([cpio.Entry("a", stat.S_IFREG, mtime=2**32)])


@settings(max_examples=100)
@given(ENTRIES)
def test_any_entries_survive_the_round_trip(entries: list[cpio.Entry]) -> None:
    assert cpio.read(cpio.write(entries))[0] == tuple(entries)


@settings(max_examples=200)
@given(st.binary(max_size=300), st.integers(-5, 400))
def test_any_bytes_raise_only_format_errors(data: bytes, offset: int) -> None:
    try:
        entries, end = cpio.read(data, offset)
    except FormatError:
        return
    assert entries == ()
    assert end <= len(data)


@settings(max_examples=200)
@given(st.data())
def test_mutated_archives_raise_only_format_errors(data: st.DataObject) -> None:
    archive = bytearray(cpio.write(SAMPLE))
    for _ in range(data.draw(st.integers(1, 4))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(archive)))
    try:
        entries, end = cpio.read(bytes(archive[:cut]))
    except FormatError:
        return
    assert end <= cut
    assert len(entries) <= len(SAMPLE)
