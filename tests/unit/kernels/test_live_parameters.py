"""Parameters as files: those that hang, that can't be read, and that hold odd bytes."""

import os
import time
from pathlib import Path

import pytest

from lkm.errors import LkmError, PrivilegeMissing, Unreadable
from lkm.kernels.live_parameters import read_parameters, write_parameter


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    place = tmp_path / "m/parameters"
    place.mkdir(parents=True)
    (place / "level").write_text("5\n")
    (place / "level").chmod(0o644)
    (place / "name").write_bytes(b"a\xffb\n\0\0")
    (place / "name").chmod(0o444)
    (place / "secret").write_text("x")
    (place / "secret").chmod(0o200)
    return tmp_path


def test_values_modes_and_what_can_only_be_written(directory: Path) -> None:
    found = read_parameters("m", directory=str(directory))
    assert found is not None
    assert (found["level"].value, found["level"].mode, found["level"].is_writable) == ("5", 0o644, True)
    assert (found["name"].value, found["name"].is_writable) == ("a\udcffb", False)
    assert (found["secret"].value, found["secret"].problem) == (None, "can only be written")


def test_what_hangs_is_given_up_and_the_rest_is_read(directory: Path) -> None:
    """A pipe that nobody writes to is as slow as a driver that waits for its hardware."""
    for name in ("a", "k", "z"):
        os.mkfifo(directory / "m/parameters" / name)
    begun = time.monotonic()
    found = read_parameters("m", directory=str(directory), patience=0.1)
    assert time.monotonic() - begun < 5
    assert found is not None
    assert {name for name, one in found.items() if one.problem == "did not answer in time"} == {"a", "k", "z"}
    assert found["level"].value == "5"
    assert found["name"].value == "a\udcffb"


def test_when_many_hang_the_rest_is_not_tried(directory: Path) -> None:
    for number in range(40):
        os.mkfifo(directory / f"m/parameters/a{number:02}")
    begun = time.monotonic()
    found = read_parameters("m", directory=str(directory), patience=0.1)
    assert time.monotonic() - begun < 5
    assert found is not None
    assert found["level"].problem == "did not answer in time"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "none"])
def test_no_such_module(directory: Path, name: str) -> None:
    assert read_parameters(name, directory=str(directory)) is None


def test_a_module_without_parameters(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    assert read_parameters("m", directory=str(tmp_path)) == {}


def test_writing(directory: Path) -> None:
    write_parameter("m", "level", "7", directory=str(directory))
    assert (directory / "m/parameters/level").read_bytes() == b"7\n"  # a file keeps what was behind
    with pytest.raises(Unreadable, match="no such parameter"):
        write_parameter("m", "none", "7", directory=str(directory))
    (directory / "m/parameters/dir").mkdir()
    with pytest.raises(LkmError, match="refused the value"):
        write_parameter("m", "dir", "7", directory=str(directory))


def test_writing_what_hangs(directory: Path) -> None:
    os.mkfifo(directory / "m/parameters/pipe")
    with pytest.raises(LkmError, match="did not answer"):
        write_parameter("m", "pipe", "7", directory=str(directory), patience=0.1)


def test_without_privilege(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("lkm.kernels.live_parameters.os.open", refused)
    with pytest.raises(PrivilegeMissing):
        write_parameter("m", "level", "7", directory=str(directory))
    found = read_parameters("m", directory=str(directory))
    assert found is not None
    assert found["level"].problem == "only root can read it"
