"""The kernel command line that a release runs with, or that its root would boot it with."""

import os
import re

from lkm.errors import LkmError
from lkm.formats.kernel_cmdline import FILE
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

__all__ = ["find_command_line"]

_OF_KERNEL_INSTALL = ("/etc/kernel/cmdline", "/usr/lib/kernel/cmdline")  # kernel-install(8), systemd
_OF_GRUB = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")
_ENTRIES = "/boot/loader/entries"  # the Boot Loader Specification's, type 1
_LONGEST = 4 << 20  # bytes of a file


def find_command_line(tree: ModuleTree) -> tuple[str, str]:
    """Give the command line and where it was found, both empty where nothing tells.

    The running kernel's own comes first. Otherwise boot loaders are asked, and the first entry for the release counts:
    other entries, such as those for recovery, follow it.
    """
    root = tree.root
    if root.is_host and tree.release == os.uname().release:
        found = _read(root, FILE)
        return found, FILE if found else ""
    for path in _OF_GRUB:
        line = re.search(_grub_pattern(tree.release), _read(root, path), re.MULTILINE)
        if line:
            return line[1].strip(), root.display(path)
    for name in root.listdir(_ENTRIES):
        options = _of_entry(_read(root, f"{_ENTRIES}/{name}"), tree.release)
        if options and "$" not in options:  # variables are GRUB's to know
            return options, root.display(f"{_ENTRIES}/{name}")
    for path in _OF_KERNEL_INSTALL:
        found = " ".join(line for line in _read(root, path).split("\n") if not line.startswith("#")).strip()
        if found:
            return found, root.display(path)
    return "", ""


def _grub_pattern(release: str) -> str:
    return rf"^[ \t]*linux(?:16|efi)?[ \t]+\S*/vmlinu[xz]-{re.escape(release)}(?:[ \t]+(.*))?$"


def _of_entry(text: str, release: str) -> str:
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        key, _, value = line.strip().partition(" ")
        fields[key] = f"{fields[key]} {value.strip()}" if key in fields else value.strip()
    is_for_it = fields.get("version") == release or fields.get("linux", "").endswith(f"-{release}")
    return fields.get("options", "") if is_for_it else ""


def _read(root: Root, path: str) -> str:
    try:
        return root.read_text(path, limit=_LONGEST).strip() if root.is_file(path) else ""
    except LkmError:
        return ""
