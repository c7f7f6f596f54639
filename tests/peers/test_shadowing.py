"""Of lines that contradict each other, modprobe of kmod heeds those that explain says count."""

import re
import subprocess
from pathlib import Path

import pytest
from tests.support.require import require_tool
from tests.support.shadowing import CASES, Case, write

from lkm.actions.explaining.story import explain
from lkm.actions.sample_tree import RELEASE, make_sample_tree
from lkm.actions.session import Session, Target
from lkm.rules.effective_lines import Effect, EffectiveLine

pytestmark = pytest.mark.peer

_HOMES = ("etc", "run", "usr/local/lib", "usr/lib")  # in kmod's order
_ON_FILES_ALONE = [name for name, case in CASES.items() if not case.cmdline]  # the command line is the machine's own


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    make_sample_tree(str(made))
    (made / "etc/modprobe.d/quiet.conf").unlink()
    return made


def _modprobe(root: Path, *arguments: str) -> str:
    directories = [root / home / "modprobe.d" for home in _HOMES]
    chosen = [word for path in directories if path.is_dir() for word in ("-C", str(path))]
    command = [require_tool("modprobe"), "-d", str(root), "-S", RELEASE, *chosen, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _lines(root: Path, case: Case) -> tuple[EffectiveLine, ...]:
    session = Session(Target(str(root), kernel="emulated"))
    return explain(session, case.subject).stories[0].lines


def _plain(line: str) -> str:
    return line.replace("-", "_").removesuffix("pre:").strip()


@pytest.mark.parametrize("name", _ON_FILES_ALONE)
def test_what_is_read_is_what_modprobe_reads(name: str, root: Path) -> None:
    case = CASES[name]
    write(case, root)
    directives = {_plain(line) for line in _modprobe(root, "-c").splitlines()}
    told = _lines(root, case)
    assert told
    read = {_plain(line.text) for line in told if line.effect is not Effect.NOT_READ}
    assert read <= directives
    assert not {_plain(line.text) for line in told if line.effect is Effect.NOT_READ} - read & directives


@pytest.mark.parametrize("name", _ON_FILES_ALONE)
def test_the_line_that_wins_is_the_one_that_modprobe_takes(name: str, root: Path) -> None:
    case = CASES[name]
    write(case, root)
    planned = _modprobe(root, "-D", case.subject)
    told = [line for line in _lines(root, case) if line.effect is Effect.COUNTS]
    commands = [line.text.split(maxsplit=2)[2] for line in told if line.text.startswith("install")]
    assert re.findall(r"^install (.*\S)\s*$", planned, re.MULTILINE) == commands
    values = [value for line in told for value in re.findall(r"numdummies=(\d+)", line.text)]
    if "dummy.ko" in planned:
        assert re.findall(r"numdummies=(\d+)", planned)[-1:] == values[-1:]
