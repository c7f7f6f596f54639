"""Remove modules, and the modules that they needed and nothing else uses."""

import argparse
import contextlib
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.errors import LkmError
from lkm.interfaces.cli.output import print_json, print_line, wants_json
from lkm.interfaces.messages import as_json, tell
from lkm.kernels.base import UnloadFlags

if TYPE_CHECKING:
    from lkm.rules.planning.steps import UnloadStep

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="modules or aliases")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show the steps, do nothing")
    parser.add_argument("-v", "--verbose", action="store_true", help="show each step")
    parser.add_argument("--holders", action="store_true", help="remove the modules that use it first")
    parser.add_argument("-i", "--ignore-remove", action="store_true", help="ignore remove commands and softdeps")
    parser.add_argument("-f", "--force", action="store_true", help="remove it even if it is in use (may crash)")
    parser.add_argument("-w", "--wait", type=_seconds, default=0.0, metavar="SECONDS", help="wait until it is free")


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        seconds = float(text)
        if seconds >= 0:  # which nan is not
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")


def run(options: argparse.Namespace, session: Session) -> int:
    """Plan each name, show or carry the plan out, report."""
    results: list[dict[str, object]] = []
    failed = False
    for name in options.names:
        try:
            results.append(_handle(name, options, session))
        except LkmError as error:
            failed = True
            results.append({"module": name, "error": as_json(error)})
            if len(options.names) == 1 and not wants_json(options):
                raise
            tell("lkm", error)
    if wants_json(options):
        print_json("unload", release=session.kernel.release, dry_run=options.dry_run, results=results)
    return int(failed)


def _handle(name: str, options: argparse.Namespace, session: Session) -> dict[str, object]:
    from lkm.actions.unload import carry_out  # noqa: PLC0415  --help needs no executor
    from lkm.actions.unload_names import steps_for  # noqa: PLC0415

    quiet = wants_json(options)
    steps = steps_for(
        session,
        name,
        holders=options.holders,
        ignore_commands=options.ignore_remove,
        wait=options.wait > 0 or options.force,
    )
    result: dict[str, object] = {"module": name, "steps": [describe(step) for step in steps]}
    if options.dry_run:
        if not quiet:
            for step in steps:
                print_line(describe(step))
        return result
    report = carry_out(
        steps,
        session.kernel,
        flags=UnloadFlags.FORCE if options.force else UnloadFlags.NONE,
        wait=options.wait,
        announce=(lambda step: print_line(describe(step))) if options.verbose and not quiet else (lambda _: None),
    )
    if not quiet:
        print_line(f"{name}: removed {', '.join(report.removed)}" if report.removed else f"{name}: nothing to remove")
    return {**result, "removed": report.removed, "log": report.log}


def describe(step: "UnloadStep") -> str:
    """Give a step in words."""
    from lkm.rules.planning.steps import Remove, RunRemove  # noqa: PLC0415  --help needs none

    match step:
        case Remove():
            return f"remove {step.name}" + ("   # nothing uses it any more" if step.leftover else "")
        case RunRemove():
            return f"run {step.command}   # instead of removing {step.name}: {step.where}"
        case _:
            return f"fail: {step.name} is {step.obstacle.value}"
