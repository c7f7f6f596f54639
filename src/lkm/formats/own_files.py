"""The configuration files that are lkm's own: known by place, name, and a mark in their first line.

The other files of modprobe.d and modules-load.d belong to packages and to the administrator: lkm only reads them.
"""

import re

__all__ = [
    "DIRECTORIES",
    "MODPROBE",
    "MODULES_LOAD",
    "RUN_MODPROBE",
    "is_marked",
    "is_mask_path",
    "is_own_name",
    "is_own_path",
    "mark_for",
    "own_path",
]

MODPROBE = "/etc/modprobe.d"
MODULES_LOAD = "/etc/modules-load.d"
RUN_MODPROBE = "/run/modprobe.d"
DIRECTORIES = (MODPROBE, MODULES_LOAD, RUN_MODPROBE)
"""Where lkm keeps files."""

_MARK = b"# Kept by lkm"
# Files are read in the order of their names: the prefixes let one of ours come before or behind all others.
_OWN_NAME = re.compile(r"(?:00-|zz-)?lkm-[a-z0-9][a-z0-9-]{0,63}\.conf")
_MASKABLE_NAME = re.compile(r"[A-Za-z0-9_@+:-][A-Za-z0-9_.@+:-]{0,240}\.conf")


def own_path(directory: str, subject: str, *, prefix: str = "") -> str:
    """Give the path of one of lkm's files.

    :param directory: one of :data:`DIRECTORIES`
    :param subject: what it is about, in small letters, as in ``parameters``
    :param prefix: ``00-`` to be read before, or ``zz-`` to be read behind nearly all other files
    """
    return f"{directory}/{prefix}lkm-{subject}.conf"


def mark_for(verb: str) -> bytes:
    """Give the first line of a file of lkm's.

    :param verb: the verb that keeps the file, as in ``lkm boot``
    """
    return _MARK + f" ({verb}). Without this line lkm leaves the file alone.\n".encode()


def is_own_path(path: str) -> bool:
    """Tell whether a path, inside the root, is that of a file which lkm may write."""
    directory, _, name = path.rpartition("/")
    return directory in DIRECTORIES and _OWN_NAME.fullmatch(name) is not None


def is_own_name(file: str) -> bool:
    """Tell whether a file has a name as lkm's have, in whatever directory, as told to people."""
    return _OWN_NAME.fullmatch(file.rpartition("/")[2]) is not None


def is_mask_path(path: str) -> bool:
    """Tell whether a path is one where lkm may put a link to /dev/null, which hides a file of the same name."""
    directory, _, name = path.rpartition("/")
    return directory in DIRECTORIES and _MASKABLE_NAME.fullmatch(name) is not None


def is_marked(contents: bytes) -> bool:
    """Tell whether the first line of a file is lkm's mark."""
    return contents.split(b"\n", 1)[0].startswith(_MARK)
