"""What is to be loaded at boot: modules-load.d, and the kernel command line's ``modules_load=``.

Facts: systemd 252, src/modules-load/modules-load.c and modules-load.d(5). Debian's /etc/modules is read through its
link in /etc/modules-load.d. Of two files of one name the one in the earlier directory counts.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

from lkm.errors import Unreadable
from lkm.formats.kernel_cmdline import FILE, Cmdline
from lkm.formats.modules_load_conf import Entry, parse
from lkm.system.configuration_directories import directories, is_mask
from lkm.system.root import Root

__all__ = ["BootFile", "boot_files", "entries_of", "wanted_at_boot"]

_LARGEST_FILE = 1 << 20  # bytes
_EXTENSION = ".conf"


def wanted_at_boot(
    root: Root, cmdline: str = "", *, tell: Callable[[Unreadable], None] = lambda _: None
) -> tuple[Entry, ...]:
    """List what systemd-modules-load would load, in its order: the command line first, then files by base name.

    :param cmdline: the kernel command line
    :param tell: is told of each file that can't be read
    """
    found = [
        Entry(name, FILE, 1)
        for value in Cmdline(cmdline).values("modules_load")
        for name in (value or "").split(",")
        if name
    ]
    for file in boot_files(root):
        try:
            found += entries_of(root, file) if file.hidden_by is None else ()
        except Unreadable as error:
            tell(error)
    return tuple(found)


class BootFile(NamedTuple):
    """A file of modules-load.d.

    :param path: inside the root
    :param hidden_by: the file of the same name in an earlier directory, which is read in its place; None where this one
        counts
    :param masked: it is empty by purpose: a link to /dev/null
    """

    path: str
    hidden_by: str | None
    masked: bool


def boot_files(root: Root) -> tuple[BootFile, ...]:
    """List all files of modules-load.d by base name, those of one name in the order in which they are looked for."""
    found: dict[str, list[BootFile]] = {}
    for directory in _directories(root):
        for name in root.listdir(directory):
            if name.endswith(_EXTENSION) and not name.startswith("."):
                path = f"{directory}/{name}"
                same = found.setdefault(name, [])
                same.append(BootFile(path, same[0].path if same else None, is_mask(root, path)))
    return tuple(file for name in sorted(found, key=os.fsencode) for file in found[name])


def _directories(root: Root) -> tuple[str, ...]:
    """Give the directories; where /lib is a link to /usr/lib, the latter is named, as systemd names it."""
    found = directories(root, "modules-load.d")
    merged = "/usr/lib/modules-load.d"
    return found if merged in found else (*found[:-1], merged)


def entries_of(root: Root, file: BootFile) -> tuple[Entry, ...]:
    """Read what a file asks for, whether it counts or not; a mask asks for nothing.

    :raises Unreadable: it can't be read
    """
    if file.masked:
        return ()
    return parse(root.read_bytes(file.path, limit=_LARGEST_FILE), root.display(file.path))
