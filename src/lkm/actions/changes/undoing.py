"""Undoing changes that the journal tells of, and undoing that again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from lkm.actions.changes.applying import ChangeOutcome
from lkm.actions.changes.changes import Changes, Link
from lkm.actions.changes.difference import difference
from lkm.actions.session import Session
from lkm.errors import LkmError, Unreadable, UsageError
from lkm.formats.line_merging import taken_back
from lkm.system.file_contents import Content
from lkm.system.journal import FileChange, Journal, Record

__all__ = ["History", "HistoryEntry", "UndoResult", "history", "undo"]


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A change, and whether it is in force.

    :param undone_by: the number of the change that took it back; None where it is in force
    """

    record: Record
    undone_by: int | None


@dataclass(frozen=True, slots=True)
class History:
    """The journal.

    :param entries: the oldest first
    :param problems: records that can't be used, and why
    """

    entries: tuple[HistoryEntry, ...]
    problems: tuple[Unreadable, ...]


class UndoResult(NamedTuple):
    """What undoing did.

    :param record: the change that is undone
    :param outcome: what that changed
    """

    record: Record
    outcome: ChangeOutcome


def history(session: Session) -> History:
    """Read the journal."""
    records, problems = Journal(session.root).records()
    return History(_judged(records), problems)


def _judged(records: Iterable[Record]) -> tuple[HistoryEntry, ...]:
    """Find out what is in force, from the newest back: what undoes counts only if it is in force itself."""
    undone: dict[int, int] = {}
    entries: list[HistoryEntry] = []
    for record in sorted(records, key=lambda record: record.number, reverse=True):
        by = undone.get(record.number)
        if record.undoes is not None and by is None:
            undone.setdefault(record.undoes, record.number)
        entries.append(HistoryEntry(record, by))
    return tuple(reversed(entries))


def undo(
    session: Session, number: int | None, command: str, *, force: bool = False, dry_run: bool = False
) -> UndoResult:
    """Put files back as they were before a change. Where others changed other lines since, those stay.

    :param number: the change; by default the last one that is in force and undoes nothing, so that to undo again goes
        further back. The number of a change that undoes makes what it undid again.
    :param force: also where the lines that it made were changed since: what came since is lost
    :raises UsageError: there is nothing to undo, or the files changed since
    :raises Unreadable: the record is damaged
    :raises ChangedMeanwhile, PrivilegeMissing, ReadOnlyFiles: see :meth:`Changes.carry_out`
    """
    entry = _chosen(session, number)
    changes = Changes(session.root)
    later = _since(session, entry.record)
    for file in entry.record.files:
        _put_back(changes, file, entry.record, later, force=force)
    if dry_run:
        return UndoResult(entry.record, ChangeOutcome(changes.files, changes.diff(), None))
    done = changes.carry_out(command, undoes=entry.record.number)
    session.reread()
    return UndoResult(entry.record, ChangeOutcome(changes.files, changes.diff(), done))


def _chosen(session: Session, number: int | None) -> HistoryEntry:
    journal = Journal(session.root)
    if number is not None:
        journal.record(number)  # says what is wrong with it
    entries = history(session).entries
    if number is None:
        in_force = [entry for entry in entries if entry.undone_by is None and entry.record.undoes is None]
        if not in_force:
            raise UsageError("there is nothing to undo", hint="lkm undo --list shows what was changed and undone")
        return in_force[-1]
    found = next(entry for entry in entries if entry.record.number == number)
    if found.undone_by is not None:
        raise UsageError(
            f"change {number} was undone already, by change {found.undone_by}",
            hint=f"to make it again: lkm undo {found.undone_by}",
        )
    return found


def _since(session: Session, record: Record) -> tuple[Record, ...]:
    """Give the later changes to the same files that are in force, the newest first."""
    paths = {file.path for file in record.files}
    return tuple(
        entry.record
        for entry in reversed(history(session).entries)
        if entry.record.number > record.number
        and entry.undone_by is None
        and paths & {file.path for file in entry.record.files}
    )


def _put_back(changes: Changes, file: FileChange, record: Record, later: tuple[Record, ...], *, force: bool) -> None:
    now = changes.read(file.path)
    wanted = file.before
    if now not in {file.after, file.before} and not force:
        merged = _merged(file, now)
        if merged is None:
            raise _differs(changes, FileChange(file.path, file.after, now), record, later)
        wanted = merged
    try:
        changes.add(file.path, wanted)
    except UsageError as error:
        raise UsageError(
            f"change {record.number} can't be undone: {error.what}", where=error.where, hint=error.hint
        ) from error


def _merged(file: FileChange, now: Content) -> bytes | None:
    """Take back the lines of one change where others came since; None where its lines are no longer as it made them."""
    before, after = file.before, file.after
    if not isinstance(after, bytes) or not isinstance(now, bytes) or isinstance(before, Link):
        return None
    if before is None:
        before = after.partition(b"\n")[0] + b"\n"  # the mark, which other lines need
    return taken_back(before, after, now)


def _differs(changes: Changes, file: FileChange, record: Record, later: tuple[Record, ...]) -> LkmError:
    numbers = [str(other.number) for other in later if other.undoes is None]
    if numbers:
        since = f"was changed again by change {', '.join(numbers)}"
        hint = f"undo that first: lkm undo {numbers[0]}; or give up what came since: lkm undo {record.number} --force"
    else:
        since = "was changed since, by something else"
        hint = f"give up what came since: lkm undo {record.number} --force"
    lines = [line for line in difference(changes.root, [file]).splitlines()[2:] if line.startswith(("+", "-"))]
    shown = "; ".join(lines[:3]) + ("; …" if len(lines) > 3 else "")
    return UsageError(
        f"it {since}, so change {record.number} can't simply be undone (differs by: {shown})",
        where=changes.root.display(file.path),
        hint=hint,
    )
