"""Inside a machine: run steps by the real tools or by lkm, and tell after each what it left behind.

lkm's front-ends run in processes of their own, forked from one that has imported them: starting Python for each of them
takes ten times as long under emulation. Standard input is the scenarios, standard output the answers, both JSON.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.cli.main import main

_IMPORTED = (
    *("lkm.interfaces.compat.insmod", "lkm.interfaces.compat.modprobe", "lkm.interfaces.compat.modprobe_insert"),
    *("lkm.interfaces.compat.modprobe_remove", "lkm.interfaces.compat.rmmod", "lkm.system.module_tree"),
    *("lkm.kernels.live", "lkm.kernels.syscalls", "lkm.formats.compression"),
)
_MODULES = Path("/proc/modules")


def _answer(scenarios: dict[str, list[list[str]]]) -> dict[str, dict[str, Any]]:
    """Have the real tools do all steps of each scenario, and then lkm.

    :param scenarios: the steps of each, a step being the words of a command
    """
    return {
        name: {who: _run(steps, ours=who == "ours") for who in ("real", "ours")} for name, steps in scenarios.items()
    }


def _run(steps: list[list[str]], *, ours: bool) -> dict[str, Any]:
    return {"before": _loaded(), "steps": [_do(step, ours=ours) for step in steps]}


def _do(step: list[str], *, ours: bool) -> dict[str, Any]:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        if ours and step[0] in FRONT_ENDS:
            status = _forked(step, output.fileno(), errors.fileno())
        else:
            status = subprocess.run(step, stdout=output, stderr=errors, check=False).returncode
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "surrogateescape"))
    return {"status": status, "output": texts[0], "errors": texts[1], "loaded": _loaded()}


def _forked(step: list[str], output: int, errors: int) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.dup2(output, 1)
    os.dup2(errors, 2)
    status = main(step)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _loaded() -> list[str]:
    """Give /proc/modules without addresses, and the parameters of modules that are not Debian's own."""
    rows = []
    for line in _MODULES.read_text().splitlines():
        words = line.split()
        row = [*words[:5], *words[6:]]
        if "E" in row[-1]:
            parameters = sorted(Path(f"/sys/module/{words[0]}/parameters").glob("*"))
            row += [f"{path.name}={path.read_text()!r}" for path in parameters]
        rows.append(" ".join(row))
    return rows


if __name__ == "__main__":
    for module in _IMPORTED:
        importlib.import_module(module)
    json.dump(_answer(json.load(sys.stdin)), sys.stdout)
