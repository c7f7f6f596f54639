"""How long a kernel's profile takes to gather from a root, to save and to load again, and how large the file is.

Nobody else makes one, so the times stand beside that of unpacking the kernel image, without which nothing can be known
of it. Processor time of one core, the least of several runs. The promises: gathered in 1.5 s, loaded in 50 ms with
unpacking, under 1 MB.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from benchmarks.installed import newest

from lkm.system.kernel_image_file import ImageFile, read_image
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_file import pack, unpack
from lkm.system.profile_gathering import gather
from lkm.system.root import Root

_Result = TypeVar("_Result")


def main() -> int:
    arguments = parse_arguments()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    root = Root(arguments.root)
    tree = ModuleTree(root, arguments.release or (newest() if root.is_host else None))
    image, unpacking = least(lambda: read_image(tree), arguments.runs)
    profile, gathering = least(lambda: gather(ModuleTree(root, tree.release)), arguments.runs)
    _, completing = least(lambda: dict(gather(ModuleTree(root, tree.release)).module_exports.items()), arguments.runs)
    data, saving = least(lambda: pack(profile), arguments.runs)
    kept, keeping = least(lambda: pack(profile, compressed=False), arguments.runs)
    _, loading = least(lambda: unpack(data), arguments.runs)
    _, reading = least(lambda: unpack(kept), arguments.runs)
    if unpack(data).profile != profile:
        print("profile: what was saved is not what was gathered", file=sys.stderr)
        return 1
    describe(profile, image)
    print(f"{'unpack the image':18}  {unpacking * 1000:7.1f} ms")
    print(f"{'gather':18}  {gathering * 1000:7.1f} ms  {gathering / unpacking:5.2f} x unpacking; promised: 1500 ms")
    print(
        f"{'gather all':18}  {completing * 1000:7.1f} ms  with what each module exports read, not only when asked for"
    )
    print(f"{'save':18}  {saving * 1000:7.1f} ms")
    print(f"{'load':18}  {loading * 1000:7.1f} ms  promised: 50 ms")
    print(f"{'size':18}  {len(data) / 1000:7.0f} kB  promised: 1000 kB")
    print(f"{'keep, as it is':18}  {keeping * 1000:7.1f} ms  {len(kept) / 1000:.0f} kB")
    print(f"{'read what was kept':18}  {reading * 1000:7.1f} ms")
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default="/", help="a directory that stands for / (default: the machine's own)")
    parser.add_argument("--release", help="the kernel (default: the newest, or the root's only one)")
    parser.add_argument("--runs", type=int, default=5, help="how many times (default: 5)")
    return parser.parse_args()


def least(step: Callable[[], _Result], runs: int) -> tuple[_Result, float]:
    """Return what a step gives, and the least processor time that it took in seconds; a first run fills the caches."""
    result = step()
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        result = step()
        seconds.append(time.process_time() - started)
    return result, min(seconds)


def describe(profile: KernelProfile, image: ImageFile | str) -> None:
    size = "no image" if isinstance(image, str) else f"{image.source}, {len(image.contents) >> 20} MiB unpacked"
    of_modules = sum(map(len, profile.module_exports.values()))
    print(f"{profile.release}: {size}")
    print(f"{len(profile.exports)} exports of the kernel, {of_modules} of {len(profile.module_exports)} modules")
    print(f"exports of modules out of {profile.sources['module_exports']}")


if __name__ == "__main__":
    sys.exit(main())
