"""Devices of a made-up sysfs."""

import os
import stat
from pathlib import Path

import pytest
from tests.support.fake_sysfs import make_devices

from lkm.errors import Unreadable, UsageError
from lkm.formats.requested_aliases import DeviceNumber
from lkm.system.devices import Device, all_devices, device_at, device_of, number_of_node
from lkm.system.root import Root

CHARACTER, BLOCK = False, True
USB = Device("/sys/devices/pci0/usb1", "usb:v1234p5678", None)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    make_devices(tmp_path)
    return Root(str(tmp_path))


def test_all_devices_that_have_a_modalias(root: Root) -> None:
    assert list(all_devices(root)) == [
        Device("/sys/devices/pci0/nobody", "pci:v00000000", None),
        USB,
        Device("/sys/devices/platform/pcspkr", "platform:pcspkr", "pcspkr"),
        Device("/sys/devices/platform/unix", "platform:unix", None),
    ]


def test_a_root_without_sysfs(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no devices"):
        list(all_devices(Root(str(tmp_path))))


@pytest.mark.parametrize(
    "path",
    [
        *["/sys/devices/pci0/usb1", "/sys/devices/pci0/usb1/modalias", "/sys/devices/pci0/usb1/host0"],
        *["/sys/class/block/sda", "/sys/dev/block/8:0", "/sys/class/block/../block/sda/"],
    ],
)
def test_the_device_of_a_path(root: Root, path: str) -> None:
    assert device_at(root, path) == USB


def test_paths_without_a_device(root: Root) -> None:
    assert device_at(root, "/sys/devices/virtual/misc/plain") is None
    assert device_at(root, "/dev/file") is None
    with pytest.raises(Unreadable):
        device_at(root, "/sys/devices/nosuch")


def test_the_parent_of_a_class_device_is_beside_it(root: Root, tmp_path: Path) -> None:
    network = tmp_path / "sys/devices/virtual/net/eth0"
    network.mkdir(parents=True)
    (network / "device").symlink_to("../../../pci0/usb1")
    assert device_at(root, "/sys/devices/virtual/net/eth0") == USB


def test_the_device_of_a_number(root: Root) -> None:
    assert device_of(root, DeviceNumber(BLOCK, 8, 0)) == USB
    assert device_of(root, DeviceNumber(CHARACTER, 8, 0)) is None
    assert device_of(root, DeviceNumber(CHARACTER, 10, 1)) is None


def test_the_number_of_a_node(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no device node"):
        number_of_node(root, "/dev/file")
    with pytest.raises(Unreadable):
        number_of_node(root, "/dev/nosuch")
    assert number_of_node(Root(), "/dev/null") == DeviceNumber(CHARACTER, 1, 3)
    found = os.stat_result([stat.S_IFBLK, *[0] * 9], {"st_rdev": os.makedev(8, 1)})
    monkeypatch.setattr(Root, "stat", lambda *_: found)
    assert number_of_node(root, "/dev/sda1") == DeviceNumber(BLOCK, 8, 1)


def test_hostile_files(root: Root, tmp_path: Path) -> None:
    """A device whose files are none, or too large, has no modalias."""
    for name, make in (("fifo", os.mkfifo), ("directory", os.mkdir)):
        (tmp_path / "sys/devices" / name).mkdir()
        make(tmp_path / "sys/devices" / name / "modalias")
    (tmp_path / "sys/devices/large").mkdir()
    (tmp_path / "sys/devices/large/modalias").write_text("x" * (1 << 17))
    (tmp_path / "sys/devices/bytes").mkdir()
    (tmp_path / "sys/devices/bytes/modalias").write_bytes(b"\xff\n")
    assert [device.modalias for device in all_devices(root)][:1] == ["\udcff"]
    assert len(list(all_devices(root))) == 5
