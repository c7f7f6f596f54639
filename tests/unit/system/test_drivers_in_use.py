"""What drives disks, network interfaces and consoles, out of a made-up sysfs."""

from pathlib import Path

import pytest

from lkm.system.drivers_in_use import block_device_modules, console_modules, mounts, network_modules
from lkm.system.root import Root


def _device(root: Path, path: str, module: str | None) -> Path:
    """Make a device below /sys/devices, with a driver of a module or of none."""
    place = root / "sys/devices" / path
    place.mkdir(parents=True, exist_ok=True)
    if module:
        driver = root / f"sys/bus/x/drivers/{module}"
        driver.mkdir(parents=True, exist_ok=True)
        (root / f"sys/module/{module}").mkdir(parents=True, exist_ok=True)
        (driver / "module").symlink_to(f"../../../../module/{module}")
        (place / "driver").symlink_to("/" + str(driver.relative_to(root)))
    return place


def _link(root: Path, path: str, target: Path) -> None:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to("/" + str(target.relative_to(root)))


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A disk behind two controllers with a mapping upon it, a network card, a bridge, a screen and a keyboard."""
    _device(tmp_path, "pci0", None)
    _device(tmp_path, "pci0/ata", "ahci")
    _device(tmp_path, "pci0/ata/host0", "sd-mod")
    disk = _device(tmp_path, "pci0/ata/host0/block/sda", None)
    part = _device(tmp_path, "pci0/ata/host0/block/sda/sda1", None)
    mapped = _device(tmp_path, "virtual/block/dm-0", None)
    (mapped / "slaves").mkdir()
    (mapped / "slaves/sda1").symlink_to("/" + str(part.relative_to(tmp_path)))
    _link(tmp_path, "sys/dev/block/8:0", disk)
    _link(tmp_path, "sys/dev/block/8:1", part)
    _link(tmp_path, "sys/dev/block/254:0", mapped)
    card = _device(tmp_path, "pci0/card", "e1000e")
    for name, state, kind, device in (
        ("eth0", "up", "", card),
        ("br0", "up", "bridge", None),
        ("eth1", "down", "", card),
    ):
        place = tmp_path / "sys/class/net" / name
        place.mkdir(parents=True)
        (place / "operstate").write_text(f"{state}\n")
        (place / "uevent").write_text((f"DEVTYPE={kind}\n" if kind else "") + f"INTERFACE={name}\n")
        if device:
            (place / "device").symlink_to("/" + str(device.relative_to(tmp_path)))
    _link(tmp_path, "sys/class/input/input0/device", _device(tmp_path, "pci0/keyboard", "hid"))
    return tmp_path


def test_a_disk_and_what_it_hangs_on(system: Path) -> None:
    root = Root(str(system))
    assert list(block_device_modules(root, "8:1")) == ["sd_mod", "ahci"]
    assert list(block_device_modules(root, "254:0")) == ["sd_mod", "ahci"]
    assert list(block_device_modules(root, "9:9")) == []


def test_a_mapping_upon_itself_ends(system: Path) -> None:
    place = system / "sys/devices/virtual/block/dm-0/slaves/dm-0"
    place.symlink_to("/sys/devices/virtual/block/dm-0")
    assert "ahci" in list(block_device_modules(Root(str(system)), "254:0"))


def test_network_interfaces(system: Path) -> None:
    assert sorted(network_modules(Root(str(system)))) == [("br0", "", "bridge"), ("eth0", "e1000e", None)]


def test_consoles(system: Path) -> None:
    assert list(console_modules(Root(str(system)))) == [("input0", "hid")]


def test_mounts(tmp_path: Path) -> None:
    assert mounts(Root(str(tmp_path))) == ()
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text("22 1 8:2 / / rw - ext4 /dev/sda2 rw\n")
    assert [(mount.place, mount.type, mount.device) for mount in mounts(Root(str(tmp_path)))] == [("/", "ext4", "8:2")]
