"""Finding the module files below a directory, in the order in which depmod meets them.

Facts: kmod 30, tools/depmod.c ``depmod_modules_search_dir``: entries come as the file system lists them, a directory's
contents where the directory stands; links are followed.
"""

import os
import stat
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from lkm.errors import RootError
from lkm.formats.module_name import EXTENSIONS, from_path
from lkm.system.notices import Level, Notice
from lkm.system.root import Root

__all__ = ["FoundFile", "walk"]

_ALWAYS_SKIPPED = ("build", "source")


class FoundFile(NamedTuple):
    """A module file.

    :param directory: where it is, as kmod would name it, without a slash at its end
    :param file: its name in there
    :param name: the module's name
    :param host: the path by which to open it
    """

    directory: str
    file: str
    name: str
    host: str

    @property
    def path(self) -> str:
        """The path as kmod names it."""
        return f"{self.directory}/{self.file}"


class _Directory(NamedTuple):
    entries: "Iterator[os.DirEntry[str]]"
    shown: str
    host: str


def walk(
    root: Root, inside: str, shown: str, exclude: Collection[str], say: Callable[[Notice], None]
) -> list[FoundFile]:
    """List the module files below a directory.

    :param inside: the directory, absolute inside the root
    :param shown: the same as kmod names it
    :param exclude: names that are passed over, besides ``build`` and ``source``
    :param say: is told what can't be read
    :raises OSError: the directory itself can't be read
    """
    skipped = {*_ALWAYS_SKIPPED, *exclude}
    host = root.host_path(inside)
    found: list[FoundFile] = []
    add = found.append
    open_directories = [_Directory(os.scandir(host), shown, host)]
    while open_directories:
        entries, shown, host = open_directories[-1]
        for entry in entries:
            name = entry.name
            if name in skipped:
                continue
            if entry.is_file(follow_symlinks=False):
                if name.endswith(EXTENSIONS) and name not in EXTENSIONS:
                    add(FoundFile(shown, name, from_path(name), entry.path))
                continue
            directory = _below(root, entry, open_directories, add, say)
            if directory:
                open_directories.append(directory)
                break
        else:
            open_directories.pop()
    return found


def _below(
    root: Root,
    entry: "os.DirEntry[str]",
    above: list[_Directory],
    add: Callable[[FoundFile], None],
    say: Callable[[Notice], None],
) -> _Directory | None:
    """Deal with what is no plain file: open a directory, follow a link."""
    shown, name = above[-1].shown, entry.name
    try:
        host = _followed(root, entry)
        state = os.stat(host)  # noqa: PTH116  pathlib is dear at start-up
    except (OSError, RootError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.what
        say(Notice(Level.ERROR, f"fstatat({shown}, {name}): {reason}"))
        return None
    if stat.S_ISREG(state.st_mode):
        if name.endswith(EXTENSIONS) and name not in EXTENSIONS:
            add(FoundFile(shown, name, from_path(name), host))
        return None
    if not stat.S_ISDIR(state.st_mode):
        say(Notice(Level.ERROR, f"unsupported file type {shown}/{name}: {stat.S_IFMT(state.st_mode):o}"))
        return None
    if entry.is_symlink() and any(os.path.samestat(state, os.stat(one.host)) for one in above):  # noqa: PTH116
        return None  # a link to a directory that it is in
    try:
        return _Directory(os.scandir(host), f"{shown}/{name}", host)
    except OSError as error:
        say(Notice(Level.ERROR, f"openat({shown}, {name}, O_RDONLY): {error.strerror}"))
        return None


def _followed(root: Root, entry: "os.DirEntry[str]") -> str:
    if root.is_host or not entry.is_symlink():
        return entry.path
    return root.host_path(entry.path.removeprefix(root.prefix))
