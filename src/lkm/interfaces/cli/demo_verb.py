"""See it work: modules made on the spot are loaded into an emulated kernel, looked at, removed, and refused.

Nothing of this machine is touched; its own kernel's modules are listed at the end, where it has any.
"""

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from lkm.actions.session import Session
from lkm.errors import LkmError
from lkm.interfaces.cli.output import print_json, wants_json

__all__ = ["add_arguments", "run"]


@dataclass(frozen=True, slots=True)
class _Scene:
    """One command of the demonstration.

    :param words: after ``lkm``; ``{root}`` is the sample root
    :param status: the exit status that shows that all is well
    :param title: what it is about; without one it belongs to the scene before
    :param enforce: on a kernel that was started with ``module.sig_enforce=1``
    """

    words: str
    status: int = 0
    title: str = ""
    enforce: bool = False


_SCENES = (
    _Scene("load -v vfat", title="Load a file system driver with what it needs"),
    _Scene("list", title="Look at it"),
    _Scene("show vfat"),
    _Scene("unload fat", 1, "What is in use stays"),
    _Scene("unload -v vfat", title="Remove it, and what nothing needs any more"),
    _Scene("load dummy numdummies=2", title="Set a parameter"),
    _Scene("show --parameters dummy"),
    _Scene("check {root}/home/you/hello.ko", title="Ask what the kernel will do with a module, without loading it"),
    _Scene("check --sig-enforce {root}/home/you/hello.ko", 1),
    _Scene("insmod {root}/lib/modules/6.1.0-sample/kernel/fs/fat/vfat.ko", 1, "Four failures: an unknown symbol"),
    _Scene("load {root}/home/you/old.ko", 1, "... a module that was built for another kernel"),
    _Scene("load {root}/home/you/hello.ko", 1, "... an unsigned module where signatures are enforced", enforce=True),
    _Scene("load pcspkr", 1, "... a module that modprobe.d blocks"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("--keep", metavar="DIR", help="make the sample root and the kernel in DIR and leave them there")


def run(options: argparse.Namespace, session: Session) -> int:
    """Play all scenes; exit 1 if one did not end as it should."""
    from lkm.actions.sample_tree import make_sample_tree  # noqa: PLC0415  --help needs none

    del session
    quiet = wants_json(options)
    outcomes: list[dict[str, object]] = []
    with _directory(options.keep) as directory:
        root = f"{directory}/root"
        make_sample_tree(root)
        _prepare_enforcing(f"{directory}/enforcing")
        for scene in _SCENES:
            kernel = f"emulated:{directory}/{'enforcing' if scene.enforce else 'kernel'}"
            with _environment(LKM_ROOT=root, LKM_KERNEL=kernel):
                status = _play(scene, root, quiet=quiet)
            outcomes.append({"command": scene.words.format(root=root), "status": status, "expected": scene.status})
        if options.keep and not quiet:
            print(f"\nGo on with it:\n  export LKM_ROOT={root} LKM_KERNEL=emulated:{directory}/kernel")
    if quiet:
        print_json("demo", scenes=outcomes)
    else:
        _show_live()
    return int(any(outcome["status"] != outcome["expected"] for outcome in outcomes))


@contextlib.contextmanager
def _directory(keep: str | None) -> Iterator[str]:
    if keep:
        os.makedirs(keep, exist_ok=True)  # noqa: PTH103
        yield os.path.abspath(keep)  # noqa: PTH100
        return
    with tempfile.TemporaryDirectory(prefix="lkm-demo-") as directory:
        yield directory


def _prepare_enforcing(directory: str) -> None:
    os.makedirs(directory, exist_ok=True)  # noqa: PTH103
    with open(f"{directory}/cmdline", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("module.sig_enforce=1\n")


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _play(scene: _Scene, root: str, *, quiet: bool) -> int:
    """Run one command in this process, with what it prints, or without."""
    from lkm.interfaces.cli.main import main  # noqa: PLC0415  main imports this file

    words = scene.words.format(root=root).split(" ")
    if quiet:
        with (
            open(os.devnull, "w", encoding="utf-8") as nowhere,  # noqa: PTH123
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            return main(words)
    if scene.title:
        print(f"\n# {scene.title}")
    print(f"$ lkm {' '.join(words)}", flush=True)
    with contextlib.redirect_stderr(sys.stdout):  # in the order in which things happen, in a pipe too
        status = main(words)
    if status != scene.status:
        print(f"# That should have ended with status {scene.status}, not {status}.")
    return status


def _show_live() -> None:
    from lkm.kernels.live import LiveKernel  # noqa: PLC0415  --help needs none

    kernel = LiveKernel()
    print("\n# And this machine's own kernel", flush=True)
    try:
        modules = kernel.loaded()
    except LkmError as error:
        print(f"{error}")
        return
    newest = ", ".join(module.name for module in modules[:5])
    print(f"{kernel.release} has {len(modules)} modules loaded" + (f", the newest are {newest}" if newest else ""))
