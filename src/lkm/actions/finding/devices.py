"""Finding modules for devices: for one that is named, and for all that are there."""

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass

from lkm.actions.session import Session
from lkm.errors import UsageError
from lkm.formats.module_name import canonical
from lkm.formats.requested_aliases import DeviceNumber, device_node, device_numbers, hardware_patterns
from lkm.rules.resolving import Candidate
from lkm.system.devices import Device, all_devices, device_at, device_of, number_of_node

__all__ = ["Claim", "Claims", "aliases_of", "claims_of_all", "claims_of_hardware", "is_device"]

_WITH_VENDORS = ("pci:", "usb:", "hid:")
_FORMS = "name /sys/…, /dev/…, a number (10:200, c10:200, b7:0), vendor and device (8086:10d3) or a modalias (pci:v…)"


@dataclass(frozen=True, slots=True)
class Claim:
    """A module that claims a device.

    :param builtin: it is part of the kernel image
    :param missing: an alias of modprobe.d promises it, and the tree has no such module
    :param blacklisted: it is not loaded for a device, because modprobe.d or the kernel command line says so
    """

    module: str
    builtin: bool
    missing: bool
    blacklisted: bool


@dataclass(frozen=True, slots=True)
class Claims:
    """A device and the modules that claim it; none where nothing does."""

    device: Device
    modules: tuple[Claim, ...]


def is_device(text: str) -> bool:
    """Tell whether a text names a device by its form: a path of /sys or /dev, or two numbers with a colon.

    A modalias is one, too, but as such it is an alias already.
    """
    if text.startswith(("/sys/", "/dev/")):
        return True
    return ":" in text and bool(device_numbers(text) or hardware_patterns(text))


def aliases_of(session: Session, text: str) -> Iterator[tuple[str, str]]:
    """Give what the kernel asks for when a device is there or is opened, in its order: (alias, what it is).

    :param text: a path of /sys or /dev, inside the root or of the host, a device number, or a modalias
    :raises Unreadable: there is nothing at the path
    :raises UsageError: the text names no device
    """
    root = session.root
    inside = text.removeprefix(root.prefix)
    if inside.startswith("/sys/"):
        yield from _modalias(device_at(root, inside))
        return
    if inside.startswith("/dev/"):
        yield device_node(inside), f"the node {inside}"
        # A node whose alias is known may still wait for the module to be made.
        numbers: tuple[DeviceNumber, ...] = (number_of_node(root, inside),) if root.exists(inside) else ()
    else:
        numbers = device_numbers(inside)
        if not numbers and ":" in inside and not inside.startswith("symbol:"):
            yield inside, "its modalias"
        elif not numbers:
            raise UsageError(f"{text!r} names no device", hint=_FORMS)
    for number in numbers:
        yield from ((alias, f"the device number {number}") for alias in _of_number(session, number))
        if number.minor is not None:
            yield from _modalias(device_of(root, number))


def claims_of_hardware(session: Session, text: str) -> Iterator[tuple[str, str]]:
    """Find what claims a vendor's device, if the rest of its modalias fits: (module, alias), each module once.

    :param text: as in ``8086:10d3``; for any other there is none
    """
    patterns = hardware_patterns(text)
    indexes = ("modules.alias", "modules.builtin.alias") if patterns else ()
    stored = [entry for index in indexes for entry in session.tree.entries(index) if entry[0].startswith(_WITH_VENDORS)]
    claims: dict[str, str] = {}
    for pattern in patterns:
        for key, value in stored:
            if fnmatch.fnmatchcase(key, pattern):
                claims.setdefault(canonical(value.text), key)
    yield from claims.items()


def _of_number(session: Session, number: DeviceNumber) -> tuple[str, ...]:
    """Give the aliases of a number; without a minor number all that the index has of the major number."""
    if number.minor is not None:
        return number.aliases
    prefix = canonical(f"{number.aliases[0]}-")  # as the indexes spell it
    stored = (key for key, _ in session.tree.entries("modules.alias") if key.startswith(prefix))
    return (*number.aliases, *dict.fromkeys(key.replace("_", "-").replace("*", "0") for key in stored))


def _modalias(device: Device | None) -> Iterator[tuple[str, str]]:
    if device is not None:
        yield device.modalias, f"the modalias of {device.path}"


def claims_of_all(session: Session) -> tuple[Claims, ...]:
    """Match the modaliases of all devices of the root with modprobe.d and the indexes.

    :raises Unreadable: the root has no /sys/devices
    :raises TreeMissing, IndexMissing: there is nothing to look things up in
    """
    session.tree.require_indexes()
    known: dict[str, tuple[Claim, ...]] = {}
    found = []
    for device in all_devices(session.root):
        if device.modalias not in known:
            candidates = session.resolver.lookup(device.modalias)
            known[device.modalias] = tuple(dict.fromkeys(_claim(session, candidate) for candidate in candidates))
        found.append(Claims(device, known[device.modalias]))
    return tuple(found)


def _claim(session: Session, candidate: Candidate) -> Claim:
    has_file = session.resolver.module_file(candidate) is not None
    return Claim(
        candidate.name,
        builtin=candidate.builtin and not has_file,
        missing=not has_file and not candidate.builtin,
        blacklisted=session.configuration.blacklisted(candidate.name) is not None,
    )
