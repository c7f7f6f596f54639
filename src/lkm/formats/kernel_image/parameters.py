"""The parameters of a kernel image's built-in modules: ``__param`` of a linked vmlinux."""

from struct import Struct
from typing import TYPE_CHECKING

from lkm.errors import ElfError
from lkm.formats.elf.reader import Elf

if TYPE_CHECKING:
    from lkm.formats.elf.records import Section

__all__ = ["visible"]

_LONGEST_NAME = 256
_ALWAYS = "kernel"  # where parameters without a prefix show


def visible(vmlinux: Elf) -> dict[str, tuple[str, ...]] | None:
    """Name the directories of /sys/module that built-in parameters make, and the parameters that show in each.

    Those show that have permissions, under the prefix of their name. A prefix is mostly the built-in's name, but
    sources choose it: ``tree`` (RCU) shows as ``rcutree`` (include/linux/moduleparam.h ``struct kernel_param``,
    kernel/params.c ``param_sysfs_builtin``, 6.1).

    :param vmlinux: a linked image with its section headers
    :returns: parameters by prefix, in the image's order; None where the image has no such section, or its pointers
        lead nowhere
    """
    section = vmlinux.section("__param")
    if section is None:
        return None
    order = "<" if vmlinux.little_endian else ">"
    entry = Struct(order + ("Q16xH14x" if vmlinux.is_64bit else "I8xH6x"))
    contents = vmlinux.contents(section)
    whole = contents[: len(contents) - len(contents) % entry.size]
    names = _Names(vmlinux)
    try:
        found = [names.at(address) for address, permissions in entry.iter_unpack(whole) if permissions]
    except ElfError:
        return None
    shown: dict[str, list[str]] = {}
    for name in found:
        owner, _, parameter = name.rpartition(".")
        shown.setdefault(owner or _ALWAYS, []).append(parameter)
    return {owner: tuple(parameters) for owner, parameters in shown.items()}


class _Names:
    """Texts by their address; those of one kind lie in one section, so it is kept."""

    def __init__(self, image: Elf) -> None:
        self._image = image
        self._section: Section | None = None
        self._contents = memoryview(b"")

    def at(self, address: int) -> str:
        section = self._section
        if section is None or not section.address <= address < section.address + len(self._contents):
            section = self._section = self._image.section_at(address)
            if section is None:
                raise ElfError(f"no section holds the address {address:#x}")
            self._contents = self._image.contents(section)
        start = address - section.address
        return bytes(self._contents[start : start + _LONGEST_NAME]).partition(b"\0")[0].decode("ascii", "replace")
