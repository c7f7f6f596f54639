"""The files of modprobe.d that don't count: hidden by another of their name, masked, or of a name that nobody reads.

Facts: kmod 30, libkmod/libkmod-config.c ``conf_files_list`` and ``conf_files_filter_out``; modprobe.d(5).
"""

from typing import NamedTuple

from lkm.errors import LkmError
from lkm.formats.modprobe_conf import Directive, parse
from lkm.system.configuration import LARGEST_FILE
from lkm.system.configuration_directories import directories, is_mask
from lkm.system.root import Root

__all__ = ["UnreadFile", "unread_files"]

_EXTENSIONS = (".conf", ".alias")
_MOST_FILES = 1000  # of one directory


class UnreadFile(NamedTuple):
    """A file of modprobe.d that modprobe does not read.

    :param path: inside the root
    :param hidden_by: the file of the same name in an earlier directory, which is read in its place; None where its own
        name is the reason
    :param masked: the file that hides it is empty by purpose: a link to /dev/null
    :param directives: what stands in it
    """

    path: str
    hidden_by: str | None
    masked: bool
    directives: tuple[Directive, ...]


def unread_files(root: Root) -> tuple[UnreadFile, ...]:
    """List them, in the order of their directories."""
    read: dict[str, str] = {}
    found: list[UnreadFile] = []
    for directory in directories(root, "modprobe.d"):
        for name in _names(root, directory):
            path = f"{directory}/{name}"
            if not name.endswith(_EXTENSIONS):
                found.append(UnreadFile(path, None, masked=False, directives=_directives(root, path)))
            elif name in read:
                by = read[name]
                found.append(UnreadFile(path, by, is_mask(root, by), _directives(root, path)))
            else:
                read[name] = path
    return tuple(found)


def _names(root: Root, directory: str) -> list[str]:
    try:
        names = [name for name in root.listdir(directory) if not name.startswith(".")]
    except LkmError:
        return []
    return [name for name in names[:_MOST_FILES] if not root.is_dir(f"{directory}/{name}")]


def _directives(root: Root, path: str) -> tuple[Directive, ...]:
    try:
        return parse(root.read_bytes(path, limit=LARGEST_FILE), root.display(path))[0]
    except LkmError:
        return ()
