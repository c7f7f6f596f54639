"""Which files are to be signed: those that words and directories lead to, each once, links followed."""

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lkm.actions.load_names import file_for, looks_like_path, not_found
from lkm.errors import BuiltIn, LkmError, Unreadable, UsageError
from lkm.system.module_walk import walk
from lkm.system.root import Root

if TYPE_CHECKING:
    from lkm.actions.session import Session

__all__ = ["Subject", "Subjects", "below", "named"]

_CLOSED = "openat("  # so begins what is said of a directory that can't be read, as kmod says it


class Subject(NamedTuple):
    """A file.

    :param path: of the host, no link
    :param relative: its path below the directory that was searched; else its name
    :param size: in bytes
    :param other_names: how many hard links to it there are besides those among the subjects
    """

    path: str
    relative: str
    size: int
    other_names: int


class Subjects(NamedTuple):
    """What was found.

    :param failures: what can't be found or reached
    :param notes: links that lead nowhere, and the like
    """

    files: tuple[Subject, ...]
    failures: tuple[LkmError, ...] = ()
    notes: tuple[str, ...] = ()


def named(session: "Session", words: Sequence[str]) -> Subjects:
    """Find what names and paths of files lead to.

    :param words: module files of the host, or names and aliases of modules of the session's tree
    """
    found: list[tuple[str, str]] = []
    failures: list[LkmError] = []
    for word in words:
        try:
            found += [(path, os.path.basename(path)) for path in _paths(session, word)]  # noqa: PTH119  pathlib is dear
        except LkmError as error:
            if str(error) not in map(str, failures):  # of a tree that is missing, once
                failures.append(error)
    return _once(found, failures)


def _paths(session: "Session", word: str) -> list[str]:
    if looks_like_path(word):
        root, inside = _placed(session, file_for(word).path)
        return [_real(root, inside)]
    session.tree.require_indexes()
    candidates = session.resolver.lookup(word)
    if not candidates:
        raise not_found(session, word)
    files = [session.resolver.module_file(candidate) for candidate in candidates]
    found = [_real(file.root, file.path) for file in files if file is not None]
    if not found:
        raise BuiltIn(f"{word} is part of the kernel image: it has no file to sign")
    return found


def below(session: "Session", directory: str | None) -> Subjects:
    """Find all module files below a directory, besides ``build`` and ``source``.

    :param directory: of the host; None for the session's module tree
    :raises Unreadable: it can't be read, or holds no module
    """
    if directory is None:
        tree = session.tree
        if not tree.root.is_dir(tree.directory):
            tree.require_indexes()  # says so, and which trees there are
        root, inside = tree.root, tree.directory
    elif not directory:
        raise UsageError("names no directory", where="--tree", hint="of a release: --release KVER --tree")
    else:
        root, inside = _placed(session, os.path.abspath(directory))  # noqa: PTH100  pathlib is dear
    shown = root.display(inside)
    notices: list[str] = []
    try:
        found = walk(root, inside, shown, (), lambda notice: notices.append(notice.text))
    except OSError as error:
        raise Unreadable((error.strerror or str(error)).lower(), where=shown) from error
    if not found:
        hint = "module files end in .ko, .ko.gz, .ko.xz or .ko.zst"
        raise Unreadable("holds no modules", where=shown, hint=hint)
    real = _Real(root)
    failures: list[LkmError] = [Unreadable(text) for text in notices if text.startswith(_CLOSED)]
    pairs = [(real.path(file.host), file.path[len(shown) :].lstrip("/")) for file in found]
    subjects = _once(sorted(pairs, key=_own_names_first), failures)
    return subjects._replace(notes=tuple(text for text in notices if not text.startswith(_CLOSED)))


def _placed(session: "Session", path: str) -> tuple[Root, str]:
    """Take a path of the host for one of the session's root where it lies in there: links lead nowhere else then."""
    root = session.root
    if not root.is_host and path.startswith(f"{root.path}/"):
        return root, path.removeprefix(root.path)
    return Root(), path


def _real(root: Root, inside: str) -> str:
    return os.path.realpath(root.host_path(inside)) if root.is_host else root.host_path(inside)


def _own_names_first(pair: tuple[str, str]) -> tuple[bool, str]:
    """Of the names of a file its own goes before those of links to it."""
    path, relative = pair
    return not path.endswith(f"/{relative.rpartition('/')[2]}"), relative


class _Real:
    """Real paths of many files of few directories."""

    __slots__ = ("_directories", "_root")

    def __init__(self, root: Root) -> None:
        self._root = root
        self._directories: dict[str, str] = {}

    def path(self, host: str) -> str:
        """Follow links, which of other roots is already done."""
        if not self._root.is_host:
            return host
        directory, name = os.path.split(host)
        if os.path.islink(host):  # noqa: PTH114  pathlib is dear
            return os.path.realpath(host)
        if directory not in self._directories:
            self._directories[directory] = os.path.realpath(directory)
        return f"{self._directories[directory].rstrip('/')}/{name}"


def _once(found: Iterable[tuple[str, str]], failures: list[LkmError]) -> Subjects:
    """Keep each file once, however many links lead to it, and stat it."""
    files = dict(reversed(list(found)))
    states = {path: state for path in reversed(files) if (state := _stat(path, failures))}
    same = Counter((state.st_dev, state.st_ino) for state in states.values())
    return Subjects(tuple(_subjects(states, files, same)), tuple(failures))


def _subjects(
    states: dict[str, os.stat_result], files: dict[str, str], same: Counter[tuple[int, int]]
) -> Iterator[Subject]:
    for path, state in states.items():
        others = state.st_nlink - same[state.st_dev, state.st_ino] if stat.S_ISREG(state.st_mode) else 0
        yield Subject(path, files[path], state.st_size, others)


def _stat(path: str, failures: list[LkmError]) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116  pathlib is dear
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        failures.append(Unreadable((reason or str(error)).lower(), where=path))
        return None
