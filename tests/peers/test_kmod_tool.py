"""kmod's own commands, beside the real tool's; help texts are each tool's own."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.front_ends import run_front_end, run_real
from tests.support.pretend import pretending
from tests.support.real_tree import tree

pytestmark = pytest.mark.peer

RELEASE = "made-up"
WORDS = (
    "tun",
    "net/tun",
    "c10:200",
    "b7:0",
    "x1:2",
    "c",
    "10:",
    "c 10:200",
    "c10: 200",
    "c-1:2",
    "c99999999999999999999:1",
)
SEPARATORS = (" ", "\t", "  ", "\n", " \n", "\r\n", "\0", "\v", "\f")


@pytest.mark.parametrize(
    "arguments",
    [
        *[
            [],
            ["help"],
            ["-h"],
            ["--help", "x"],
            ["-x"],
            ["--nope"],
            ["load"],
            ["insert", "x"],
            ["lsmod"],
            ["list", "x"],
        ],
        *[["--", "help"], ["static-nodes", "-h"], ["static-nodes", "-f", "xml"], ["static-nodes", "-x"], ["-"]],
        *[["static-nodes", "--form"], ["static-nodes", "-f"], ["--v", "nope"], ["-Vh"], ["static-nodes", "--output"]],
    ],
    ids=" ".join,
)
def test_calls(arguments: list[str]) -> None:
    real, ours = run_real("kmod", *arguments), run_front_end("kmod", *arguments)
    assert (ours.status, ours.errors, bool(ours.output)) == (real.status, real.errors, bool(real.output))


def test_the_version_is_kmods() -> None:
    assert run_front_end("kmod", "-V").output.split()[:3] == run_real("kmod", "-V").output.split()[:3]


@pytest.mark.parametrize("form", ["human", "tmpfiles", "devname"])
def test_the_nodes_of_a_distribution(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKM_RELEASE", tree().name)
    # Its root is this system's own.
    real = run_real("kmod", "static-nodes", "-f", form, environment=pretending(Path("/"), tree().name))
    ours = run_front_end("kmod", "static-nodes", "-f", form)
    assert ours.compared == real.compared
    assert real.output.count("\n") > 10


@pytest.mark.parametrize("seed", range(60))
def test_any_list_of_nodes(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    directory = tmp_path / "lib/modules" / RELEASE
    directory.mkdir(parents=True)
    rows = [chance.choice(WORDS) + chance.choice(SEPARATORS) for _ in range(chance.randrange(40))]
    rows += ["tun net/tun c10:200\n", f"{'x' * chance.choice([9, 4080, 4094, 4095, 4096])} y c1:2\n", "# comment c1:2"]
    chance.shuffle(rows)
    (directory / "modules.devname").write_text("".join(rows))
    monkeypatch.setenv("LKM_ROOT", str(tmp_path))
    monkeypatch.setenv("LKM_RELEASE", RELEASE)
    form = chance.choice(["human", "tmpfiles", "devname"])
    real = run_real("kmod", "static-nodes", "-f", form, environment=pretending(tmp_path, RELEASE))
    ours = run_front_end("kmod", "static-nodes", "-f", form)
    assert (ours.status, ours.output) == (real.status, real.output)
    # What the real tool says may be several lines long, or have no end of line.
    assert "".join(ours.errors).count("Error: ") == "".join(real.errors).count("Error: ")


@pytest.mark.parametrize("target", ["file", "new/directory/file", ".", "/dev/null", "/proc/nosuch/x"])
def test_output_into_a_file(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKM_RELEASE", tree().name)
    wrote = []
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        arguments = ("static-nodes", "-f", "devname", "-o", target)
        if name == "ours":
            outcome = run_front_end("kmod", *arguments)
        else:
            outcome = run_real("kmod", *arguments, environment=pretending(Path("/"), tree().name))
        files = {
            path.relative_to(tmp_path / name): path.read_bytes() for path in Path.cwd().rglob("*") if path.is_file()
        }
        wrote.append((outcome.status, outcome.output, files))
    assert wrote[0] == wrote[1]


def test_list_without_modules() -> None:
    real, ours = run_real("kmod", "list"), run_front_end("kmod", "list")
    assert (ours.status, ours.output, ours.errors) == (real.status, real.output, real.errors)


def test_it_is_called_by_a_link(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("lkm")
    link = tmp_path / "kmod"
    link.symlink_to(command)
    done = subprocess.run([link, "nope"], capture_output=True, text=True, check=False, env={**os.environ})
    assert (done.returncode, done.stderr) == (1, "invalid command 'nope'\n")
