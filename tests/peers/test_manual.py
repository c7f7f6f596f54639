"""The manual pages in groff and man, and in a wheel with the completions."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.support.require import require_tool

from lkm.interfaces.data_files import data_files
from lkm.interfaces.manual.pages import pages

pytestmark = pytest.mark.peer

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(pages()))
def test_groff_warns_of_nothing(name: str) -> None:
    require_tool("groff")
    command = ("groff", "-man", "-Tutf8", "-ww")
    done = subprocess.run(command, input=pages()[name].encode(), capture_output=True, check=True, timeout=60)
    assert done.stderr == b""
    assert b"Linux kernel modules" in done.stdout


def test_man_shows_a_page(tmp_path: Path) -> None:
    require_tool("man")
    path = tmp_path / "lkm-load.1"
    path.write_text(pages()[path.name])
    settings = {"MANWIDTH": "90", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""}
    command = ("man", "--warnings", "-l", str(path))
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    assert "lkm-load - load modules with what they need" in done.stdout
    assert "--dry-run" in done.stdout


def test_a_wheel_has_the_pages_and_the_completions(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    shutil.copytree(PROJECT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-index")
    command = (*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(source))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        prefix = f"{wheel.name.rsplit('-', 3)[0]}.data/data/"
        found = {name.removeprefix(prefix) for name in packed.namelist() if name.startswith(prefix)}
        page = packed.read(f"{prefix}share/man/man1/lkm-load.1").decode()
    assert found == set(data_files())
    assert page == pages()["lkm-load.1"]
