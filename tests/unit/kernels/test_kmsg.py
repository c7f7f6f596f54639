"""The kernel's log records: only the kernel's own, unescaped, and no trouble where there is no log."""

import os
from pathlib import Path

import pytest

from lkm.kernels import kmsg
from lkm.kernels.kmsg import LogTail, read_log


class _Log:
    """A log that gives one record a read, as /dev/kmsg does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        device = tmp_path / "kmsg"
        device.touch()
        self.records: list[bytes | OSError] = []
        monkeypatch.setattr(kmsg, "_DEVICE", str(device))
        monkeypatch.setattr(os, "read", self._read)

    def _read(self, fd: int, size: int) -> bytes:
        if not self.records:
            raise BlockingIOError
        record = self.records.pop(0)
        if isinstance(record, OSError):
            raise record
        assert len(record) <= size
        return record


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        (b"6,1,100,-;vfat: loaded\n", ("vfat: loaded",)),
        (b"4,1,100,-,caller=T1;text; more\n SUBSYSTEM=x\n DEVICE=y\n", ("text; more",)),
        (b"12,1,100,-;a user's line\n", ()),  # facility 1
        (b"30,1,100,-;a daemon's line\n", ()),
        (b"7,1,100,c;continued\n", ("continued",)),
        (rb"6,1,1,-;two\x0alines" + b"\n", ("two", "lines")),
        (rb"6,1,1,-;back\x5cslash and \xc3\xa9 and \xff" + b"\n", ("back\\slash and é and \udcff",)),
        (b"6,1,1,-;\n", ("",)),
        (b"no prefix", ()),
        (b"", ()),
        (b"x,1,1,-;bad priority\n", ()),
        (b";no numbers\n", ()),
        ("\u0663,1,1,-;digits of another script\n".encode(), ()),
    ],
)
def test_records(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, record: bytes, lines: tuple[str, ...]) -> None:
    _Log(monkeypatch, tmp_path).records.append(record)
    assert read_log() == lines


def test_records_that_were_overwritten_are_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = _Log(monkeypatch, tmp_path)
    log.records += [b"6,1,1,-;one\n", BrokenPipeError(), b"6,9,1,-;nine\n"]
    assert read_log() == ("one", "nine")


def test_a_tail_gives_what_is_new(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = _Log(monkeypatch, tmp_path)
    with LogTail() as tail:
        assert tail.lines() == ()
        log.records.append(b"6,1,1,-;one\n")
        assert tail.lines() == ("one",)
        assert tail.lines() == ()
    assert tail.lines() == ()


@pytest.mark.parametrize("device", ["/nowhere/kmsg", "/proc/self"])
def test_where_there_is_no_log(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    monkeypatch.setattr(kmsg, "_DEVICE", device)
    assert read_log() == ()
    with LogTail() as tail:
        assert tail.lines() == ()


def test_a_log_without_an_end_to_seek_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(kmsg, "_DEVICE", str(tmp_path / "pipe"))
    with LogTail() as tail:
        assert tail.lines() == ()


def test_a_log_that_never_ends_is_left_in_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _Log(monkeypatch, tmp_path)
    monkeypatch.setattr(kmsg, "_MOST_RECORDS", 50)
    monkeypatch.setattr(os, "read", lambda fd, size: b"6,1,1,-;again\n")
    assert len(read_log()) == 50
