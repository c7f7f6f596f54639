"""What a test needs of the machine: without it a test is skipped on a laptop, and fails in CI."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["missing", "require_command", "require_path", "require_tool"]


def require_tool(name: str) -> str:
    """Give the path of a program.

    :param name: as on the PATH, /usr/sbin included
    """
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        missing(f"{name} is not installed")
    return path


def require_path(path: str | Path) -> Path:
    """Give a file or directory that must be there."""
    found = Path(path)
    if not found.exists():
        missing(f"{path} does not exist")
    return found


def require_command(*command: str) -> None:
    """Make sure that a command works here: for what depends on privileges, not on a program."""
    require_tool(command[0])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        missing(f"`{' '.join(command)}` fails here: {done.stderr.strip()}")


def missing(what: str) -> NoReturn:
    """Skip a test on a laptop, and fail it in CI.

    :param what: what the machine lacks
    """
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
