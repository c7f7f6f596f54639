"""The journal: what is written is read again, and what others could have written is not believed."""

import json
from pathlib import Path
from typing import Any

import pytest

from lkm.errors import FormatError, Unreadable
from lkm.formats.own_files import mark_for
from lkm.system.journal import MASK, FileChange, Journal
from lkm.system.root import Root

_OWN = "/etc/modprobe.d/lkm-x.conf"
_TEXT = mark_for("lkm test") + b"options a b=\xff\xfe \xf0\x9f\x98\x80\n"


def _journal(root: Path) -> Journal:
    return Journal(Root(str(root)))


def _write(root: Path, *files: FileChange, undoes: int | None = None) -> int:
    journal = _journal(root)
    with journal.locked():
        return journal.write("lkm test", files or [FileChange(_OWN, None, _TEXT)], undoes)


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    files = (FileChange(_OWN, _TEXT, None), FileChange("/etc/modules-load.d/cups.conf", None, MASK))
    assert _write(tmp_path) == 1
    assert _write(tmp_path, *files, undoes=1) == 2
    record = _journal(tmp_path).record(2)
    assert record.files == files
    assert (record.number, record.undoes, record.command) == (2, 1, "lkm test")
    assert record.time > 0
    assert record.user


def test_a_record_that_is_dropped_leaves_its_number_free(tmp_path: Path) -> None:
    _write(tmp_path)
    _journal(tmp_path).drop(1)
    assert _write(tmp_path) == 1


def test_the_oldest_go_when_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lkm.system.journal._MOST_RECORDS", 3)
    for _ in range(5):
        _write(tmp_path)
    assert _journal(tmp_path).numbers() == (3, 4, 5)


def test_the_lock_is_waited_for_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lkm.system.journal._PATIENCE", 0.05)
    journal = _journal(tmp_path)
    with journal.locked(), pytest.raises(Exception, match="another lkm"), journal.locked():
        pass


def test_what_others_could_have_written_is_not_believed(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "var/lib/lkm/changes/1.json").chmod(0o666)
    with pytest.raises(Unreadable, match="not to be believed"):
        _journal(tmp_path).record(1)


@pytest.mark.parametrize(
    "change",
    [
        *({"schema": "other/1"}, {"number": 2}, {"number": True}, {"number": -1}, {"time": 1e400}, {"time": 1 << 60}),
        *({"files": []}, {"files": None}, {"files": [3]}, {"files": [{"path": "/etc/passwd"}]}, {"undoes": "1"}),
        {"files": [{"path": "/etc/passwd", "before": None, "after": {"text": "x"}}]},
        {"files": [{"path": _OWN, "before": None, "after": {"text": "without the mark"}}]},
        {"files": [{"path": _OWN, "before": None, "after": {"link": "/etc/shadow"}}]},
        {"files": [{"path": _OWN, "before": None, "after": {"text": "# Kept by lkm \ud800"}}]},
        {"files": [{"path": "/etc/modprobe.d/../../etc/x.conf", "before": None, "after": {"link": "/dev/null"}}]},
        *({"command": 3}, {"user": None}),
    ],
)
def test_hostile_records_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    _write(tmp_path)
    path = tmp_path / "var/lib/lkm/changes/1.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(FormatError):
        _journal(tmp_path).record(1)
    found, bad = _journal(tmp_path).records()
    assert not found
    assert len(bad) == 1


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"[" * 100000, b"\xff", b'{"number": ' + b"9" * 5000 + b"}"])
def test_what_is_no_record_is_refused(tmp_path: Path, data: bytes) -> None:
    _write(tmp_path)
    (tmp_path / "var/lib/lkm/changes/1.json").write_bytes(data)
    with pytest.raises(FormatError):
        _journal(tmp_path).record(1)


def test_odd_names_are_no_records(tmp_path: Path) -> None:
    _write(tmp_path)
    directory = tmp_path / "var/lib/lkm/changes"
    for name in ("x.json", "01.json", "²3.json", "9" * 200 + ".json", ".1.json.tmp", "2.json.bak"):
        (directory / name).write_text("{}")
    assert _journal(tmp_path).numbers() == (1,)
