"""Many files replaced, each whole at any instant."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lkm.errors import ChangedMeanwhile, LkmError, PrivilegeMissing
from lkm.system.replacing import FileState, Replacements, open_file


def state_of(path: Path) -> FileState:
    fd, state = open_file(str(path))
    os.close(fd)
    return state


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("count", [1, 3, 20])
def test_files_are_replaced_together(tmp_path: Path, count: int) -> None:
    paths = [tmp_path / f"{number}.ko" for number in range(count)]
    with Replacements() as waiting:
        for path in paths:
            path.write_bytes(b"old")
            path.chmod(0o640)
            waiting.add(str(path), [b"n", memoryview(b"ew")], like=state_of(path))
        assert len(waiting) == count
        assert {path.read_bytes() for path in paths} == {b"old"}
        assert not [name for name in names(tmp_path) if name not in {path.name for path in paths} and name[-1] == "o"]
        assert waiting.carry_out() == [None] * count
        assert len(waiting) == 0
    assert {(path.read_bytes(), path.stat().st_mode & 0o7777) for path in paths} == {(b"new", 0o640)}
    assert names(tmp_path) == sorted(path.name for path in paths)


def test_new_files_are_as_the_umask_says(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        with Replacements() as waiting:
            waiting.add(str(tmp_path / "new"), [b"x"])
            assert waiting.carry_out() == [None]
    finally:
        os.umask(mask)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_a_copy_is_like_the_file_and_replaces_whatever_is_there(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"source")
    source.chmod(0o604)
    target.write_bytes(b"something else")
    with Replacements() as waiting:
        waiting.add(str(target), [b"copy"], like=state_of(source), is_old=False)
        assert waiting.carry_out() == [None]
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"copy", 0o604)


def test_a_file_that_was_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    changed, other = tmp_path / "changed", tmp_path / "other"
    with Replacements() as waiting:
        for path in (changed, other):
            path.write_bytes(b"old")
            waiting.add(str(path), [b"new"], like=state_of(path))
        changed.write_bytes(b"by somebody else")
        error, none = waiting.carry_out()
    assert isinstance(error, ChangedMeanwhile)
    assert none is None
    assert (changed.read_bytes(), other.read_bytes()) == (b"by somebody else", b"new")
    assert names(tmp_path) == ["changed", "other"]


def test_what_is_not_carried_out_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with Replacements() as waiting:
        waiting.add(str(path), [b"new"], like=state_of(path))
        assert len(names(tmp_path)) == 2
    assert names(tmp_path) == ["file"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("function", ["write", "fchmod"])
def test_a_failure_to_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    state = state_of(path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, function, fail)
    with Replacements() as waiting:
        with pytest.raises(LkmError, match="no space left") as caught:
            waiting.add(str(path), [b"new"], like=state)
        assert waiting.carry_out() == []
    assert caught.value.hint == "the file is as it was"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("count", [1, 12])
def test_a_disk_that_fails_leaves_all_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    def fail(*_: object) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr("lkm.system.replacing._sync_file_systems", fail)
    with Replacements() as waiting:
        for number in range(count):
            (tmp_path / str(number)).write_bytes(b"old")
            waiting.add(str(tmp_path / str(number)), [b"new"], like=state_of(tmp_path / str(number)))
        errors = waiting.carry_out()
    assert [str(error) for error in errors] == [
        f"{tmp_path}/{number}: can't be written: input/output error" for number in range(count)
    ]
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"old"}
    assert len(names(tmp_path)) == count


def test_a_directory_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with Replacements() as waiting, pytest.raises(PrivilegeMissing, match="permission denied"):
        waiting.add(str(tmp_path / "file"), [b"new"])


def test_no_directory(tmp_path: Path) -> None:
    with Replacements() as waiting, pytest.raises(LkmError, match="no such file"):
        waiting.add(str(tmp_path / "none/file"), [b""])


def test_names_of_any_length(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 127)
    with Replacements() as waiting:
        waiting.add(str(path), [b"x"])
        assert waiting.carry_out() == [None]
    assert path.read_bytes() == b"x"


def test_attributes_are_kept_but_those_about_the_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    kept: dict[str, bytes] = {}
    monkeypatch.setattr(os, "setxattr", lambda _, name, value: kept.update({name: value}))
    attributes = {"security.ima": b"3", "security.evm": b"5", "user.note": b"hello", "security.selinux": b"label"}
    state = FileState(path.stat(), attributes)
    assert state.vouchers == ("security.ima", "security.evm")
    with Replacements() as waiting:
        waiting.add(str(path), [b"new"], like=state)
        waiting.carry_out()
    assert {name: value for name, value in kept.items() if name != "security.selinux"} == {"user.note": b"hello"}
    assert kept["security.selinux"] == b"label"


_WRITER = """
import sys
from lkm.system.replacing import Replacements, open_file
number = 0
while True:
    number += 1
    with Replacements() as waiting:
        for path in sys.argv[1:]:
            fd, state = open_file(path)
            waiting.add(path, [str(number % 10).encode() * 50_000], like=state)
        waiting.carry_out()
"""


def test_killed_at_any_time(tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(10)]
    for wait in (0.0, 0.013):
        for path in paths:
            path.write_bytes(b"x" * 50_000)
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, *map(str, paths)])
        end = time.monotonic() + 20
        while paths[-1].read_bytes()[:1] == b"x" and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        for path in paths:
            data = path.read_bytes()
            assert (len(data), len(set(data))) == (50_000, 1)


def test_an_interruption_while_the_file_is_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*words: object) -> int:
        os.close(make(*words))  # type: ignore[arg-type]  # as it is called
        raise KeyboardInterrupt  # as a signal's handler does once the call has returned

    make = os.open
    monkeypatch.setattr(os, "open", interrupted)
    with Replacements() as waiting, pytest.raises(KeyboardInterrupt):
        waiting.add(str(tmp_path / "new.ko"), [b"new"])
    assert names(tmp_path) == []
