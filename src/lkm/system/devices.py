"""Devices as sysfs and ``/dev`` show them: what they are, so that modules can be found for them.

Facts: Documentation/ABI/testing/sysfs-devices and Documentation/filesystems/sysfs.rst of Linux 6.1.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from lkm.errors import LkmError, Unreadable, UsageError
from lkm.formats.requested_aliases import DeviceNumber
from lkm.system.root import Root

__all__ = ["Device", "all_devices", "device_at", "device_of", "number_of_node"]

_DEVICES = "/sys/devices"
_LIMIT = 1 << 16  # bytes; the kernel's own limit is a page


@dataclass(frozen=True, slots=True)
class Device:
    """One device of sysfs.

    :param path: its directory inside the root, with no link in it
    :param modalias: what the kernel calls it when it asks for a module
    :param driver: the driver that it is bound to, if any
    """

    path: str
    modalias: str
    driver: str | None


def all_devices(root: Root) -> Iterator[Device]:
    """Iterate over all devices below /sys/devices that have a modalias, in the order of their paths.

    :raises Unreadable: there is no /sys/devices
    """
    if not root.is_dir(_DEVICES):
        raise Unreadable(
            "there are no devices to look at", where=root.display(_DEVICES), hint="mount sysfs, or name one modalias"
        )
    top = os.path.realpath(root.host_path(_DEVICES))
    for directory, names, files in os.walk(top):  # which follows no links
        names.sort(key=os.fsencode)
        if "modalias" in files:
            device = _device(root, directory.removeprefix(root.prefix))
            if device is not None:
                yield device


def device_at(root: Root, path: str) -> Device | None:
    """Give the device of a path of sysfs: its own directory, or the nearest above that has a modalias.

    :param path: inside the root, of a directory or of a file in one; links are followed
    :returns: None where nothing on the way has a modalias
    :raises Unreadable: there is nothing at the path
    """
    root.stat(path)
    place = _real(root, path)
    while place.startswith("/sys/"):
        # A file modalias may itself be named, and a class device has its parent beside it.
        for directory in (place, f"{place}/device"):
            device = _device(root, _real(root, directory)) if root.is_dir(directory) else None
            if device is not None:
                return device
        place = place.rpartition("/")[0]
    return None


def _real(root: Root, path: str) -> str:
    """Follow all links of a path, inside the root."""
    return os.path.realpath(root.host_path(path)).removeprefix(root.prefix)


def number_of_node(root: Root, path: str) -> DeviceNumber:
    """Give the number of a device node.

    :raises Unreadable: there is nothing at the path
    :raises UsageError: it is no device node
    """
    found = root.stat(path)
    if not (stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)):
        raise UsageError(f"{root.display(path)} is no device node")
    return DeviceNumber(stat.S_ISBLK(found.st_mode), os.major(found.st_rdev), os.minor(found.st_rdev))


def device_of(root: Root, number: DeviceNumber) -> Device | None:
    """Give the device behind a number; None where sysfs does not know it, or it has no modalias."""
    kind = "block" if number.is_block else "char"
    path = f"/sys/dev/{kind}/{number.major}:{number.minor}"
    return device_at(root, path) if root.exists(path) else None


def _device(root: Root, directory: str) -> Device | None:
    """Read one directory of sysfs; None without a modalias, as where a device has just gone."""
    try:
        modalias = root.read_text(f"{directory}/modalias", limit=_LIMIT).rstrip("\n")
    except LkmError:
        return None
    # An empty modalias is that of a device which its bus can't name.
    return Device(directory, modalias, _driver(root, directory)) if modalias else None


def _driver(root: Root, directory: str) -> str | None:
    try:
        return os.readlink(f"{root.host_path(directory)}/driver").rsplit("/", 1)[-1]  # noqa: PTH115
    except (OSError, LkmError):
        return None
