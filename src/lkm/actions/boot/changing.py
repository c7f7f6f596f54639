"""Having modules loaded at boot, or no more, by a file of lkm's own."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from lkm.actions.boot.listing import Mention, mentions
from lkm.actions.boot.resolving import BootResolver, Fate, Resolved
from lkm.actions.changes.applying import ChangeOutcome, apply
from lkm.actions.changes.changes import MASK, Changes
from lkm.actions.load_names import not_found
from lkm.actions.session import Session
from lkm.errors import LkmError, ModuleNotFound, UsageError
from lkm.formats.line_editing import edited
from lkm.formats.module_name import canonical
from lkm.formats.modules_load_conf import parse
from lkm.formats.own_files import MODULES_LOAD, mark_for, own_path
from lkm.rules.suggestions import similar

__all__ = [
    "OWN_FILE",
    "Added",
    "BootAddResult",
    "BootRemoveResult",
    "Kept",
    "Removed",
    "add",
    "editable",
    "remove",
]

OWN_FILE = own_path(MODULES_LOAD, "boot")
"""The file that lkm keeps."""

_MARK = mark_for("lkm boot")
_LONGEST_NAME = 200
_VENDORS = ("/usr/local/lib/", "/usr/lib/", "/lib/", "/run/")


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a name that was to be added.

    :param resolved: what it comes to at boot
    :param present: where it was asked for already, to show to people; empty where it was not
    :param written: it is asked for by lkm's file now
    """

    name: str
    resolved: Resolved
    present: str
    written: bool


class Kept(Enum):
    """Why a line that asks for a module stays."""

    COMMAND_LINE = "the kernel command line asks for it"
    ADMINISTRATORS = "the file is not lkm's"
    VENDORS = "the file belongs to a package"


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of a name that was to be removed.

    :param taken: where it was asked for, and is no more
    :param kept: lines that still ask for it, and why they stay
    :param masked: files that are hidden now, with what else they asked for; that is in lkm's file now
    :param alike: names that are asked for and are called alike, where nothing asked for this one
    """

    name: str
    taken: tuple[str, ...]
    kept: tuple[tuple[Mention, Kept], ...]
    masked: tuple[tuple[str, tuple[str, ...]], ...]
    alike: tuple[str, ...]


class BootAddResult(NamedTuple):
    """What adding did: of each name, and to files."""

    added: tuple[Added, ...]
    outcome: ChangeOutcome


class BootRemoveResult(NamedTuple):
    """What removing did: of each name, and to files."""

    removed: tuple[Removed, ...]
    outcome: ChangeOutcome


# --- adding -----------------------------------------------------------------------------------------------------------


def add(
    session: Session, names: Sequence[str], command: str, *, unchecked: bool = False, dry_run: bool = False
) -> BootAddResult:
    """Have modules loaded at boot. What is asked for already, or built in, needs no line.

    :param unchecked: take names that nothing answers to, too
    :param command: the words that ask for it, for the journal
    :raises ModuleNotFound: nothing answers to a name
    :raises UsageError: a name can't stand in such a file, or the file is not lkm's
    :raises LkmError: see :func:`lkm.actions.changes.applying.apply`
    """
    for name in names:
        _require_sane(name)
    resolver = BootResolver(session)
    resolved = {canonical(name): resolver.resolve(name) for name in names}
    if not unchecked:
        _require_known(session, resolver, names, resolved)
    found: list[Added] = []

    def plan(changes: Changes) -> None:
        asked = _places(session, resolver)
        found.clear()
        lines: list[str] = []
        for key, name in {canonical(name): name for name in names}.items():
            answer = resolved[key]
            needs_line = key not in asked and answer.fate is not Fate.BUILT_IN
            lines += [_as_line(name, answer)] if needs_line else []
            found.append(Added(name, answer, asked.get(key, ""), needs_line))
        if lines:
            changes.add(OWN_FILE, edited(changes.read_own(OWN_FILE) or _MARK, appended=lines, joined=False))

    outcome = apply(session, plan, command, dry_run=dry_run)
    return BootAddResult(tuple(found), outcome)


def _require_sane(name: str) -> None:
    if not name or name[0] in "#;-" or len(name) > _LONGEST_NAME or not name.isprintable() or " " in name:
        raise UsageError(f"{name[:_LONGEST_NAME]!r} is no name of a module")
    if "/" in name:
        raise UsageError(
            f"{name!r} is a path; at boot modules are loaded by name",
            hint="have it in the module tree, below updates/, and run lkm index; then name it without its path",
        )


def _require_known(
    session: Session, resolver: BootResolver, names: Sequence[str], resolved: dict[str, Resolved]
) -> None:
    if resolver.problem is not None:
        raise resolver.problem
    for name in names:
        answer = resolved[canonical(name)]
        if answer.fate is Fate.MISSING:
            error = not_found(session, name)
            raise ModuleNotFound(error.what, hint=f"{error.hint} (a name for later is taken with --unchecked)")


def _places(session: Session, resolver: BootResolver) -> dict[str, str]:
    """Give where each module is asked for, by its name and by what the names come to."""
    found: dict[str, str] = {}
    for mention in mentions(session, resolver):
        found.setdefault(canonical(mention.name), mention.where)
    return found


def _as_line(name: str, resolved: Resolved) -> str:
    """Write a module's name as the kernel spells it, and an alias as it was given."""
    return canonical(name) if resolved.modules == (canonical(name),) else name


