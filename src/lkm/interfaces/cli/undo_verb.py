"""Undo the last change that lkm made to configuration files, or another one; --list shows them.

Each change is in a journal below /var/lib/lkm. What was changed since in other lines stays. Undoing is a change, too:
undoing that makes the first one again.
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.errors import UsageError
from lkm.interfaces.cli import changing
from lkm.interfaces.cli.output import print_json, print_line, print_table, wants_json
from lkm.interfaces.cli.shown_commands import shortened

if TYPE_CHECKING:
    from lkm.actions.changes.undoing import History, HistoryEntry

__all__ = ["add_arguments", "run"]

_HIGHEST = 10**9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("number", nargs="?", metavar="NUMBER", help="the change to undo (default: the last one)")
    parser.add_argument("-l", "--list", action="store_true", help="show the changes, the newest first")
    parser.add_argument("--force", action="store_true", help="also where its lines were changed since: give that up")
    changing.add_change_options(parser)


def run(options: argparse.Namespace, session: Session) -> int:
    """Undo or list."""
    number = _number(options.number)
    if options.list:
        return _list(options, session, number)
    return _undo(options, session, number)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:12]) < _HIGHEST):
        raise UsageError(f"{text!r} is no number of a change", hint="lkm undo --list shows them")
    return int(text)


def _undo(options: argparse.Namespace, session: Session, number: int | None) -> int:
    from lkm.actions.changes.undoing import undo  # noqa: PLC0415  --help needs none

    words = ["undo", *([str(number)] if number else []), *(["--force"] if options.force else [])]
    record, outcome = undo(
        session, number, changing.command_line(session, *words), force=options.force, dry_run=options.dry_run
    )
    stale = None if options.dry_run else changing.drift_for(session, [file.path for file in outcome.files])
    if wants_json(options):
        done = changing.outcome_as_json(session, outcome, dry_run=options.dry_run)
        print_json(
            "undo", undone=record.number, command=record.command, **done, initramfs=changing.drift_as_json(stale)
        )
        return 0
    verb = "would undo" if options.dry_run else "undone"
    print_line(f"{verb}: change {record.number}, {shortened(record.command)}")
    if not outcome.changes:
        print_line("the files are as they were before it; nothing is to be written")
    changing.print_outcome(session, outcome, dry_run=options.dry_run)
    changing.print_drift(stale, about_modules=False)
    return 0


def _list(options: argparse.Namespace, session: Session, number: int | None) -> int:
    from lkm.actions.changes.undoing import history  # noqa: PLC0415  --help needs none

    found = history(session)
    entries = [entry for entry in reversed(found.entries) if number in {None, entry.record.number}]
    if number is not None and not entries:
        raise UsageError(f"there is no change {number} in the journal", hint="lkm undo --list shows them")
    if wants_json(options):
        print_json(
            "undo",
            changes=[_as_json(session, entry) for entry in entries],
            problems=[str(problem) for problem in found.problems],
        )
        return 0
    _print_list(session, entries, found)
    return 0


def _print_list(session: Session, entries: "list[HistoryEntry]", found: "History") -> None:
    if entries:
        rows = [
            (
                str(entry.record.number),
                _time(entry.record.time),
                entry.record.user,
                shortened(entry.record.command),
                _state(entry),
            )
            for entry in entries
        ]
        print_table(("CHANGE", "TIME", "BY", "COMMAND", ""), rows, numbers=[0])
    else:
        print_line("nothing was changed yet")
    if len(entries) == 1:
        print_line("files: " + ", ".join(session.root.display(file.path) for file in entries[0].record.files))
    for problem in found.problems:
        print_line(f"left out: {problem}")


def _state(entry: "HistoryEntry") -> str:
    undoes = "" if entry.record.undoes is None else f"undoes {entry.record.undoes}"
    undone = "" if entry.undone_by is None else f"undone by {entry.undone_by}"
    return ", ".join(filter(None, (undoes, undone)))


def _time(seconds: int) -> str:
    import time  # noqa: PLC0415  only lists need it

    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _as_json(session: Session, entry: "HistoryEntry") -> dict[str, object]:
    record = entry.record
    return {
        "number": record.number,
        "time": record.time,
        "user": record.user,
        "command": record.command,
        "files": [session.root.display(file.path) for file in record.files],
        "undoes": record.undoes,
        "undone_by": entry.undone_by,
    }
