"""How long `lkm check` takes: as a command, in process, and for all modules of a tree against their own kernel.

The promises, on one processor: 0.25 s for the command on one module against a gathered or saved profile, 3 ms for one
module in process, 4 s for all modules of a tree with what they need. All are processor time, the least of several runs.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.installed import newest

from lkm.actions.checking.check import check_on
from lkm.actions.checking.options import CheckOptions
from lkm.actions.checking.target import CheckTarget, open_target
from lkm.actions.profile import profile_for, save
from lkm.actions.session import Session, Target
from lkm.rules.loading.state import KernelState, ModuleRecord


def _of_children(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode > 1:
        sys.exit(done.stderr.decode(errors="replace"))
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _least(runs: int, once: Callable[[], float]) -> float:
    return min(once() for _ in range(runs))


def _own(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _check_afresh(target: CheckTarget, path: str) -> None:
    """Check one file on a copy of the target, which has none of the answers that are kept for the next subject."""
    check_on(replace(target), [path])


def _judge_tree(target: CheckTarget) -> None:
    """Ask about every module once, on a kernel that has loaded what the module needs."""
    records: dict[str, ModuleRecord] = {}
    tree = target.tree
    needs = {module.name: [needed.name for needed in tree.dependencies(module.name)] for module in tree.modules()}
    refused = []
    for name, needed in sorted(
        needs.items(), key=lambda item: len(item[1])
    ):  # the lists hold what is needed indirectly
        file = tree.module(name)
        assert file is not None
        state = KernelState(tuple(records[other] for other in reversed(needed) if other in records))
        verdict = target.ask(state, file.contents, "", 0)
        if verdict.record:
            records[name] = verdict.record
        else:
            refused.append(name)
    print(f"{len(needs)} modules, of which {len(refused)} do not load: {' '.join(refused[:10])}")


def _check_tree(target: CheckTarget) -> None:
    """Check every module by name: what it needs is looked up, planned and asked about, too."""
    report = check_on(target, [module.name for module in target.tree.modules()])
    refused = [result.module for result in report.results if not result.loads]
    print(f"{len(report.results)} names, of which {len(refused)} do not load: {' '.join(refused[:10])}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", default=newest(), help="a release with a tree under /lib/modules")
    parser.add_argument("--module", default="ext4", help="the one module (default: ext4)")
    parser.add_argument("--runs", type=int, default=10, help="runs of each")
    options = parser.parse_args()
    session = Session(Target(release=options.release))
    file = session.tree.module(options.module)
    if file is None:
        sys.exit(f"there is no module {options.module} in {session.tree.display_directory}")
    lkm = str(Path(sys.executable).parent / "lkm")
    begin = time.process_time()
    profile = profile_for(session)
    print(f"{'profile, gathered or kept':45} {time.process_time() - begin:8.3f} s")
    with tempfile.TemporaryDirectory() as directory:
        saved = f"{directory}/profile"
        save(profile, saved)
        commands = {
            "command on a name, profile kept": ["--release", options.release, options.module],
            "command on a file, profile saved": ["--profile", saved, file.display_path],
            "command on a file, profile saved, --raw": ["--profile", saved, "--raw", file.display_path],
        }
        for what, words in commands.items():
            print(f"{what:45} {_least(options.runs, partial(_of_children, [lkm, 'check', *words])):8.3f} s")
        target = open_target(session, CheckOptions(profile_file=saved))
        raw = open_target(session, CheckOptions(profile_file=saved, raw=True))
    path = file.display_path
    for what, asked in (("with what it needs", target), ("--raw", raw)):
        taken = _least(options.runs, partial(_own, partial(_check_afresh, asked, path)))
        print(f"{f'in process, {what}':45} {taken * 1000:8.2f} ms")
    print(f"{'the whole tree, each module judged once':45} {_own(partial(_judge_tree, target)):8.3f} s")
    print(f"{'the whole tree, each name checked':45} {_own(partial(_check_tree, target)):8.3f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
