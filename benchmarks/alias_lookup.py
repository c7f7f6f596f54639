"""How many aliases of devices ``lkm`` as a library looks up in a second, next to kmod's ``modprobe -R``.

A device is made up for each pattern in modules.alias: a character stands where it has a wildcard. ``by_alias`` of the
module tree reads that index alone; ``resolve`` of a system asks the configuration, names and symbols first, as modprobe
does. The promise: 50,000 a second by ``by_alias``, on one processor. modprobe can be asked for one alias in a call, so
that most of what it takes is its start.
"""

import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.installed import newest

import lkm

PROMISED = 50_000
PEER_CALLS = 50


def main() -> int:
    options = parse_arguments()
    system = lkm.System(release=options.release)
    patterns = [key for key, _ in system.tree.entries("modules.alias")]
    if not patterns:
        print("alias_lookup: modules.alias.bin of this release is missing", file=sys.stderr)
        return 2
    devices = [device_of(pattern) for pattern in patterns]
    random.Random(1).shuffle(devices)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"{len(devices)} aliases of devices, {sum(map(len, map(system.tree.by_alias, devices)))} answers")
    print("| what | a second | promised |\n|---|---|---|")
    first = per_second(lkm.System(release=options.release).tree.by_alias, devices)
    print(f"| by_alias, the first time | {first:,.0f} | |")
    by_alias = statistics.median(per_second(system.tree.by_alias, devices) for _ in range(options.runs))
    print(f"| by_alias | {by_alias:,.0f} | {PROMISED:,} |")
    known = [device for device in devices if system.tree.by_alias(device)]
    resolve = statistics.median(per_second(system.resolve, known) for _ in range(options.runs))
    print(f"| resolve | {resolve:,.0f} | |")
    peer = shutil.which("modprobe", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if peer is not None:
        asked = known[:PEER_CALLS]
        seconds = statistics.median(seconds_of([peer, "-S", options.release, "-R", device]) for device in asked)
        print(f"| modprobe -R of kmod, a process each | {1 / seconds:,.0f} | |")
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default=newest(), help="the kernel whose aliases to look up")
    parser.add_argument("--runs", type=int, default=7, help="how often to look all of them up (default: 7)")
    return parser.parse_args()


def device_of(pattern: str) -> str:
    """Return an alias that a pattern matches: a bracket becomes the first character in it."""
    return re.sub(r"\[(.)[^]]*\]", r"\1", pattern).replace("*", "0").replace("?", "0")


def per_second(look_up: Callable[[str], object], devices: list[str]) -> float:
    begin = time.perf_counter()
    for device in devices:
        look_up(device)
    return len(devices) / (time.perf_counter() - begin)


def seconds_of(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
