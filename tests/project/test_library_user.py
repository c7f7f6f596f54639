"""A stranger's program: its types hold by what the package tells of itself, and it does what it says."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lkm.actions.sample_tree import make_sample_tree

_PROGRAM = Path(__file__).with_name("library_user.py")
_MYPY = Path(sys.executable).with_name("mypy")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A copy away from the project, whose settings are not the stranger's."""
    return Path(shutil.copy(_PROGRAM, tmp_path / "program.py"))


def _mypy(program: Path) -> subprocess.CompletedProcess[str]:
    command = [str(_MYPY), "--strict", "--config-file=", program.name]
    environment = {name: value for name, value in os.environ.items() if name != "MYPYPATH"}
    return subprocess.run(
        command, cwd=program.parent, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_package_says_that_it_has_types() -> None:
    found = importlib.util.find_spec("lkm")
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin).with_name("py.typed").is_file()


def test_types_hold_for_a_stranger(program: Path) -> None:
    done = _mypy(program)
    assert (done.returncode, done.stdout) == (0, "Success: no issues found in 1 source file\n"), done.stdout


def test_mistakes_of_a_stranger_are_found(program: Path) -> None:
    program.write_text(program.read_text().replace("answer.signer", "answer.singer"))
    assert '"SignatureAnswer" has no attribute "singer"' in _mypy(program).stdout


def test_it_runs(program: Path, tmp_path: Path) -> None:
    make_sample_tree(str(tmp_path / "root"))
    done = subprocess.run(
        [sys.executable, program, "root", "dummy"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "dummy: loads"
    assert "dummy.ko: signed by Sample kernel build key" in lines
    assert lines[-1] == "changes: [1, 2, 3]"
    wrong = subprocess.run(
        [sys.executable, program, "root", "dumy"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "did you mean dummy?" in wrong.stderr
