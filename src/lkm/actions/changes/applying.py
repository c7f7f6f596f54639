"""Planning changes and carrying them out, planned anew when another lkm came in between."""

from collections.abc import Callable
from dataclasses import dataclass

from lkm.actions.changes.changes import Changes
from lkm.actions.session import Session
from lkm.errors import ChangedMeanwhile
from lkm.system.journal import FileChange

__all__ = ["ChangeOutcome", "apply"]

_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class ChangeOutcome:
    """What became of a plan.

    :param files: the files that changed, or would have
    :param diff: the same as a unified diff; empty where nothing was to be changed
    :param number: of the change in the journal; None where nothing was changed
    """

    files: tuple[FileChange, ...]
    diff: str
    number: int | None

    @property
    def changes(self) -> bool:
        """Whether anything was to be changed."""
        return bool(self.files)


def apply(
    session: Session,
    plan: Callable[[Changes], None],
    command: str,
    *,
    dry_run: bool = False,
) -> ChangeOutcome:
    """Plan and carry out.

    :param plan: is given the changes to add to; it is called again when a file changed before it could be written
    :param command: the words that ask for it, for the journal
    :raises ChangedMeanwhile: files keep changing
    :raises PrivilegeMissing, ReadOnlyFiles, LkmError: see :meth:`lkm.actions.changes.changes.Changes.carry_out`
    """
    for attempt in range(_ATTEMPTS):
        changes = Changes(session.root)
        plan(changes)
        if dry_run or not changes:
            return ChangeOutcome(changes.files, changes.diff(), None)
        try:
            number = changes.carry_out(command)
        except ChangedMeanwhile:
            if attempt == _ATTEMPTS - 1:
                raise
            session.reread()
            continue
        session.reread()
        return ChangeOutcome(changes.files, changes.diff(), number)
    raise AssertionError  # the last attempt returns or raises
