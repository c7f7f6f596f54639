"""How long ``lkm depmod`` takes, and how much memory, next to kmod's depmod on the same trees.

Copies of the modules of a release are made below a directory: plain, zstd, xz, and smaller and larger trees. Both tools
run in turns, after one run that is not counted; told are medians and the ratio.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.installed import newest

from lkm.formats.compression import Compression, compress
from lkm.formats.module_writer import ModuleRecipe, write

Sample = tuple[float, int]
INPUTS = ("modules.order", "modules.builtin", "modules.builtin.modinfo")
SUFFIXES = {"plain": ".ko", "zstd": ".ko.zst", "xz": ".ko.xz"}
KINDS = {"plain": Compression.NONE, "zstd": Compression.ZSTD, "xz": Compression.XZ}
TREES = Path(__file__).parents[1] / ".cache/benchmark-trees"
PROMISES = {"plain": (1.0, 0.5), "zstd": (1.0, None), "xz": (0.6, 0.1)}


def main() -> int:
    options = parse_arguments()
    source = Path("/lib/modules") / options.release
    peer = shutil.which("depmod", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if peer is None or not (source / "kernel").is_dir():
        print("depmod: kmod, or the modules of this release, are missing", file=sys.stderr)
        return 2
    ours = [str(Path(sys.executable).parent / "lkm"), "depmod"]
    print("| what | kmod | lkm | ratio | promised |\n|---|---|---|---|---|")
    for kind in options.kinds:
        root = make_tree(options.directory / kind, source, options.release, kind)
        whole, change = PROMISES[kind]
        runs = 3 if kind == "xz" else options.runs
        theirs = compare(f"whole tree, {kind}", root, options.release, [peer], [*ours, "--no-cache"], runs, whole)
        incremental(f"one module added, {kind}", root, options.release, ours, theirs, runs, change)
        unchanged(f"nothing changed, {kind}", root, options.release, ours, theirs, runs)
    for count in options.counts:
        root = make_sized_tree(options.directory / str(count), source, options.release, count)
        compare(f"{count} modules", root, options.release, [peer], [*ours, "--no-cache"], options.runs, None)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default=newest(), help="the kernel whose modules to index")
    parser.add_argument("--directory", type=Path, default=TREES, help="where the trees are made, and kept")
    parser.add_argument("--runs", type=int, default=7, help="runs of each, in turns (default: 7; of xz 3)")
    parser.add_argument("--kinds", nargs="*", choices=SUFFIXES, default=list(SUFFIXES), help="which trees")
    parser.add_argument("--counts", nargs="*", type=int, default=[1000, 4000, 16000], help="sizes of other trees")
    return parser.parse_args()


# --- trees ------------------------------------------------------------------------------------------------------------


def make_tree(root: Path, source: Path, release: str, kind: str) -> Path:
    tree = root / "lib/modules" / release
    if not tree.exists():
        tree.mkdir(parents=True)
        (root / "var/cache").mkdir(parents=True)
        for name in INPUTS:
            shutil.copy(source / name, tree / name)
        jobs = [(path, tree / path.relative_to(source), kind) for path in sorted(source.rglob("*.ko"))]
        with ProcessPoolExecutor() as pool:
            list(pool.map(pack, jobs, chunksize=32))
    return root


def pack(job: tuple[Path, Path, str]) -> None:
    source, target, kind = job
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_suffix(SUFFIXES[kind]).write_bytes(compress(source.read_bytes(), KINDS[kind]))


def make_sized_tree(root: Path, source: Path, release: str, count: int) -> Path:
    """Take some of the modules, or all of them several times under other names, as links."""
    tree = root / "lib/modules" / release
    if not tree.exists():
        tree.mkdir(parents=True)
        modules = sorted(source.rglob("*.ko"))
        for number in range(count):
            path = modules[number * max(1, len(modules) // count) % len(modules)]
            again = number * max(1, len(modules) // count) // len(modules)
            target = (
                tree
                / f"copy{again}"
                / path.relative_to(source).with_stem(f"{path.stem}_{again}" if again else path.stem)
            )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
        for name in INPUTS:
            (tree / name).write_text("")
    return root


# --- measuring --------------------------------------------------------------------------------------------------------


def timed(command: list[str]) -> Sample:
    """Run a command; give its seconds, and its memory at the most in KiB."""
    begin = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return seconds, usage.ru_maxrss


def median(samples: list[Sample]) -> Sample:
    return statistics.median(one[0] for one in samples), max(one[1] for one in samples)


def compare(
    what: str, root: Path, release: str, peer: list[str], ours: list[str], runs: int, promised: float | None
) -> Sample:
    arguments = ["-b", str(root), release]
    theirs, own = [], []
    for run in range(runs + 1):
        a, b = timed([*peer, *arguments]), timed([*ours, *arguments])
        if run:
            theirs.append(a)
            own.append(b)
    tell(what, median(theirs), median(own), promised)
    return median(theirs)


def incremental(
    what: str, root: Path, release: str, ours: list[str], theirs: Sample, runs: int, promised: float | None
) -> None:
    added = root / "lib/modules" / release / "updates/lkm_benchmark.ko"
    added.parent.mkdir(exist_ok=True)
    samples = []
    for run in range(runs):
        added.write_bytes(write(ModuleRecipe(name="lkm_benchmark", modinfo=(("alias", f"lkm:benchmark{run}"),))))
        sample = timed([*ours, "-b", str(root), release])
        if run:
            samples.append(sample)
        time.sleep(0.2)
    added.unlink()
    tell(what, theirs, median(samples), promised)


def unchanged(what: str, root: Path, release: str, ours: list[str], theirs: Sample, runs: int) -> None:
    samples = [timed([*ours, "-b", str(root), release]) for _ in range(runs + 1)]
    tell(what, theirs, median(samples[1:]), 0.3)


def tell(what: str, theirs: Sample, ours: Sample, promised: float | None) -> None:
    shown = [f"{one[0] * 1000:.0f} ms, {one[1] / 1024:.0f} MiB" for one in (theirs, ours)]
    print(f"| {what} | {shown[0]} | {shown[1]} | {ours[0] / theirs[0]:.2f} | {promised or ''} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
