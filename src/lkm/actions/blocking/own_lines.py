"""The lines by which lkm keeps modules out, in files of its own.

A ``blacklist`` line stops aliases and devices, an ``install`` line everything else that goes through modprobe. kmod
drops an install line where a softdep line asks for anything; of several softdep lines it heeds the first: an empty one,
read before all others, makes the install line count (kmod 30, libkmod/libkmod-module.c ``__kmod_module_fill_softdep``,
``kmod_module_get_softdeps``).
"""

from collections.abc import Collection, Iterable

from lkm.formats.line_editing import edited
from lkm.formats.modprobe_conf import Blacklist, Install, Softdep, parse
from lkm.formats.own_files import MODPROBE, RUN_MODPROBE, mark_for, own_path

__all__ = [
    "ALLOW_ONLY_FILE",
    "BLOCK_FILE",
    "OWN_FILES",
    "UNTIL_REBOOT_FILE",
    "blocked_in",
    "lines_for",
    "with_blocked",
    "without",
]

BLOCK_FILE = own_path(MODPROBE, "blocked", prefix="00-")
UNTIL_REBOOT_FILE = own_path(RUN_MODPROBE, "blocked-until-reboot", prefix="00-")
ALLOW_ONLY_FILE = own_path(MODPROBE, "allow-only", prefix="00-")
OWN_FILES = (BLOCK_FILE, UNTIL_REBOOT_FILE, ALLOW_ONLY_FILE)

_COMMAND = "/bin/false"
_HEADER = b"# modprobe refuses these modules. To allow one again: lkm unblock NAME\n"


def lines_for(name: str, *, with_softdep: bool = True) -> tuple[str, ...]:
    """Give the lines that keep one module out.

    :param with_softdep: also the one that makes the install line count whatever softdep lines there are
    """
    lines = f"blacklist {name}", f"install {name} {_COMMAND}"
    return (*lines, f"softdep {name} pre:") if with_softdep else lines


def blocked_in(contents: bytes) -> tuple[str, ...]:
    """Name the modules that a file of ours has a line about, in their order; somebody may have taken out others."""
    directives, _ = parse(contents, "")
    return tuple(dict.fromkeys(line.module for line in directives if isinstance(line, Blacklist | Install | Softdep)))


def with_blocked(contents: bytes, names: Iterable[str]) -> bytes:
    """Add modules to a file; the lines that it has stay as they are.

    :param contents: empty where there is no file
    """
    there = set(contents.decode("utf-8", "surrogateescape").split("\n"))
    wanted = [line for name in names for line in lines_for(name) if line not in there]
    return edited(contents or mark_for("lkm block") + _HEADER, appended=wanted)


def without(contents: bytes, names: Collection[str]) -> bytes | None:
    """Take modules out of a file.

    :returns: None where no module is left: the file can go
    """
    directives, _ = parse(contents, "")
    gone = [
        line.line for line in directives if isinstance(line, Blacklist | Install | Softdep) and line.module in names
    ]
    rest = edited(contents, dropped=gone)
    return rest if parse(rest, "")[0] else None
