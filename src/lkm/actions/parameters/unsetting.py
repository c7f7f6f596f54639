"""Taking parameters out of lkm's own files of modprobe.d."""

from collections.abc import Sequence
from typing import NamedTuple

from lkm.actions.changes.applying import ChangeOutcome, apply
from lkm.actions.changes.changes import Changes
from lkm.actions.parameters.facts import Configured, configured_for, require_parameter
from lkm.actions.parameters.persisting import FILES, take_out
from lkm.actions.parameters.subject import Subject, find_subject
from lkm.actions.session import Session
from lkm.formats.module_name import canonical

__all__ = ["UnsetResult", "unset_parameters"]


class UnsetResult(NamedTuple):
    """What unsetting did.

    :param subject: the module
    :param elsewhere: for each parameter, by its canonical name, where others still set it
    :param outcome: the changes to files
    """

    subject: Subject
    elsewhere: dict[str, tuple[Configured, ...]]
    outcome: ChangeOutcome


def unset_parameters(
    session: Session, name: str, names: Sequence[str], command: str, *, dry_run: bool = False
) -> UnsetResult:
    """Take parameters out of lkm's files; the kernel keeps its values until the module is loaded again.

    :param names: of the parameters; none for all of the module
    :raises LkmError: see :func:`lkm.actions.changes.applying.apply`
    """
    subject = find_subject(session, name)
    wanted = [_require_known(session, subject, one) for one in names]

    def plan(changes: Changes) -> None:
        take_out(changes, subject.name, wanted or None)

    outcome = apply(session, plan, command, dry_run=dry_run)
    return UnsetResult(subject, _set_elsewhere(session, subject, wanted), outcome)


def _require_known(session: Session, subject: Subject, name: str) -> str:
    """Give a parameter's name where the module has it, or a file sets it although the module has none such."""
    if canonical(name) in configured_for(session, subject):
        return name
    return require_parameter(session, subject, name).name


def _set_elsewhere(session: Session, subject: Subject, names: Sequence[str]) -> dict[str, tuple[Configured, ...]]:
    own = {session.root.display(path) for path in FILES}
    wanted = {canonical(name) for name in names}
    return {
        name: others
        for name, places in configured_for(session, subject).items()
        if (not wanted or name in wanted) and (others := tuple(place for place in places if place.file not in own))
    }
