"""What is to be loaded at boot, what asks for it, and what does not count."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lkm.actions.boot.resolving import BootResolver, Resolved
from lkm.actions.session import Session
from lkm.errors import LkmError, Unreadable
from lkm.formats.kernel_cmdline import FILE, Cmdline
from lkm.formats.module_name import canonical
from lkm.system.modules_load import BootFile, boot_files, entries_of

__all__ = ["BootEntry", "BootList", "HiddenFile", "Mention", "list_boot", "mentions"]

_DEBIANS_FILE = "/etc/modules"


@dataclass(frozen=True, slots=True)
class Mention:
    """A line that asks for a module at boot and counts.

    :param name: as written
    :param file: the file of modules-load.d; None for the kernel command line
    :param where: file and line, to show to people
    :param line: from 1
    """

    name: str
    file: BootFile | None
    where: str
    line: int


@dataclass(frozen=True, slots=True)
class BootEntry:
    """A mention, and what comes of it.

    :param loaded: whether it is in the kernel now; None where that is not known
    :param also: where it was asked for before
    """

    mention: Mention
    resolved: Resolved
    loaded: bool | None
    also: str


@dataclass(frozen=True, slots=True)
class HiddenFile:
    """A file that does not count.

    :param path: to show to people
    :param by: the file of the same name that is read in its place, to show to people
    :param masked: that is a link to /dev/null
    :param names: what it would ask for
    """

    path: str
    by: str
    masked: bool
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BootList:
    """All of it.

    :param problems: what can't be read, and other things to know
    """

    entries: tuple[BootEntry, ...]
    hidden: tuple[HiddenFile, ...]
    problems: tuple[str, ...]


def list_boot(session: Session) -> BootList:
    """List what is to be loaded at boot, in systemd-modules-load's order."""
    resolver = BootResolver(session)
    problems: list[str] = [str(resolver.problem)] if resolver.problem else []
    found = tuple(mentions(session, resolver, lambda error: problems.append(str(error))))
    hidden = tuple(_hidden(session, problems))
    problems += _unread_by_systemd(session)
    return BootList(tuple(_judged(session, resolver, found)), hidden, tuple(problems))


def mentions(
    session: Session, resolver: BootResolver, tell: Callable[[Unreadable], None] = lambda _: None
) -> Iterator[Mention]:
    """Go through the lines that count: the kernel command line's first, then the files by base name.

    :param tell: is told of each file that can't be read
    """
    for value in Cmdline(resolver.cmdline).values("modules_load"):
        for name in filter(None, (value or "").split(",")):
            yield Mention(name, None, f"{resolver.cmdline_file or FILE}", 1)
    for file in boot_files(session.root):
        if file.hidden_by is None:
            try:
                entries = entries_of(session.root, file)
            except Unreadable as error:
                tell(error)
                continue
            yield from (Mention(entry.name, file, f"{entry.file}:{entry.line}", entry.line) for entry in entries)


def _judged(session: Session, resolver: BootResolver, found: tuple[Mention, ...]) -> Iterator[BootEntry]:
    loaded = _loaded(session)
    first: dict[str, str] = {}
    answers: dict[str, Resolved] = {}
    for mention in found:
        key = canonical(mention.name)
        if key not in answers:
            answers[key] = resolver.resolve(mention.name)
        modules = answers[key].modules
        yield BootEntry(
            mention,
            answers[key],
            None if loaded is None or not modules else loaded.issuperset(modules),
            first.get(key, ""),
        )
        first.setdefault(key, mention.where)


def _loaded(session: Session) -> frozenset[str] | None:
    if not session.kernel_is_of_root:
        return None
    try:
        return frozenset(module.name for module in session.kernel.loaded())
    except LkmError:
        return None


def _hidden(session: Session, problems: list[str]) -> Iterator[HiddenFile]:
    files = boot_files(session.root)
    masked = {file.path for file in files if file.masked}
    for file in files:
        if file.hidden_by is None:
            continue
        try:
            names = tuple(entry.name for entry in entries_of(session.root, file))
        except Unreadable as error:
            problems.append(str(error))
            names = ()
        display = session.root.display
        yield HiddenFile(display(file.path), display(file.hidden_by), file.hidden_by in masked, names)


def _unread_by_systemd(session: Session) -> Iterator[str]:
    """Tell of /etc/modules where no link in modules-load.d leads to it: then only other inits read it."""
    root = session.root
    if not root.is_file(_DEBIANS_FILE):
        return
    wanted = root.find(_DEBIANS_FILE)
    try:
        text = root.read_text(_DEBIANS_FILE, limit=1 << 20)
        same = root.stat(_DEBIANS_FILE)
        linked = any(
            (root.stat(file.path).st_dev, root.stat(file.path).st_ino) == (same.st_dev, same.st_ino)
            for file in boot_files(root)
            if not file.masked and root.exists(file.path)
        )
    except LkmError as error:
        yield str(error)
        return
    if wanted and not linked and any(line.strip() and not line.startswith("#") for line in text.split("\n")):
        yield f"{root.display(_DEBIANS_FILE)} is not read by systemd: no link in /etc/modules-load.d leads to it"
