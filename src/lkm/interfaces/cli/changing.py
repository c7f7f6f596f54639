"""What the verbs that change configuration share: options, the question before, and what is said afterwards."""

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lkm.actions.changes.command_line import command_line
from lkm.errors import UsageError
from lkm.interfaces.cli.output import print_line, wants_json
from lkm.interfaces.cli.shown_commands import shown_command

if TYPE_CHECKING:
    from lkm.actions.changes.applying import ChangeOutcome
    from lkm.actions.initramfs_drift import Drift
    from lkm.actions.session import Session
    from lkm.system.journal import FileChange

__all__ = [
    "add_change_options",
    "agreed",
    "command_line",
    "drift_as_json",
    "drift_for",
    "outcome_as_json",
    "print_drift",
    "print_outcome",
    "rebuild_words",
]


def add_change_options(parser: argparse.ArgumentParser, *, asks: bool = False) -> None:
    """Declare ``--dry-run``, and ``--yes`` for a verb that asks before it changes something.

    :param asks: the verb calls :func:`agreed`
    """
    parser.add_argument("-n", "--dry-run", action="store_true", help="write nothing, show the changes as a diff")
    if asks:
        parser.add_argument("-y", "--yes", action="store_true", help="don't ask")


def agreed(options: argparse.Namespace, question: str) -> bool:
    """Ask a person, on stderr, whether to go on; no answer is a no.

    :param options: with ``yes``, see :func:`add_change_options`
    :raises UsageError: there is nobody to ask, and ``--yes`` was not given
    """
    if options.yes:
        return True
    if wants_json(options) or not sys.stdin.isatty():
        raise UsageError("there is nobody to ask", hint="say --yes, or look first with --dry-run")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


# --- what was done ----------------------------------------------------------------------------------------------------


def print_outcome(session: "Session", outcome: "ChangeOutcome", *, dry_run: bool) -> None:
    """Tell people which files changed and how to undo that; with ``--dry-run`` print the diff."""
    if dry_run:
        for line in outcome.diff.splitlines():
            print_line(line, _style(line))
        return
    for file in outcome.files:
        print_line(f"{session.root.display(file.path)}: {_done(file)}")
    if outcome.number is not None:
        print_line(
            f"(change {outcome.number}; take it back with: {shown_command(session, 'undo', str(outcome.number))})"
        )


def _style(line: str) -> str | None:
    if line.startswith("@@"):
        return "cyan"
    if line.startswith(("+", "-")) and not line.startswith(("+++", "---")):
        return "green" if line.startswith("+") else "red"
    return None


def _done(file: "FileChange") -> str:
    from lkm.system.journal import MASK  # noqa: PLC0415  --help needs none

    if file.after is None:
        return "removed"
    if file.after == MASK:
        return "now a link to /dev/null, which hides the files of that name elsewhere"
    return "written" if file.before is None else "changed"


def outcome_as_json(session: "Session", outcome: "ChangeOutcome", *, dry_run: bool) -> dict[str, object]:
    """Give the same for programs: ``changed``, ``dry_run``, ``number``, ``files``, ``diff``."""
    return {
        "changed": outcome.changes,
        "dry_run": dry_run,
        "number": outcome.number,
        "files": [
            {
                "path": session.root.display(file.path),
                "change": "removed" if file.after is None else "created" if file.before is None else "changed",
            }
            for file in outcome.files
        ],
        "diff": outcome.diff,
    }


# --- the initramfs ----------------------------------------------------------------------------------------------------


def drift_for(session: "Session", files: Iterable[str], modules: Iterable[str] = ()) -> "Drift | None":
    """Tell whether early boot has an old copy of some files; None where it has not, or where there is no image.

    :param files: inside the root
    :param modules: those that the files are about
    """
    from lkm.actions.initramfs_drift import drift  # noqa: PLC0415  --help needs none

    wanted = set(files)
    found = drift(session, modules)
    return found if any(file.path in wanted for file in found.files) else None


def print_drift(found: "Drift | None", *, about_modules: bool = True) -> None:
    """Tell people that early boot has an old copy, whether that matters, and how to build it anew.

    :param about_modules: :func:`drift_for` was told which modules the files are about
    """
    if found is None:
        return
    if about_modules and found.holds == ():
        print_line(f"{found.image} has an old copy, but not the module: for this it need not be built anew")
        return
    if found.compared:
        print_line(f"{found.image} has an old copy: early boot does not know of this", "yellow")
    else:
        print_line(f"{found.image} is older, and may have an old copy ({found.problem})", "yellow")
    print_line(rebuild_words(found))


def rebuild_words(found: "Drift") -> str:
    """Say how an image is built anew."""
    if found.rebuild:
        return f"build it anew: sudo {found.rebuild}"
    return "build it anew with the tool that made it (none that lkm knows is installed here)"


def drift_as_json(found: "Drift | None") -> dict[str, object] | None:
    """Give the same for programs; null where early boot is not concerned."""
    if found is None:
        return None
    return {
        "release": found.release,
        "image": found.image,
        "compared": found.compared,
        "files": [{"path": file.path, "kind": file.kind.name.lower()} for file in found.files],
        "holds": None if found.holds is None else list(found.holds),
        "rebuild": found.rebuild or None,
        "problem": found.problem or None,
    }
