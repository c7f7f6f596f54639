"""The aliases by which a kernel asks for modules: file systems, socket families, device numbers, device nodes."""

import re
from typing import NamedTuple

__all__ = [
    "DeviceNumber",
    "device_node",
    "device_numbers",
    "family_name",
    "filesystem",
    "hardware_patterns",
    "socket_family",
]

_NUMBER = re.compile(r"(?:(char|block|c|b)(?:-major-|:)?)?([0-9]{1,10})[:-]([0-9]{1,10}|\*)", re.ASCII)
_HARDWARE = re.compile(r"([0-9a-f]{4}):([0-9a-f]{4})", re.ASCII | re.IGNORECASE)
_FAMILY = re.compile(r"(?:net-pf-)?([0-9]{1,5})((?:-[a-z]+-[0-9]+)*)", re.ASCII)

# include/linux/socket.h of Linux 6.1: a family's place is its number.
_FAMILIES = (
    *("unspec", "unix", "inet", "ax25", "ipx", "appletalk", "netrom", "bridge", "atmpvc", "x25", "inet6", "rose"),
    *("decnet", "netbeui", "security", "key", "netlink", "packet", "ash", "econet", "atmsvc", "rds", "sna", "irda"),
    *("pppox", "wanpipe", "llc", "ib", "mpls", "can", "tipc", "bluetooth", "iucv", "rxrpc", "isdn", "phonet"),
    *("ieee802154", "caif", "alg", "nfc", "vsock", "kcm", "qipcrtr", "smc", "xdp", "mctp"),
)
_OTHER_NAMES = {"local": "unix", "file": "unix", "route": "netlink"}


class DeviceNumber(NamedTuple):
    """The number of a device node.

    :param minor: None for all
    """

    is_block: bool
    major: int
    minor: int | None

    def __str__(self) -> str:
        minor = "*" if self.minor is None else self.minor
        return f"{'b' if self.is_block else 'c'}{self.major}:{minor}"

    @property
    def aliases(self) -> tuple[str, ...]:
        """What the kernel asks for, in turn: fs/char_dev.c ``base_probe``, block/genhd.c ``blk_request_module``."""
        major = f"{'block' if self.is_block else 'char'}-major-{self.major}"
        return (major,) if self.minor is None else (f"{major}-{self.minor}", major)


def device_numbers(text: str) -> tuple[DeviceNumber, ...]:
    """Read ``10:200``, ``c10:200``, ``b7:0``, ``char-major-10-200`` or ``block-major-7-*``.

    :returns: one number, or the character and the block device where the text leaves that open; none where it is none
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        return ()
    minor = None if found[3] == "*" else int(found[3])
    kinds = (False, True) if found[1] is None else (found[1] in {"b", "block"},)
    return tuple(DeviceNumber(is_block, int(found[2]), minor) for is_block in kinds)


def hardware_patterns(text: str) -> tuple[str, ...]:
    """Read the vendor and the device as ``lspci -n`` and ``lsusb`` print them: ``8086:10d3``.

    :returns: wildcards for the aliases of PCI, USB and HID that name both (scripts/mod/file2alias.c), then for those
        that leave the device open and name a class or an interface; none for other texts
    """
    found = _HARDWARE.fullmatch(text)
    if found is None:
        return ()
    vendor, device = found[1].upper(), found[2].upper()
    return (
        f"pci:v0000{vendor}d0000{device}*",
        f"usb:v{vendor}p{device}*",
        f"hid:b*g*v0000{vendor}p0000{device}",
        f"pci:v0000{vendor}d[*]*",
        f"usb:v{vendor}p[*]*",
    )


def device_node(path: str) -> str:
    """Give the alias of a node that is there before its device: include/linux/device.h ``MODULE_ALIAS_DEVNAME``.

    :param path: below /dev or with it
    """
    return f"devname:{path.removeprefix('/dev/')}"


def filesystem(name: str) -> str:
    """Give the alias of a file-system type: fs/filesystems.c ``get_fs_type``."""
    return f"fs-{name.removeprefix('fs-')}"


def socket_family(text: str) -> str | None:
    """Give the alias of a socket family: net/socket.c ``__sock_create``.

    :param text: ``29``, ``AF_CAN``, ``PF_CAN``, ``can``, ``net-pf-29``; after a number also ``-proto-1-type-2``
    :returns: None where there is no such family
    """
    number = _FAMILY.fullmatch(text)
    if number:
        return f"net-pf-{int(number[1])}{number[2]}"
    name = text.lower().removeprefix("af_").removeprefix("pf_")
    name = _OTHER_NAMES.get(name, name)
    return f"net-pf-{_FAMILIES.index(name)}" if name in _FAMILIES else None


def family_name(number: int) -> str | None:
    """Give the name of a socket family, in small letters; None for a number that is none."""
    return _FAMILIES[number] if 0 <= number < len(_FAMILIES) else None
