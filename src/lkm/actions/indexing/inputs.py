"""What indexes are made from: which files count, what tells whether they have changed, and what goes with them."""

import os
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from lkm.errors import RootError, TreeMissing, Unreadable
from lkm.formats.depmod_conf import DepmodConf
from lkm.rules.indexing.choice import Preference
from lkm.system.module_walk import FoundFile, walk
from lkm.system.notices import Level, Notice
from lkm.system.root import Root

__all__ = ["INPUTS", "Identity", "chosen_files", "identify", "is_up_to_date", "read_input", "states"]

INPUTS = ("modules.order", "modules.builtin", "modules.builtin.modinfo")
"""Files of the kernel's build that the indexes depend on."""

_SETTLED_NS = 100_000_000  # file systems count time in ticks; what changed so lately may change again unseen


class Identity(NamedTuple):
    """What tells that a file is still the same.

    :param key: path, size, times of the last change of contents and of the inode in ns, inode
    :param is_settled: the last change is not so recent that another could go unnoticed
    """

    key: bytes
    size: int
    is_settled: bool


def chosen_files(
    root: Root, directory: str, shown: str, configuration: DepmodConf, say: Callable[[Notice], None]
) -> list[FoundFile]:
    """Find the module files of a tree, and those outside of it that depmod.d names; one for each name of a module.

    :param directory: the tree inside the root
    :param shown: the same as kmod names it
    :raises TreeMissing: the tree can't be read
    """
    preference = Preference(configuration, shown)
    try:
        found = walk(root, directory, shown, configuration.exclude, say)
    except (OSError, RootError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.what
        raise TreeMissing(f"could not open directory {shown}: {reason}") from error
    for external in dict.fromkeys(one.directory for one in configuration.externals[::-1]):
        try:
            found += walk(root, external, root.display(external), configuration.exclude, say)
        except (OSError, RootError) as error:
            reason = error.strerror if isinstance(error, OSError) else error.what
            say(Notice(Level.ERROR, f"could not open directory {root.display(external)}: {reason}"))
    chosen: dict[str, FoundFile] = {}
    for one in found:
        known = chosen.get(one.name)
        if known is None or not preference.keeps(known, one):
            chosen[one.name] = one
    return list(chosen.values())


def identify(files: Iterable[FoundFile]) -> list[Identity]:
    """Look at each file; one that can't be looked at is never the same."""
    limit = time.time_ns() - _SETTLED_NS
    return [_identity(one.host, limit) for one in files]


def _identity(path: str, limit: int) -> Identity:
    try:
        state = os.stat(path)  # noqa: PTH116  pathlib is dear at start-up
    except OSError:
        return Identity(b"", 0, is_settled=False)
    changed, size = state.st_ctime_ns, state.st_size
    key = f"{size} {state.st_mtime_ns} {changed} {state.st_ino} {path}".encode("utf-8", "surrogateescape")
    return Identity(key, size, changed < limit)


def is_up_to_date(root: Root, directory: str, output: str, configuration: DepmodConf) -> bool:
    """Tell whether modules.dep names just the modules of a tree, and none is newer (``depmod -A``).

    kmod 30 compares the times in seconds, and those alone: it misses a module that is gone, or came with an old date.

    :param output: the host's directory in which modules.dep is
    """
    try:
        written = os.stat(f"{output}/modules.dep").st_mtime_ns  # noqa: PTH116  (as above)
        with open(f"{output}/modules.dep", "rb") as file:  # noqa: PTH123
            rows = {line.partition(b":")[0] for line in file if b":" in line}
        files = chosen_files(root, directory, directory, configuration, lambda _: None)
        newest = max((os.stat(one.host).st_mtime_ns for one in files), default=0)  # noqa: PTH116
    except (OSError, TreeMissing):
        return False
    names = {os.fsencode(one.path.removeprefix(f"{directory}/")) for one in files}
    return newest // 10**9 <= written // 10**9 and rows == names


def read_input(root: Root, directory: str, shown: str, name: str, say: Callable[[Notice], None]) -> bytes | None:
    """Read a file of the kernel's build; that it is missing is said."""
    try:
        return root.read_bytes(f"{directory}/{name}")
    except Unreadable as error:
        reason = error.__cause__.strerror if isinstance(error.__cause__, OSError) else error.what
        say(Notice(Level.WARNING, f"could not open {name} at {shown}: {reason}"))
        return None


def states(directory: str, names: Iterable[str]) -> bytes:
    """Tell what files of a directory look like from outside, as text."""
    limit = time.time_ns()
    return b"\n".join(_identity(f"{directory}/{name}", limit).key for name in names)
