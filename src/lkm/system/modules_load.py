"""What is to be loaded at boot: modules-load.d, and the kernel command line's ``modules_load=``.

Facts: systemd 252, src/modules-load/modules-load.c and modules-load.d(5). Debian's /etc/modules is read through its
link in /etc/modules-load.d.
"""

import os
import stat
from collections.abc import Callable

from lkm.errors import Unreadable
from lkm.formats.kernel_cmdline import FILE, Cmdline
from lkm.formats.modules_load_conf import Entry, parse
from lkm.system.root import Root

__all__ = ["DIRECTORIES", "wanted_at_boot"]

DIRECTORIES = tuple(f"{home}/modules-load.d" for home in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"))
"""Of two files of one name the one in the earlier directory counts."""

_LARGEST_FILE = 16 << 20
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
    for path in _files(root):
        try:
            found += _entries(root, path)
        except Unreadable as error:
            tell(error)
    return tuple(found)


def _files(root: Root) -> list[str]:
    files: dict[str, str] = {}
    for directory in DIRECTORIES:
        for name in root.listdir(directory):
            if name.endswith(_EXTENSION) and not name.startswith("."):
                files.setdefault(name, f"{directory}/{name}")
    return [files[name] for name in sorted(files, key=os.fsencode)]


def _entries(root: Root, path: str) -> tuple[Entry, ...]:
    """Read a file; one that is masked by a link to /dev/null asks for nothing."""
    if stat.S_ISCHR(root.stat(path).st_mode):
        return ()
    return parse(root.read_bytes(path, limit=_LARGEST_FILE), root.display(path))
