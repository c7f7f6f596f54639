"""How long ``lkm lsmod`` takes to start, next to an interpreter that imports argparse and next to kmod's lsmod.

The promise: at most 2.5 times ``python3 -I -c 'import argparse'``.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path


def _seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40, help="runs of each, in turn")
    options = parser.parse_args()
    commands = {
        "python3 -I -c 'import argparse'": [sys.executable, "-I", "-c", "import argparse"],
        "lkm lsmod": [str(Path(sys.executable).parent / "lkm"), "lsmod"],
    }
    kmod = shutil.which("lsmod", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if kmod:
        commands["lsmod of kmod"] = [kmod]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(options.runs):
        for name, command in commands.items():
            times[name].append(_seconds(command))
    base = statistics.median(times["python3 -I -c 'import argparse'"])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:35} {median * 1000:7.1f} ms  {median / base:5.2f} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
