"""Profiles that lkm keeps for itself, to gather them anew only when what they came from has changed."""

import contextlib
import os
import stat
from dataclasses import replace

from lkm.errors import LkmError
from lkm.system.atomic import write_atomically
from lkm.system.kernel_exports import find_module_exports
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_exports import ModuleExports
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_file import LARGEST_FILE, pack, unpack
from lkm.system.profile_gathering import GENERATION, stamp
from lkm.system.root import Root

__all__ = ["keep", "kept"]

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def kept(path: str, tree: ModuleTree) -> KernelProfile | None:
    """Give the profile that a file of lkm's own holds, or None where there is none that is current and to be trusted.

    :param path: of the host
    """
    try:
        if not _is_ours(path):
            return None
        found = unpack(Root().read_bytes(path, limit=LARGEST_FILE))
    except (OSError, LkmError):
        return None
    if found.profile.release != tree.release:
        return None
    if found.stamp == _stamp(tree):
        return found.profile
    if found.stamp == _stamp(tree, lazy=True):
        return replace(found.profile, module_exports=find_module_exports(tree))
    return None


def keep(path: str, tree: ModuleTree, profile: KernelProfile) -> None:
    """Keep a profile for the next time; silently not, where that is not possible.

    :param path: of the host; its directory must exist
    """
    lazy = isinstance(profile.module_exports, ModuleExports)  # what is dear to read is not read to be kept
    if lazy:
        profile = replace(profile, module_exports={})
    with contextlib.suppress(OSError):
        write_atomically(path, pack(profile, stamp=_stamp(tree, lazy=lazy), compressed=False))


def _is_ours(path: str) -> bool:
    """Tell whether nobody but this user and root can have written a file."""
    state = os.stat(path)  # noqa: PTH116  pathlib is dear at start-up
    return state.st_uid in {0, os.geteuid()} and not state.st_mode & _WRITABLE_BY_OTHERS


def _stamp(tree: ModuleTree, *, lazy: bool = False) -> list[object]:
    """Tell what a profile was gathered from, and whether what modules export is to be read when it is asked for."""
    return [GENERATION, tree.root.path, lazy, stamp(tree)]
