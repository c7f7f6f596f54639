"""The linters are tests: what they find is a failure."""

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check"], id="ruff"),
        pytest.param(["ruff", "format", "--check"], id="format"),
        pytest.param(["mypy"], id="mypy"),
        pytest.param(["lint-imports"], id="floors"),
    ],
)
def test_the_linters_find_nothing(command: list[str]) -> None:
    found = subprocess.run([_BIN / command[0], *command[1:]], cwd=_ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_no_file_is_long() -> None:
    longest = {path: len(path.read_text().splitlines()) for path in (_ROOT / "src").rglob("*.py")}
    assert longest
    assert {path: lines for path, lines in longest.items() if lines > 450} == {}


def test_every_file_says_what_it_is() -> None:
    files = [*(_ROOT / "src").rglob("*.py"), *(_ROOT / "tests").rglob("*.py")]
    assert [path for path in files if not path.read_text().startswith(('"""', 'r"""'))] == []
