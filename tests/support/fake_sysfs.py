"""A small /sys and /dev in a root, for look-ups by device."""

import os
from pathlib import Path

__all__ = ["make_devices"]


def make_devices(root: Path) -> None:
    """Make a speaker with a driver, a disk of USB, something nobody claims, and a built-in's device.

    Device numbers: 8:0 is the disk's (a block device), 10:1 is that of a character device without a modalias.
    """
    devices = root / "sys/devices"
    for path, modalias in (
        ("platform/pcspkr", "platform:pcspkr"),
        ("pci0/usb1", "usb:v1234p5678"),
        ("pci0/usb1/host0", ""),
        ("pci0/nobody", "pci:v00000000"),
        ("platform/unix", "platform:unix"),
    ):
        (devices / path).mkdir(parents=True)
        (devices / path / "modalias").write_text(f"{modalias}\n" if modalias else "")
    (devices / "platform/pcspkr/driver").symlink_to("../../../bus/platform/drivers/pcspkr")
    disk = devices / "pci0/usb1/host0/block/sda"
    disk.mkdir(parents=True)
    _link(root / "sys/dev/block/8:0", disk)
    _link(root / "sys/class/block/sda", disk)
    plain = devices / "virtual/misc/plain"
    plain.mkdir(parents=True)
    _link(root / "sys/dev/char/10:1", plain)
    _link(root / "sys/class/loop", devices / "virtual")
    _link(devices / "virtual/loop", root / "sys/class/loop")
    (root / "dev").mkdir()
    (root / "dev/file").write_text("no device")


def _link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(os.path.relpath(target, place.parent))
