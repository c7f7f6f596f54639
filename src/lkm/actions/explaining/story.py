"""The whole story of the modules that a name, an alias or a device leads to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lkm.actions.checking.check import check
from lkm.actions.describe import Description, describe
from lkm.actions.explaining.lines import lines_of
from lkm.actions.explaining.place import Place, place_of
from lkm.actions.explaining.pulls import Pull, pulls_of
from lkm.actions.finding.devices import aliases_of, claims_of_hardware, is_device
from lkm.actions.initramfs_drift import Drift, drift
from lkm.actions.load_names import looks_like_path, not_found
from lkm.actions.session import Session
from lkm.errors import LkmError, ModuleNotFound, UsageError
from lkm.formats.module_name import canonical
from lkm.rules.kernel_requests import device_alias_count, requests

if TYPE_CHECKING:
    from lkm.actions.checking.results import CheckResult
    from lkm.formats.proc_modules import LoadedModule
    from lkm.rules.effective_lines import EffectiveLine

__all__ = ["Explanation", "Story", "explain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One module.

    :param alias: the alias that led to it
    :param summary: what it says it is
    :param pulls: what asks for it on this system
    :param requests: when the kernel itself would ask for it, in words
    :param device_aliases: how many kinds of devices it claims
    :param lines: every line of the configuration that concerns it, with its effect
    :param loaded: how it is in the kernel; None where it is not
    :param asked_kernel: whether a kernel was asked if it is loaded
    :param since: it is there since then or longer; None where nobody can tell
    :param early: what the initramfs has of it; None where there is no module to be in it
    :param outcome: what would happen if it were loaded now; None where that can't be asked
    :param no_outcome: why it can't be asked
    """

    name: str
    place: Place
    lines: "tuple[EffectiveLine, ...]"
    alias: str | None = None
    summary: str = ""
    pulls: tuple[Pull, ...] = ()
    requests: tuple[str, ...] = ()
    device_aliases: int = 0
    loaded: "LoadedModule | None" = None
    asked_kernel: bool = True
    since: datetime | None = None
    early: Drift | None = None
    outcome: "CheckResult | None" = None
    no_outcome: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a subject leads to.

    :param asked: (alias, what it is) where the subject is a device
    """

    subject: str
    release: str
    asked: tuple[tuple[str, str], ...]
    stories: tuple[Story, ...]


def explain(session: Session, subject: str) -> Explanation:
    """Tell the story of each module that a subject leads to.

    :param subject: a module's name, an alias, or a device: a path of /sys or /dev, a number, a modalias
    :raises ModuleNotFound: it leads to no module, and no line of the configuration names it
    :raises UsageError: it is a file
    """
    session.tree.require_indexes()
    if is_device(subject) and not session.resolver.lookup(subject):
        asked = tuple(aliases_of(session, subject)) + tuple(_hardware(session, subject))
        found = [story for alias, _ in asked for story in _stories(session, alias)]
        if not found:
            shown = ", ".join(alias for alias, _ in asked) or "nothing"
            raise ModuleNotFound(
                f"no module claims {subject}",
                where=session.tree.display_directory,
                hint=f"the kernel asks for {shown}; another release may have a module for it: lkm find --release KVER",
            )
        return Explanation(subject, session.tree.release, asked, _once(found))
    if looks_like_path(subject):
        raise UsageError(
            f"{subject} is a file; explain takes the name of a module, an alias or a device",
            hint="to ask what a kernel does with a file: lkm check FILE; what is in it: lkm show FILE",
        )
    stories = _stories(session, subject)
    if not stories:
        stories = _absent(session, subject)
    return Explanation(subject, session.tree.release, (), _once(stories))


def _hardware(session: Session, subject: str) -> Iterator[tuple[str, str]]:
    """Give an alias for each module that claims a vendor's device."""
    for _, alias in claims_of_hardware(session, subject):
        yield alias, "an alias of such a device"


def _once(stories: list[Story]) -> tuple[Story, ...]:
    return tuple({story.name: story for story in reversed(stories)}.values())[::-1]


def _stories(session: Session, name: str) -> list[Story]:
    try:
        return [_story(session, description) for description in describe(session, name)]
    except ModuleNotFound:
        return []


def _absent(session: Session, subject: str) -> list[Story]:
    """Tell of a module that is not there what the configuration says of it.

    :raises ModuleNotFound: nothing names it
    """
    name = canonical(subject)
    lines = lines_of(session, name, None, builtin=False)
    if not lines:
        raise not_found(session, subject)
    place = Place("absent", None, None, f"there is no module of that name in {session.tree.display_directory}")
    return [Story(name=name, place=place, lines=lines, no_outcome="there is nothing to load")]


def _story(session: Session, description: Description) -> Story:
    name = description.name
    aliases = description.modinfo.all("alias")
    outcome, no_outcome = _outcome(session, description)
    return Story(
        name=name,
        alias=description.alias,
        summary=description.modinfo.first("description") or "",
        place=place_of(session, description),
        pulls=pulls_of(session, name),
        requests=requests(aliases),
        device_aliases=device_alias_count(aliases),
        lines=lines_of(session, name, description.alias, builtin=description.builtin),
        loaded=description.loaded,
        asked_kernel=session.kernel_is_of_root,
        since=_since(session, name) if description.loaded else None,
        early=None if description.builtin else drift(session, [name]),
        outcome=outcome,
        no_outcome=no_outcome,
    )


def _since(session: Session, name: str) -> datetime | None:
    """Give when the kernel's directory of a module was first looked at, which udev does as it is loaded.

    Source: fs/kernfs/inode.c ``kernfs_init_inode`` (6.1): an inode of sysfs has the time of its making.
    """
    if session.kernel_kind != "live":
        return None
    try:
        return datetime.fromtimestamp(session.root.stat(f"/sys/module/{name}").st_mtime, UTC)
    except LkmError:
        return None


def _outcome(session: Session, description: Description) -> "tuple[CheckResult | None, str]":
    try:
        report = check(session, [description.alias or description.name])
    except LkmError as error:
        return None, str(error)
    found = next((result for result in report.results if result.module == description.name), None)
    return found, "" if found else "; ".join(str(error) for error in report.unreadable)
