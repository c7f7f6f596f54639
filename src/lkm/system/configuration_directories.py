"""Where modprobe.d, depmod.d and modules-load.d are looked for."""

import os
import stat

from lkm.errors import RootError, Unreadable
from lkm.system.root import Root

__all__ = ["HOMES", "directories", "is_mask"]

HOMES = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
"""What the directories are below; of two files of one name the one in the earlier directory counts.

kmod 30 does not know /usr/lib, kmod 31 and later do (``DISTCONFDIR``, libkmod/libkmod.c ``default_config_paths``).
"""


def directories(root: Root, kind: str) -> tuple[str, ...]:
    """Give the directories of a kind, inside the root.

    Where /lib is a link to /usr/lib, as in most distributions, only /lib is named, as kmod 30 names it: no file is met
    twice, or under two names.

    :param kind: ``modprobe.d``, ``depmod.d`` or ``modules-load.d``
    """
    usr_merged = _same(root, f"/usr/lib/{kind}", f"/lib/{kind}")
    return tuple(f"{home}/{kind}" for home in HOMES if home != "/usr/lib" or not usr_merged)


def _same(root: Root, one: str, other: str) -> bool:
    try:
        return os.path.samestat(root.stat(one), root.stat(other))
    except (RootError, Unreadable):
        return False


def is_mask(root: Root, path: str) -> bool:
    """Tell whether a file is a link to /dev/null, made to hide one of its name in a later directory."""
    directory, _, name = path.rpartition("/")
    try:
        if stat.S_ISCHR(root.stat(path).st_mode):
            return True
    except (RootError, Unreadable):
        pass  # an image need not have a /dev/null
    try:
        return os.readlink(f"{root.host_path(directory)}/{name}") == "/dev/null"  # noqa: PTH115  (as above)
    except (OSError, RootError):
        return False
