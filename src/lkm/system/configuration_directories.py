"""Where modprobe.d and depmod.d are looked for."""

import os

from lkm.errors import RootError, Unreadable
from lkm.system.root import Root

__all__ = ["HOMES", "directories"]

HOMES = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
"""What the directories are below; of two files of one name the one in the earlier directory counts.

kmod 30 does not know /usr/lib, kmod 31 and later do (``DISTCONFDIR``, libkmod/libkmod.c ``default_config_paths``).
"""


def directories(root: Root, kind: str) -> tuple[str, ...]:
    """Give the directories of a kind, inside the root.

    Where /lib is a link to /usr/lib, as in most distributions, only /lib is named, as kmod 30 names it: no file is met
    twice, or under two names.

    :param kind: ``modprobe.d`` or ``depmod.d``
    """
    usr_merged = _same(root, f"/usr/lib/{kind}", f"/lib/{kind}")
    return tuple(f"{home}/{kind}" for home in HOMES if home != "/usr/lib" or not usr_merged)


def _same(root: Root, one: str, other: str) -> bool:
    try:
        return os.path.samestat(root.stat(one), root.stat(other))
    except (RootError, Unreadable):
        return False
