"""How long a whole module tree takes to read: .modinfo, exports and imports of every module, against kmod's modinfo.

Both run in turns on the same files, and what is told is the median of the runs and the ratio. ``modinfo`` prints only
what .modinfo and the signature say, so it does less; it is one process for all files.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.installed import newest

from lkm.formats import ksymtab, modinfo, symbol_versions
from lkm.formats.elf.reader import Elf

Counts = tuple[int, int, int]


def main() -> int:
    arguments = parse_arguments()
    tree = Path(arguments.tree or f"/lib/modules/{arguments.release}")
    paths = sorted(str(path) for path in tree.rglob("*.ko"))
    peer = shutil.which(arguments.modinfo)
    if not paths or peer is None:
        missing = "modinfo of kmod" if paths else f"uncompressed modules in {tree}"
        print(f"read_tree: there is no {missing}", file=sys.stderr)
        return 2
    pin_to_one_core()
    steps = {"bytes only": read_files, "lkm": read_tree, "modinfo": lambda paths: run_peer(peer, paths)}
    print(f"{len(paths)} modules, {sum(map(os.path.getsize, paths)) >> 20} MiB, of {tree}")
    print("{} fields, {} exports, {} imports".format(*read_tree(paths)))
    medians = measure(steps, paths, arguments.runs)
    for name, seconds in medians.items():
        print(f"{name:10}  {seconds * 1000:7.0f} ms  {seconds / len(paths) * 1e6:6.1f} us a module")
    print(f"lkm / modinfo: {medians['lkm'] / medians['modinfo']:.2f}")
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default=newest(), help="the kernel whose modules to read (default: the newest)")
    parser.add_argument("--tree", help="the directory to read, in place of /lib/modules/RELEASE")
    parser.add_argument("--runs", type=int, default=5, help="how many times (default: 5)")
    parser.add_argument("--modinfo", default="modinfo", help="the peer's command")
    return parser.parse_args()


def pin_to_one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def measure(steps: dict[str, Callable[[list[str]], object]], paths: list[str], runs: int) -> dict[str, float]:
    """Return the median seconds of each step; one run of all comes first, to fill the caches."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for run in range(runs + 1):
        for name, step in steps.items():
            started = time.perf_counter()
            step(paths)
            if run:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def read_tree(paths: list[str]) -> Counts:
    """Return how many fields, exports and imports all modules have."""
    fields = exported = imported = 0
    for path in paths:
        elf = Elf(contents(path))
        fields += len(modinfo.parse(elf.contents_of(".modinfo") or b"").fields)
        exported += len(ksymtab.exports(elf))
        imported += len(symbol_versions.imports(elf))
    return fields, exported, imported


def read_files(paths: list[str]) -> int:
    return sum(len(contents(path)) for path in paths)


def contents(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def run_peer(command: str, paths: list[str]) -> None:
    subprocess.run([command, *paths], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
