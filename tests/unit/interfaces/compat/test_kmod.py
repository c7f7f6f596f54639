"""kmod itself: its commands, and what it says to those it does not have."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.front_ends import Run

from lkm.actions.sample_tree import RELEASE
from lkm.interfaces.compat.static_nodes import _nodes

DEVNAME = """\
# Device nodes to trigger on-demand module loading.
tun net/tun c10:200
loop loop-control c10:237
odd a/b/c b 7:-1
"""


@pytest.fixture
def root(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: Path) -> Path:
    """A root whose tree asks for device nodes."""
    copy = Path(shutil.copytree(sample, tmp_path / "root", symlinks=True))
    (copy / "lib/modules" / RELEASE / "modules.devname").write_text(DEVNAME)
    monkeypatch.setenv("LKM_ROOT", str(copy))
    return copy


def test_list_is_lsmod(run: Run) -> None:
    run("modprobe", "vfat")
    assert run("kmod", "list") == run("lsmod")
    outcome = run("kmod", "list", "-x")
    assert (outcome.status, outcome.output, outcome.errors) == (1, "", ["Usage: list"])


def test_help_and_version(run: Run) -> None:
    text = run("kmod", "help").output
    assert "static-nodes" in text
    assert run("kmod", "-h").output == run("kmod", "--help", "nosuch").output == text
    assert run("kmod", "-V").output == run("modprobe", "-V").output


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "missing command"),
        (["load", "vfat"], "invalid command 'load'"),
        (["insert"], "invalid command 'insert'"),
        (["modprobe"], "invalid command 'modprobe'"),
        (["\33[2J"], "invalid command '\\x1b[2J'"),
    ],
)
def test_commands_that_are_none(run: Run, arguments: list[str], error: str) -> None:
    outcome = run("kmod", *arguments)
    assert (outcome.status, outcome.errors) == (1, [error])
    assert outcome.output == run("kmod", "help").output


def test_options_that_are_none(run: Run) -> None:
    outcome = run("kmod", "-x", "list")
    assert (outcome.status, outcome.output, outcome.errors) == (1, "", ["kmod: invalid option -- 'x'"])


# --- static-nodes -----------------------------------------------------------------------------------------------------


def test_nodes_for_people(run: Run, root: Path) -> None:
    outcome = run("kmod", "static-nodes")
    assert (outcome.status, outcome.errors) == (0, [])
    tun = "Module: tun\n\tDevice node: /dev/net/tun\n\t\tType: character device\n\t\tMajor: 10\n\t\tMinor: 200\n"
    assert outcome.output.startswith(f"{tun}Module: loop\n")
    assert "Type: block device" in outcome.output


def test_nodes_for_systemd(run: Run, root: Path) -> None:
    assert run("kmod", "static-nodes", "-f", "tmpfiles").output == (
        "d /dev/net 0755 - - -\nc! /dev/net/tun 0600 - - - 10:200\nc! /dev/loop-control 0600 - - - 10:237\n"
        "d /dev/a/b 0755 - - -\nb! /dev/a/b/c 0600 - - - 7:4294967295\n"
    )


def test_nodes_as_they_are_and_into_a_file(run: Run, root: Path, tmp_path: Path) -> None:
    expected = "tun net/tun c10:200\nloop loop-control c10:237\nodd a/b/c b7:4294967295\n"
    assert run("kmod", "static-nodes", "--format=devname").output == expected
    target = tmp_path / "new/directory/file"
    outcome = run("kmod", "static-nodes", "-o", str(target), "-f", "devname")
    assert (outcome.status, outcome.output, target.read_text()) == (0, "", expected)
    assert run("kmod", "static-nodes", "-o/dev/null").status == 0
    outcome = run("kmod", "static-nodes", "-o", str(tmp_path))
    assert (outcome.status, outcome.errors) == (1, [f"Error: could not create {tmp_path} - Is a directory"])


def test_rows_that_are_none(run: Run, root: Path) -> None:
    (root / "lib/modules" / RELEASE / "modules.devname").write_bytes(b"a b x1:2\n\nc d c1:2\ne\xff f c3:4\nc d c1")
    outcome = run("kmod", "static-nodes", "-f", "devname")
    assert (outcome.status, outcome.output) == (1, "c d c1:2\ne\udcff f c3:4\n")
    assert outcome.errors == [f"Error: invalid devname entry: {line}" for line in ("a b x1:2", "", "c d c1")]


def test_a_tree_without_nodes(run: Run, sample: Path) -> None:
    outcome = run("kmod", "static-nodes")
    path = f"{sample}/lib/modules/{RELEASE}/modules.devname"
    if not Path(path).exists():
        assert (outcome.status, outcome.errors) == (0, [f"Warning: {path} not found - ignoring"])
    assert outcome.output == ""


def test_wrong_calls(run: Run, root: Path) -> None:
    text = run("kmod", "static-nodes", "-h").output
    assert "tmpfiles" in text
    outcome = run("kmod", "static-nodes", "-f", "xml")
    assert (outcome.status, outcome.output, outcome.errors) == (1, text, ["Unknown format: 'xml'."])
    outcome = run("kmod", "static-nodes", "-x")
    assert (outcome.status, outcome.output, outcome.errors) == (1, "", ["static-nodes: invalid option -- 'x'"])


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200) | st.text("ab /c:1-\n\t#\r", max_size=60).map(str.encode))
def test_any_file_is_rows_or_lines(data: bytes) -> None:
    assert all(
        isinstance(node, str) or (node.type in {"b", "c"} and 0 <= node.minor < 1 << 32) for node in _nodes(data)
    )
