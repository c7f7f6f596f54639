"""When the kernel asks for a module."""

import pytest

from lkm.rules.kernel_requests import device_alias_count, requests


@pytest.mark.parametrize(
    ("alias", "words"),
    [
        ("fs-vfat", "a file system of type vfat is mounted"),
        ("net-pf-29", "a socket of the family CAN is opened"),
        ("net-pf-16-proto-12", "a socket of the family NETLINK is opened"),
        ("net-pf-999", "a socket of the family 999 is opened"),
        ("devname:net/tun", "/dev/net/tun is opened"),
        ("char-major-10-200", "a device node with the number 10-200 is opened"),
        ("block-major-7-*", "a device node with the number 7-* is opened"),
        ("char-major-89", "a device node with the major number 89 is opened"),
        ("crypto-md4", "the kernel or a program asks for the algorithm md4"),
        ("rtnl-link-dummy", "a network link of the kind dummy is made"),
    ],
)
def test_words(alias: str, words: str) -> None:
    assert requests([alias, alias]) == (words,)


def test_devices_are_no_requests() -> None:
    aliases = ["pci:v00008086d*", "usb:v1*", "devname:loop-control", "md4"]
    assert requests(aliases) == ("/dev/loop-control is opened",)
    assert device_alias_count(aliases) == 2
