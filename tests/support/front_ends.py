"""Run a front-end in this process, or the real tool, and see what it left behind."""

import importlib
import io
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.support.require import require_tool

__all__ = ["Outcome", "Run", "run_front_end", "run_real"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool left behind.

    :param hints: what a front-end says beyond kmod's messages; they do not count when two outcomes are compared
    """

    status: int
    output: str
    errors: list[str]
    hints: list[str]

    @property
    def compared(self) -> tuple[int, str, list[str]]:
        return self.status, self.output, self.errors


Run = Callable[..., Outcome]


def run_front_end(tool: str, *arguments: str) -> Outcome:
    """Run a front-end, such as ``modinfo``, without starting a process."""
    output, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape") for _ in range(2))
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = output, errors
    try:
        status = importlib.import_module(f"lkm.interfaces.compat.{tool}").main(arguments)
    finally:
        sys.stdout, sys.stderr = before
    return _outcome(status, _written(output), _written(errors))


def _written(stream: io.TextIOWrapper) -> bytes:
    stream.seek(0)
    return bytes(stream.buffer.read())


def run_real(tool: str, *arguments: str, environment: Mapping[str, str] | None = None, patience: float = 60) -> Outcome:
    """Run the tool of kmod, which must be installed, by its plain name: getopt(3) shows the name that was typed.

    :param environment: in place of this process's own
    :param patience: how long it may take, in seconds
    :raises subprocess.TimeoutExpired: it takes longer
    """
    done = subprocess.run(
        [tool, *arguments],
        executable=require_tool(tool),
        capture_output=True,
        check=False,
        env=environment,
        timeout=patience,
    )
    return _outcome(done.returncode, done.stdout, done.stderr)


def _outcome(status: int, output: bytes, errors: bytes) -> Outcome:
    # Not splitlines(): carriage returns and the like are parts of names.
    lines = [line for line in errors.decode("utf-8", "surrogateescape").split("\n") if line]
    return Outcome(
        status,
        output.decode("utf-8", "surrogateescape"),
        [line for line in lines if ": hint: " not in line],
        [line.split(": hint: ", 1)[1] for line in lines if ": hint: " in line],
    )
