"""When the kernel itself asks for a module, in words: the aliases of requests that no device makes."""

import re
from collections.abc import Iterable

from lkm.formats.requested_aliases import family_name

__all__ = ["device_alias_count", "requests"]

_WORDS = (
    (re.compile(r"fs-(.+)"), "a file system of type {} is mounted"),
    (re.compile(r"devname:(.+)"), "/dev/{} is opened"),
    (re.compile(r"(?:char|block)-major-([0-9]+-[0-9*]+)"), "a device node with the number {} is opened"),
    (re.compile(r"(?:char|block)-major-([0-9]+)"), "a device node with the major number {} is opened"),
    (re.compile(r"crypto-(.+)"), "the kernel or a program asks for the algorithm {}"),
    (re.compile(r"rtnl-link-(.+)"), "a network link of the kind {} is made"),
    (re.compile(r"netdev-(.+)"), "the network interface {} is asked for"),
    (re.compile(r"tcp_(.+)"), "the congestion control {} is chosen"),
    (re.compile(r"nls_(.+)"), "a file system needs the character set {}"),
    (re.compile(r"binfmt-(.+)"), "a program begins with the bytes {}"),
    (re.compile(r"i?p6?t_(.+)"), "a packet filter rule uses {}"),
    (re.compile(r"net-(?:sch|cls|act)-(.+)"), "traffic control asks for {}"),
)
"""Sources: fs/filesystems.c, block/genhd.c, fs/char_dev.c, crypto/api.c, net/core/rtnetlink.c, net/core/dev_ioctl.c,
net/ipv4/tcp_cong.c, fs/nls/nls_base.c, fs/exec.c, net/netfilter/x_tables.c, net/sched (Linux 6.1)."""

_FAMILY = re.compile(r"net-pf-([0-9]+)(.*)")
_DEVICE = re.compile(r"[A-Za-z0-9_-]+:")


def requests(aliases: Iterable[str]) -> tuple[str, ...]:
    """Say when the kernel asks for a module, by the aliases in its .modinfo; each sentence once.

    :param aliases: as the module has them
    """
    return tuple(dict.fromkeys(text for alias in aliases if (text := _request(alias))))


def _request(alias: str) -> str | None:
    family = _FAMILY.fullmatch(alias)
    if family:
        name = family_name(int(family[1]))
        return f"a socket of the family {name.upper() if name else family[1]} is opened"
    for pattern, words in _WORDS:
        found = pattern.fullmatch(alias)
        if found:
            return words.format(next((part for part in found.groups() if part), ""))
    return None


def device_alias_count(aliases: Iterable[str]) -> int:
    """Count the aliases that stand for devices (``pci:…``, ``usb:…``)."""
    return sum(1 for alias in aliases if _DEVICE.match(alias) and not alias.startswith("devname:"))
