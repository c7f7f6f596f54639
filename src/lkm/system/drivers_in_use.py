"""Which modules drive the disks, network interfaces and consoles of a running system, as sysfs shows them.

Facts: Documentation/ABI/testing/sysfs-bus-* and sysfs-class-net, Documentation/filesystems/sysfs.rst of Linux 6.1.
"""

import os
from collections.abc import Iterator

from lkm.errors import LkmError
from lkm.formats import mountinfo
from lkm.formats.module_name import canonical
from lkm.formats.mountinfo import Mounted
from lkm.system.root import Root

__all__ = ["block_device_modules", "console_modules", "mounts", "network_modules"]

_LIMIT = 1 << 20  # bytes of a file of /proc or /sys
_DEEPEST = 32  # devices above one another, and device mappings upon device mappings
_CONSOLES = ("/sys/class/graphics", "/sys/class/drm", "/sys/class/input")


def mounts(root: Root) -> tuple[Mounted, ...]:
    """List what is mounted; nothing where /proc is not."""
    return mountinfo.parse(_text(root, "/proc/self/mountinfo"))


def block_device_modules(root: Root, number: str) -> Iterator[str]:
    """Name the modules that drive a block device and what it hangs on.

    :param number: ``major:minor``
    """
    pending = [f"/sys/dev/block/{number}"]
    seen: set[str] = set()
    while pending and len(seen) < _DEEPEST:
        place = _real(root, pending.pop())
        if place is None or place in seen:
            continue
        seen.add(place)
        yield from _drivers_above(root, place)
        for directory in (place, place.rpartition("/")[0]):  # a partition's disk has them
            pending += [f"{directory}/slaves/{name}" for name in root.listdir(f"{directory}/slaves")]


def network_modules(root: Root) -> Iterator[tuple[str, str, str | None]]:
    """Name what drives the network interfaces that are up: (interface, module, None) or (interface, "", its kind).

    The kind, such as ``bridge``, is that of an interface which no device is behind.
    """
    for name in root.listdir("/sys/class/net"):
        place = f"/sys/class/net/{name}"
        if name == "lo" or _text(root, f"{place}/operstate").strip() not in {"up", "unknown"}:
            continue
        kind = next(
            (line[8:] for line in _text(root, f"{place}/uevent").split("\n") if line.startswith("DEVTYPE=")), None
        )
        if kind:
            yield name, "", kind
        real = _real(root, f"{place}/device")
        for module in _drivers_above(root, real) if real else ():
            yield name, module, None


def console_modules(root: Root) -> Iterator[tuple[str, str]]:
    """Name what drives consoles, screens and keyboards: (device, module)."""
    consoles = [f"/sys/class/tty/{name}" for name in _text(root, "/sys/class/tty/console/active").split()]
    for home in _CONSOLES:
        consoles += [f"{home}/{name}" for name in root.listdir(home)]
    for place in consoles:
        real = _real(root, f"{place}/device")
        for module in _drivers_above(root, real) if real else ():
            yield place.rpartition("/")[2], module


def _drivers_above(root: Root, place: str) -> Iterator[str]:
    """Name the modules of a device's driver and of those of all devices that it hangs on."""
    while place.startswith("/sys/devices/"):
        module = _link(root, f"{place}/driver/module")
        if module:
            yield canonical(module)
        place = place.rpartition("/")[0]


def _link(root: Root, path: str) -> str | None:
    """Give the last part of where a link leads."""
    try:
        directory, _, name = path.rpartition("/")
        return os.readlink(f"{root.host_path(directory)}/{name}").rpartition("/")[2]  # noqa: PTH115  pathlib is dear
    except (OSError, LkmError):
        return None


def _real(root: Root, path: str) -> str | None:
    try:
        return os.path.realpath(root.host_path(path)).removeprefix(root.prefix) if root.exists(path) else None
    except LkmError:
        return None


def _text(root: Root, path: str) -> str:
    try:
        return root.read_text(path, limit=_LIMIT)
    except LkmError:
        return ""
