"""How long ``lkm sign`` takes next to a loop of the kernel's sign-file, on all modules of a release.

The modules are copied once; before each run their signatures are taken away. Both sign the same files with the same
key, in turns, after one run that is not counted; told are medians, the processor time and the ratio.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.installed import newest

KEYS = {
    "RSA-2048": ("rsa:2048",),
    "RSA-4096": ("rsa:4096",),
    "P-256": ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
}
PROMISED = {"RSA-2048": 0.3}
LKM = str(Path(sys.executable).parent / "lkm")
Sample = tuple[float, float]


def main() -> int:
    options = parse_arguments()
    source = Path("/lib/modules") / options.release / "kernel"
    peer = options.sign_file or newest_sign_file()
    if peer is None or not source.is_dir():
        print("sign: sign-file (linux-kbuild), or the modules of this release, are missing", file=sys.stderr)
        return 2
    print("| what | sign-file | lkm | ratio | promised |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        place = Path(directory)
        tree = place / "modules"
        shutil.copytree(source, tree)
        count = sum(1 for _ in tree.rglob("*.ko"))
        for kind in options.keys:
            key, certificate = make_key(place, kind)
            their_run = partial(loop, peer, key, certificate, tree)
            own_run = partial(lkm, "--key", key, "--certificate", certificate, "--hash", "sha256", tree=tree)
            theirs, ours = [], []
            for run in range(options.runs + 1):
                a, b = timed(tree, their_run), timed(tree, own_run)
                if run:
                    theirs.append(a)
                    ours.append(b)
            tell(f"{count} modules, {kind}", median(theirs), median(ours), PROMISED.get(kind))
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default=newest(), help="the kernel whose modules to sign copies of")
    parser.add_argument("--sign-file", help="the peer (default: the newest of the installed linux-kbuild packages)")
    parser.add_argument("--directory", type=Path, default=None, help="where the copies are made (default: TMPDIR)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, in turns (default: 3)")
    parser.add_argument("--keys", nargs="*", choices=KEYS, default=list(KEYS), help="kinds of keys")
    return parser.parse_args()


def newest_sign_file() -> str | None:
    found = sorted(Path("/usr/lib").glob("linux-kbuild-*/scripts/sign-file"))
    return str(found[-1]) if found else None


def make_key(place: Path, kind: str) -> tuple[str, str]:
    key, certificate = str(place / f"{kind}.key"), str(place / f"{kind}.pem")
    words = ["openssl", "req", "-new", "-x509", "-nodes", "-newkey", *KEYS[kind], "-subj", "/CN=benchmark"]
    subprocess.run([*words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate


# --- measuring --------------------------------------------------------------------------------------------------------


def lkm(*arguments: str, tree: Path) -> None:
    subprocess.run([LKM, "sign", *arguments, "--tree", str(tree)], check=True, stdout=subprocess.DEVNULL)


def loop(peer: str, key: str, certificate: str, tree: Path) -> None:
    """Call sign-file once a module, by the leanest loop there is."""
    command = [peer, "sha256", key, certificate, "{}", ";"]
    subprocess.run(["find", str(tree), "-name", "*.ko", "-exec", *command], check=True)


def timed(tree: Path, run: Callable[[], None]) -> Sample:
    """Give the seconds of a run on unsigned modules, and its processor time."""
    lkm("--strip", tree=tree)
    os.sync()
    before, begin = processor_time(), time.perf_counter()
    run()
    return time.perf_counter() - begin, processor_time() - before


def processor_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def median(samples: list[Sample]) -> Sample:
    return statistics.median(one[0] for one in samples), statistics.median(one[1] for one in samples)


def tell(what: str, theirs: Sample, ours: Sample, promised: float | None) -> None:
    shown = [f"{one[0]:.1f} s ({one[1]:.1f} s of processors)" for one in (theirs, ours)]
    print(f"| {what} | {shown[0]} | {shown[1]} | {ours[0] / theirs[0]:.2f} | {promised or ''} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
