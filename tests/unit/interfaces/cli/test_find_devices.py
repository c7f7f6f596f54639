"""find for devices: as text and as JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_sysfs import make_devices
from tests.support.schema import check_schema

Lkm = Callable[..., Any]


@pytest.fixture
def on_devices(lkm: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> Lkm:
    make_devices(own_sample)
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    monkeypatch.setenv("LKM_KERNEL", "emulated")
    return lkm


def test_all_devices(on_devices: Lkm) -> None:
    outcome = on_devices("find", "--all-devices")
    assert (outcome.status, outcome.err) == (0, "")
    rows = [line.split(maxsplit=2) for line in outcome.out.splitlines()]
    assert rows == [
        ["DEVICE", "DRIVER", "MODULES"],
        ["/sys/devices/pci0/nobody", "-", "none for pci:v00000000"],
        ["/sys/devices/pci0/usb1", "-", "none for usb:v1234p5678"],
        ["/sys/devices/platform/pcspkr", "pcspkr", "pcspkr"],
        ["/sys/devices/platform/unix", "-", "none for platform:unix"],
    ]


def test_all_devices_as_json(on_devices: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/more.conf").write_text("alias usb:* promised\nalias pci:* unix\nblacklist pcspkr\n")
    answer = json.loads(on_devices("find", "--all-devices", "--json").out)
    check_schema(answer, "find")
    assert answer["devices"][2] == {
        "path": "/sys/devices/platform/pcspkr",
        "modalias": "platform:pcspkr",
        "driver": "pcspkr",
        "modules": [{"module": "pcspkr", "builtin": False, "missing": False, "blacklisted": True}],
    }
    text = on_devices("find", "--all-devices").out
    assert "promised (missing)" in text
    assert "unix (built in)" in text
    assert "pcspkr (blacklisted)" in text


def test_one_device(on_devices: Lkm) -> None:
    outcome = on_devices("find", "/sys/devices/platform/pcspkr")
    assert outcome.out.splitlines()[1].split(maxsplit=2) == [
        "pcspkr",
        "device",
        "it claims platform:pcspkr, the modalias of /sys/devices/platform/pcspkr",
    ]
    answer = json.loads(on_devices("find", "--filesystem", "vfat", "--json").out)
    assert [hit["kind"] for hit in answer["found"]] == ["filesystem"]


@pytest.mark.parametrize("words", [[], ["x", "--all-devices"], ["--all-devices", "--name"], ["--socket", "nosuch"]])
def test_wrong_calls(on_devices: Lkm, words: list[str]) -> None:
    outcome = on_devices("find", *words)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("lkm: ")


def test_nothing_found(on_devices: Lkm, own_sample: Path) -> None:
    assert on_devices("find", "--socket", "29").status == 1
    for directory in own_sample.glob("sys/devices/*/*/modalias"):
        directory.unlink()
    outcome = on_devices("find", "--all-devices")
    assert (outcome.status, outcome.out) == (1, "no device here has a modalias\n")
