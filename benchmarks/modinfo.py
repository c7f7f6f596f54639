"""How long ``lkm modinfo`` of all modules in one call takes, by path and by name, next to kmod's modinfo.

The promise: at most 0.8 times as long as kmod. Both run in turns, after one run that is not counted; told are medians
and the ratio. That both print the same is made sure of first.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.installed import newest

PROMISED = 0.8
# Without bytecode, which an installed package has, every start would compile it anew.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def main() -> int:
    options = parse_arguments()
    paths = sorted(str(path) for path in Path("/lib/modules", options.release).rglob("*.ko*"))
    peer = shutil.which("modinfo", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if peer is None or not paths:
        print("modinfo: kmod, or the modules of this release, are missing", file=sys.stderr)
        return 2
    ours = [str(Path(sys.executable).parent / "lkm"), "modinfo"]
    names = ["-k", options.release, *(Path(path).name.partition(".")[0] for path in paths)]
    kinds = {"by path": paths, "by name": names, "one field, by path": ["-F", "license", *paths]}
    print(f"{len(paths)} modules on {len(os.sched_getaffinity(0))} processors")
    print("| what | kmod | lkm | ratio | promised |\n|---|---|---|---|---|")
    for kind, arguments in kinds.items():
        if output_of([peer, *arguments]) != output_of([*ours, *arguments]):
            print(f"modinfo: what is printed {kind} differs", file=sys.stderr)
            return 1
        theirs, own = compare([peer, *arguments], [*ours, *arguments], options.runs)
        promised = PROMISED if kind.startswith("by") else ""
        print(
            f"| {kind} | {theirs * 1000:.0f} ms | {own * 1000:.0f} ms | {own / theirs:.2f} | {promised} |", flush=True
        )
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default=newest(), help="the kernel whose modules to show")
    parser.add_argument("--runs", type=int, default=15, help="runs of each, in turns (default: 15)")
    return parser.parse_args()


def output_of(command: list[str]) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT).stdout


def compare(peer: list[str], ours: list[str], runs: int) -> tuple[float, float]:
    """Return the median seconds of both."""
    theirs, own = [], []
    for run in range(runs + 1):
        a, b = seconds(peer), seconds(ours)
        if run:
            theirs.append(a)
            own.append(b)
    return statistics.median(theirs), statistics.median(own)


def seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
