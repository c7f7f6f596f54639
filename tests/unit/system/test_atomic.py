"""Whatever happens while a file is written, the old or the new one is there, whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lkm.system.atomic import link_atomically, write_atomically


def test_new_and_old_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(str(path), b"one")
    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (b"one", 0o644)
    path.chmod(0o600)
    write_atomically(str(path), b"two")
    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (b"two", 0o600)  # it keeps its permissions
    write_atomically(str(tmp_path / "secret"), b"", mode=0o400)
    assert (tmp_path / "secret").stat().st_mode & 0o7777 == 0o400
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "secret"]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_must_be_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not has_links:
        monkeypatch.setattr(os, "link", fail)
    path = tmp_path / "file"
    write_atomically(str(path), b"one", mode=0o600, may_replace=False)
    assert (path.read_bytes(), path.stat().st_mode & 0o7777, path.stat().st_nlink) == (b"one", 0o600, 1)
    with pytest.raises(FileExistsError):
        write_atomically(str(path), b"two", may_replace=False)
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_without_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_atomically("file", b"x")
    assert (tmp_path / "file").read_bytes() == b"x"


@pytest.mark.parametrize("function", ["fsync", "replace", "fchmod"])
def test_a_failure_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(str(tmp_path / "none/file"), b"")


_WRITER = """
import sys
from lkm.system.atomic import link_atomically, write_atomically
number = 0
while True:
    number += 1
    write_atomically(sys.argv[1], str(number % 10).encode() * 50_000)
"""


def test_killed_at_any_time(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for wait in (0.0, 0.007):
        path.unlink(missing_ok=True)
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)])
        end = time.monotonic() + 20
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        data = path.read_bytes()
        assert len(data) == 50_000
        assert len(set(data)) == 1


def test_a_link_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "x.conf"
    place.write_text("old")
    link_atomically(str(place), "/dev/null")
    assert str(place.readlink()) == "/dev/null"
    assert [path.name for path in tmp_path.iterdir()] == ["x.conf"]


def test_a_link_that_can_not_be_made_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.conf").mkdir()
    with pytest.raises(OSError, match=r"x\.conf"):
        link_atomically(str(tmp_path / "x.conf"), "/dev/null")
    assert [path.name for path in tmp_path.iterdir()] == ["x.conf"]