# --- removing ---------------------------------------------------------------------------------------------------------


def remove(
    session: Session, names: Sequence[str], command: str, *, mask: bool = False, dry_run: bool = False
) -> BootRemoveResult:
    """Have modules loaded at boot no more.

    Lines of lkm's own file go. The file of a package is hidden by a link to /dev/null where that is asked for, and what
    else it asks for goes into lkm's file. Other lines are for the administrator to take out.

    :param mask: hide files of packages
    :raises UsageError: lkm's file is not lkm's
    :raises LkmError: see :func:`lkm.actions.changes.applying.apply`
    """
    for name in names:
        _require_sane(name)
    resolver = BootResolver(session)
    unwanted = {canonical(name) for name in names}
    removed: list[Removed] = []

    def plan(changes: Changes) -> None:
        found = tuple(mentions(session, resolver))
        maskable = {
            mention.file.path
            for mention in found
            if mask and mention.file and _why_kept(mention) is Kept.VENDORS and canonical(mention.name) in unwanted
        }
        _hide(changes, found, maskable, unwanted)
        _drop(changes, unwanted)
        removed[:] = [_removed(session, name, found, maskable) for name in {canonical(n): n for n in names}.values()]

    outcome = apply(session, plan, command, dry_run=dry_run)
    return BootRemoveResult(tuple(removed), outcome)


def editable(session: Session, mention: Mention) -> str:
    """Give the file in which a line is to be changed by hand, links followed, to show to people."""
    if mention.file is None:
        return mention.where
    try:
        return os.path.realpath(session.root.host_path(mention.file.path))
    except LkmError:
        return mention.where


def _why_kept(mention: Mention) -> Kept | None:
    """Tell why lkm can't take a line out; None where it can."""
    if mention.file is None:
        return Kept.COMMAND_LINE
    if mention.file.path == OWN_FILE:
        return None
    return Kept.VENDORS if mention.file.path.startswith(_VENDORS) else Kept.ADMINISTRATORS


def _hide(changes: Changes, found: Iterable[Mention], paths: set[str], unwanted: set[str]) -> None:
    """Mask files, and take what else they ask for into lkm's."""
    others: dict[str, str] = {}
    elsewhere: set[str] = set()
    for mention in found:
        key = canonical(mention.name)
        if mention.file and mention.file.path in paths:
            others.setdefault(key, mention.name)
        else:
            elsewhere.add(key)
    for path in sorted(paths):
        changes.add(f"{MODULES_LOAD}/{path.rpartition('/')[2]}", MASK)
    lines = [name for key, name in others.items() if key not in unwanted | elsewhere]
    if lines:
        changes.add(OWN_FILE, edited(changes.read_own(OWN_FILE) or _MARK, appended=lines, joined=False))


def _drop(changes: Changes, unwanted: set[str]) -> None:
    """Take lines out of lkm's file; one with nothing left in it goes."""
    before = changes.read_own(OWN_FILE)
    entries = parse(before, OWN_FILE)
    dropped = {entry.line for entry in entries if canonical(entry.name) in unwanted}
    if dropped:
        after = edited(before, dropped=dropped, joined=False)
        changes.add(OWN_FILE, None if after.strip() == _MARK.strip() else after)


def _removed(session: Session, name: str, found: Sequence[Mention], maskable: set[str]) -> Removed:
    key = canonical(name)
    lines = [mention for mention in found if canonical(mention.name) == key]
    hidden = [mention for mention in lines if mention.file and mention.file.path in maskable]
    kept = [(mention, why) for mention in lines if mention not in hidden and (why := _why_kept(mention))]
    taken = [mention.where for mention in lines if mention in hidden or _why_kept(mention) is None]
    masked = []
    for path in sorted({mention.file.path for mention in hidden if mention.file}):
        others = tuple(m.name for m in found if m.file and m.file.path == path and canonical(m.name) != key)
        masked.append((session.root.display(path), others))
    alike = () if lines else similar(name, {canonical(mention.name) for mention in found})
    return Removed(name, tuple(taken), tuple(kept), tuple(masked), alike)
