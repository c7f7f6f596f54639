"""Links by which the command is called as another tool."""

import sys
from pathlib import Path

import pytest

from lkm.actions.links import make_links
from lkm.errors import LkmError, UsageError

TOOLS = ("modprobe", "lsmod")


def _target(path: str | Path) -> str:
    return str(Path(path).readlink())


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path = tmp_path / "bin/lkm"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(path)])
    return str(path)


def test_they_lead_to_the_running_command(tmp_path: Path, command: str) -> None:
    directory = tmp_path / "new/links"
    made = make_links(f"{directory}/", TOOLS)
    assert made == (f"{directory}/modprobe", f"{directory}/lsmod")
    assert [_target(path) for path in made] == [command] * 2
    assert make_links(str(directory), TOOLS) == made  # again, and nothing happens
    assert sorted(path.name for path in directory.iterdir()) == ["lsmod", "modprobe"]


@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_what_is_in_the_way_stays(tmp_path: Path, command: str, kind: str) -> None:
    directory = tmp_path / "links"
    directory.mkdir()
    way = directory / "lsmod"
    if kind == "file":
        way.write_text("mine")
    else:
        way.symlink_to("/bin/sh" if kind == "link" else "/no/where")
    with pytest.raises(UsageError, match="something else is there") as caught:
        make_links(str(directory), TOOLS)
    assert caught.value.where == str(way)
    assert way.read_text() == "mine" if kind == "file" else _target(way) != command
    assert make_links(str(directory), TOOLS, force=True)
    assert _target(way) == command


def test_a_directory_in_the_way(tmp_path: Path, command: str) -> None:
    (tmp_path / "links/lsmod").mkdir(parents=True)
    with pytest.raises(LkmError):
        make_links(str(tmp_path / "links"), TOOLS, force=True)
    assert (tmp_path / "links/lsmod").is_dir()
    assert [path.name for path in (tmp_path / "links").iterdir()] in (["lsmod", "modprobe"], ["modprobe", "lsmod"])


def test_a_directory_that_can_not_be_made(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LkmError) as caught:
        make_links(str(tmp_path / "file/links"), TOOLS)
    assert caught.value.where is not None


def test_the_command_beside_the_interpreter_or_in_the_path(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["pytest"])
    monkeypatch.setattr(sys, "executable", f"{Path(command).parent}/python")
    assert _target(make_links(str(tmp_path / "1"), TOOLS)[0]) == command
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", str(Path(command).parent))
    assert _target(make_links(str(tmp_path / "2"), TOOLS)[0]) == command
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="can't be found"):
        make_links(str(tmp_path / "3"), TOOLS)
