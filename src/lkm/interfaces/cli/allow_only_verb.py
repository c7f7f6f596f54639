"""Allow only the modules that this system needs, and keep all others of the installed kernels out.

Allowed are what is loaded now, what is named, what modules-load.d asks for, what the file systems, disks, network and
consoles in use need, and all that these depend on, on every installed kernel. The plan is shown, and asked about.
After a kernel was installed: again, so that its new modules are refused, too.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.errors import Unreadable, UsageError
from lkm.interfaces.cli import changing
from lkm.interfaces.cli.output import print_json, print_line, print_table, wants_json

if TYPE_CHECKING:
    from lkm.actions.blocking.allow_only import AllowOnly
    from lkm.actions.changes.applying import ChangeOutcome

__all__ = ["add_arguments", "run"]

_LONGEST_LIST = 1 << 20  # bytes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("names", nargs="*", metavar="MODULE", help="modules to allow besides")
    parser.add_argument("--list", metavar="FILE", help="a file with more names, one a line, # for comments")
    parser.add_argument("--end", action="store_true", help="allow everything again")
    parser.add_argument("-v", "--verbose", action="store_true", help="show each allowed module with the reason")
    changing.add_change_options(parser, asks=True)


def run(options: argparse.Namespace, session: Session) -> int:
    """Plan, ask, write; or end it."""
    if options.end:
        return _end(options, session)
    from lkm.actions.blocking.allow_only import plan_allow_only, write_allow_only  # noqa: PLC0415  --help needs none

    words = [*options.names, *_listed(options.list)]
    plan = plan_allow_only(session, words)
    if not wants_json(options):
        _print_plan(plan, verbose=options.verbose)
    if not options.dry_run and not changing.agreed(options, f"Refuse {_modules(len(plan.refused))}?"):
        print_line("nothing was changed")
        return 1
    command = changing.command_line(session, "allow-only", *words)
    _tell(options, session, write_allow_only(session, plan, command, dry_run=options.dry_run), plan)
    return 0


def _end(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.blocking.allow_only import end_allow_only  # noqa: PLC0415  (as above)

    if options.names or options.list:
        raise UsageError("--end takes no names")
    command = changing.command_line(session, "allow-only", "--end")
    _tell(options, session, end_allow_only(session, command, dry_run=options.dry_run), None)
    return 0


def _tell(options: argparse.Namespace, session: Session, outcome: "ChangeOutcome", plan: "AllowOnly | None") -> None:
    stale = None if options.dry_run else changing.drift_for(session, [file.path for file in outcome.files])
    if wants_json(options):
        print_json(
            "allow-only",
            **changing.outcome_as_json(session, outcome, dry_run=options.dry_run),
            releases=list(plan.releases) if plan else [],
            allowed=[{"module": name, "reason": reason} for name, reason in plan.allowed.items()] if plan else None,
            refused=list(plan.refused) if plan else None,
            initramfs=changing.drift_as_json(stale),
        )
        return
    if not outcome.changes:
        print_line("the allow list is as it should be" if plan else "there is no allow list")
    elif plan and options.dry_run:
        if options.verbose:
            changing.print_outcome(session, outcome, dry_run=True)
        else:
            print_line("nothing was written; -v shows the lines, two or three for each module")
    else:
        changing.print_outcome(session, outcome, dry_run=options.dry_run)
    changing.print_drift(stale, about_modules=False)


def _listed(path: str | None) -> list[str]:
    """Read the names of a list.

    :raises Unreadable: it can't be read
    """
    if path is None:
        return []
    try:
        with Path(path).open("rb") as file:
            text = file.read(_LONGEST_LIST + 1)
    except (OSError, ValueError) as error:
        raise Unreadable(f"the list can't be read: {getattr(error, 'strerror', None) or error}", where=path) from error
    if len(text) > _LONGEST_LIST:
        raise Unreadable("the list is longer than 1 MiB", where=path)
    lines = text.decode(errors="backslashreplace").split("\n")
    return [line.partition("#")[0].strip() for line in lines if line.partition("#")[0].strip()]


def _modules(count: int) -> str:
    return "1 module" if count == 1 else f"{count} modules"


def _print_plan(plan: "AllowOnly", *, verbose: bool) -> None:
    kernels = f"{len(plan.releases)} kernels" if len(plan.releases) > 1 else "one kernel"
    print_line(f"{kernels}: {', '.join(plan.releases)}")
    print_line(
        f"allowed: {_modules(len(plan.allowed))}; refused: {len(plan.refused)}, {len(plan.newly_refused)} of them new"
    )
    if verbose:
        print_table(("ALLOWED", "BECAUSE"), list(plan.allowed.items()))
