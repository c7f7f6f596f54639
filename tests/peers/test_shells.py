"""The completion scripts in the shells themselves."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.require import require_tool

from lkm.actions.sample_tree import make_sample_tree
from lkm.interfaces.completion.scripts import SCRIPTS

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Make a directory with the scripts and a program ``lkm``, and an environment that finds them."""
    place = tmp_path_factory.mktemp("shells")
    make_sample_tree(str(place / "root"))
    for name, script in (("lkm.bash", "bash"), ("_lkm", "zsh"), ("lkm.fish", "fish")):
        (place / name).write_text(SCRIPTS[script])
    program = place / "lkm"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m lkm "$@"\n')
    program.chmod(0o755)
    (place / "a file.ko").touch()
    for name in ("LICENCE", "odd$(touch hit).ko"):
        (place / name).touch()
    plain = {name: text for name, text in os.environ.items() if not name.startswith(("LKM_", "XDG_"))}
    return plain | {
        "PATH": f"{place}:{plain['PATH']}",
        "HOME": str(place),
        "LKM_ROOT": str(place / "root"),
        "TERM": "dumb",
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
    }


def _run(settings: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        command, env=settings, cwd=settings["HOME"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


_BASH = """
source lkm.bash
compopt() { printf 'compopt %s\\n' "$*"; }
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_lkm lkm
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("unl",), ["unload"]),
        (("load", "vf"), ["vfat"]),
        (("load", "dummy", "num"), ["compopt -o nospace", "numdummies="]),
        (("list", "--color", "=", "al"), ["always"]),
        (("--root", "/et"), ["compopt -o dirnames", ""]),
        (("profile", "save", "LIC"), ["compopt -o default", ""]),
        (("show", "fa"), ["fat"]),
        (("show", "odd"), ["compopt -o default", ""]),
        (("$(touch hit)", "x"), [""]),
        (("load", "`touch hit`"), [""]),
    ],
)
def test_bash(settings: dict[str, str], words: tuple[str, ...], told: list[str]) -> None:
    require_tool("bash")
    found = _run(settings, "bash", "--norc", "-c", _BASH, "bash", "lkm", *words).splitlines()
    assert found == told
    assert not (Path(settings["HOME"]) / "hit").exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("lkm unl", ["unload\tremove modules with what is left over"]),
        ("lkm load vf", ["vfat"]),
        ("lkm list --color=al", ["--color=always"]),
        ("lkm profile sa", ["save\twrite them to a file, for --profile"]),
        ("lkm profile save LIC", ["LICENCE"]),
        ("lkm load '$(touch hit)'", []),
    ],
)
def test_fish(settings: dict[str, str], line: str, told: list[str]) -> None:
    require_tool("fish")
    found = _run(settings, "fish", "--no-config", "-c", f"source lkm.fish; complete -C {_quoted(line)}").splitlines()
    assert [entry.rstrip() for entry in found] == told
    assert not (Path(settings["HOME"]) / "hit").exists()


def _quoted(line: str) -> str:
    return "'" + line.replace("'", "\\'") + "'"


def test_zsh(settings: dict[str, str]) -> None:
    """A real zsh at a terminal: each line is typed, then the tabulator key."""
    require_tool("zsh")
    lines = {
        "lkm unlo": "ad",
        "lkm load vf": "at",
        "lkm list --color=al": "ways",
        "lkm profile save LIC": "ENCE",
        "lkm load dummy numd": "ummies=",
    }
    for line, shown in zip(lines, _typed(settings, ("zsh", "-f", "-i"), lines), strict=True):
        assert line + lines[line] in shown


def _typed(settings: dict[str, str], shell: tuple[str, ...], lines: Mapping[str, str]) -> list[str]:
    """Type lines, each ended by a tabulator, and give what the terminal showed of each.

    :param lines: with what is waited for
    """
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(settings["HOME"])
        os.execvpe(shell[0], shell, {**settings, "PS1": "% "})  # noqa: S606  it must be this process's child
    try:
        _say(terminal, "fpath=($HOME $fpath); autoload -U compinit; compinit -u -D; print be''gin\n", "begin\r\n")
        return [_say(terminal, f"\x15{line}\t", line + rest) for line, rest in lines.items()]
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def _say(terminal: int, text: str, until: str) -> str:
    """Type, and read until the terminal shows what is waited for, or for twenty seconds."""
    os.write(terminal, text.encode())
    shown = b""
    end = time.monotonic() + 20
    while time.monotonic() < end and until.encode() not in shown:
        ready, _, _ = select.select([terminal], [], [], 1)
        if ready:
            shown += os.read(terminal, 4096)
    return shown.decode(errors="replace")


@pytest.mark.parametrize(("shell", "option"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_the_scripts_are_sound(settings: dict[str, str], shell: str, option: str) -> None:
    require_tool(shell)
    name = {"bash": "lkm.bash", "zsh": "_lkm", "fish": "lkm.fish"}[shell]
    assert _run(settings, shutil.which(shell) or shell, option, name) == ""
