"""depmod.d: which files count, and what they say (kmod 30, tools/depmod.c ``cfg_load``)."""

import os
import stat
from collections.abc import Callable, Iterable

from lkm.errors import Unreadable
from lkm.formats.depmod_conf import DepmodConf, parse
from lkm.system.configuration_directories import directories
from lkm.system.notices import Level, Notice
from lkm.system.root import Root

__all__ = ["read_depmod_d"]

_LARGEST_FILE = 16 << 20
_SHORTEST_NAME = len("a.conf")


def read_depmod_d(root: Root, paths: Iterable[str] | None, say: Callable[[Notice], None]) -> DepmodConf:
    """Read all files, in the order of their base names.

    :param paths: files and directories in place of the usual ones (``-C``), absolute inside the root
    :param say: is told what is ignored
    """
    files: dict[str, str] = {}
    for path in directories(root, "depmod.d") if paths is None else paths:
        try:
            is_directory = stat.S_ISDIR(root.stat(path).st_mode)
        except Unreadable:
            continue
        if is_directory:
            for name in _names(root, path, say):
                files.setdefault(name, f"{path}/{name}")
        else:
            files.setdefault(path.rsplit("/", 1)[-1], path)
    configuration = DepmodConf()
    for name in sorted(files, key=os.fsencode):
        shown = root.display(files[name])
        try:
            found, bad = parse(root.read_bytes(files[name], limit=_LARGEST_FILE))
        except Unreadable as error:
            say(Notice(Level.ERROR, f"file parse {shown}: {error.what}"))
            continue
        configuration = configuration.followed_by(found)
        for line in bad:
            say(Notice(Level.ERROR, f"{shown}:{line.line}: ignoring bad line starting with '{line.command}'"))
    return configuration


def _names(root: Root, directory: str, say: Callable[[Notice], None]) -> list[str]:
    names = []
    for name in root.listdir(directory):
        if name.startswith(".") or len(name) < _SHORTEST_NAME or not name.endswith(".conf"):
            continue
        if root.is_dir(f"{directory}/{name}"):
            where = root.display(directory)
            say(Notice(Level.ERROR, f"Directories inside directories are not supported: {where}/{name}"))
            continue
        names.append(name)
    return names
