"""Allow modules again that lkm block or lkm allow-only keeps out.

Lines of other files are named, not touched.
"""

import argparse

from lkm.actions.session import Session
from lkm.interfaces.cli import changing
from lkm.interfaces.cli.output import print_json, print_line, wants_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("names", nargs="+", metavar="MODULE", help="names of modules")
    changing.add_change_options(parser)


def run(options: argparse.Namespace, session: Session) -> int:
    """Unblock; 1 where other lines still keep a module out."""
    from lkm.actions.blocking.block import unblock  # noqa: PLC0415  --help needs none

    done = unblock(
        session, options.names, changing.command_line(session, "unblock", *options.names), dry_run=options.dry_run
    )
    stale = None
    if not options.dry_run:
        stale = changing.drift_for(session, [file.path for file in done.outcome.files], done.names)
    status = 1 if done.remaining else 0
    if wants_json(options):
        print_json(
            "unblock",
            **changing.outcome_as_json(session, done.outcome, dry_run=options.dry_run),
            modules=list(done.names),
            remaining=[{"module": name, "line": line, "where": where} for name, line, where in done.remaining],
            unknown=[{"name": name, "alike": list(near)} for name, near in done.alike.items()],
            initramfs=changing.drift_as_json(stale),
        )
        return status
    changing.print_outcome(session, done.outcome, dry_run=options.dry_run)
    for name, line, where in done.remaining:
        print_line(f"{name}: {where} still says: {line}", "yellow")
    if done.remaining:
        print_line("that file is not lkm's: take the line out with an editor")
    elif not done.outcome.changes:
        for name in done.names:
            guess = f" (did you mean {' or '.join(near)}?)" if (near := done.alike.get(name)) else ""
            print_line(f"{name}: {'no kernel here has it' if name in done.alike else 'not blocked'}{guess}")
    changing.print_drift(stale)
    return status
