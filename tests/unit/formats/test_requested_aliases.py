"""The aliases by which a kernel asks for modules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.formats.requested_aliases import (
    DeviceNumber,
    device_node,
    device_numbers,
    filesystem,
    hardware_patterns,
    socket_family,
)

CHARACTER, BLOCK = False, True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:200", (DeviceNumber(CHARACTER, 10, 200), DeviceNumber(BLOCK, 10, 200))),
        ("c10:200", (DeviceNumber(CHARACTER, 10, 200),)),
        ("b7:0", (DeviceNumber(BLOCK, 7, 0),)),
        ("char-major-10-200", (DeviceNumber(CHARACTER, 10, 200),)),
        ("block-major-7-*", (DeviceNumber(BLOCK, 7, None),)),
        ("116:*", (DeviceNumber(CHARACTER, 116, None), DeviceNumber(BLOCK, 116, None))),
        *((text, ()) for text in ("", "10", ":", "10:", "x10:200", "10:200 ", "-1:2", "1:-2", "٣:٤", "1:" + "9" * 11)),
    ],
)
def test_device_numbers(text: str, expected: tuple[DeviceNumber, ...]) -> None:
    assert device_numbers(text) == expected


def test_what_the_kernel_asks_for_a_number() -> None:
    assert DeviceNumber(CHARACTER, 10, 200).aliases == ("char-major-10-200", "char-major-10")
    assert DeviceNumber(BLOCK, 7, None).aliases == ("block-major-7",)
    assert [str(number) for number in device_numbers("7:*")] == ["c7:*", "b7:*"]


def test_nodes_and_file_systems() -> None:
    assert device_node("/dev/net/tun") == device_node("net/tun") == "devname:net/tun"
    assert filesystem("vfat") == filesystem("fs-vfat") == "fs-vfat"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, "net-pf-29") for text in ("29", "AF_CAN", "af_can", "PF_CAN", "can", "net-pf-29")),
        *((text, "net-pf-1") for text in ("AF_UNIX", "AF_LOCAL", "1")),
        *(("AF_MCTP", "net-pf-45"), ("AF_DECnet", "net-pf-12"), ("AF_ROUTE", "net-pf-16")),
        *(("16-proto-4", "net-pf-16-proto-4"), ("net-pf-2-proto-132-type-1", "net-pf-2-proto-132-type-1")),
        *((text, None) for text in ("", "AF_", "AF_NOSUCH", "-1", "29x", "٢", "1" * 6, "29-")),
    ],
)
def test_socket_families(text: str, expected: str | None) -> None:
    assert socket_family(text) == expected


def test_vendor_and_device() -> None:
    assert hardware_patterns("8086:10D3") == hardware_patterns("8086:10d3")
    assert hardware_patterns("046d:c52b")[:3] == (
        "pci:v0000046Dd0000C52B*",
        "usb:v046DpC52B*",
        "hid:b*g*v0000046Dp0000C52B",
    )
    for text in ("8086", "8086:10d", "8086:10d33", "808g:10d3", "c10:200", "8086-10d3", ""):
        assert hardware_patterns(text) == ()


@given(st.text(max_size=40))
def test_any_text_is_understood_or_not(text: str) -> None:
    assert len(device_numbers(text)) <= 2
    assert (socket_family(text) or "net-pf-").startswith("net-pf-")
