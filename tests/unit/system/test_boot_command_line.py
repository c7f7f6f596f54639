"""Where the kernel command line is found."""

import os
from pathlib import Path

import pytest

from lkm.formats.kernel_cmdline import FILE
from lkm.system.boot_command_line import find_command_line
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

RELEASE = "6.1.0-1-x"
GRUB = """\
menuentry 'Debian' {
	linux	/boot/vmlinuz-6.1.0-1-xyz root=/dev/other
	linux	/boot/vmlinuz-6.1.0-1-x root=/dev/sda1 ro quiet
	initrd	/boot/initrd.img-6.1.0-1-x
}
menuentry 'Debian (recovery mode)' {
	linux	/boot/vmlinuz-6.1.0-1-x root=/dev/sda1 ro single
}
"""
ENTRY = """\
title Fedora
version 6.1.0-1-x
linux /vmlinuz-6.1.0-1-x
options root=/dev/sdb1
options rhgb
"""


def _find(root: Path, release: str = RELEASE) -> tuple[str, str]:
    return find_command_line(ModuleTree(Root(str(root)), release))


def _put(root: Path, name: str, text: str) -> str:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_nowhere(tmp_path: Path) -> None:
    assert _find(tmp_path) == ("", "")


@pytest.mark.parametrize("place", ["boot/grub/grub.cfg", "boot/grub2/grub.cfg"])
def test_the_first_entry_of_grub(tmp_path: Path, place: str) -> None:
    path = _put(tmp_path, place, GRUB)
    assert _find(tmp_path) == ("root=/dev/sda1 ro quiet", path)
    assert _find(tmp_path, "6.1.0-1-xyz") == ("root=/dev/other", path)
    assert _find(tmp_path, "6x1.0-1-x") == ("", "")
    assert _find(tmp_path, "6.1.0-1") == ("", "")


def test_an_entry_of_the_boot_loader_specification(tmp_path: Path) -> None:
    path = _put(tmp_path, "boot/loader/entries/b.conf", ENTRY)
    _put(tmp_path, "boot/loader/entries/a.conf", ENTRY.replace("6.1.0-1-x", "6.2.0"))
    assert _find(tmp_path) == ("root=/dev/sdb1 rhgb", path)
    without_version = ENTRY.replace("version 6.1.0-1-x\n", "")
    assert _find(tmp_path) == (
        _put(tmp_path, "boot/loader/entries/b.conf", without_version) and "root=/dev/sdb1 rhgb",
        path,
    )
    _put(tmp_path, "boot/loader/entries/b.conf", ENTRY.replace("rhgb", "$kernelopts"))
    assert _find(tmp_path) == ("", "")


def test_of_kernel_install(tmp_path: Path) -> None:
    last = _put(tmp_path, "usr/lib/kernel/cmdline", "quiet\n")
    assert _find(tmp_path) == ("quiet", last)
    first = _put(tmp_path, "etc/kernel/cmdline", "# mine\nroot=/dev/sdc1\nquiet\n")
    assert _find(tmp_path) == ("root=/dev/sdc1 quiet", first)


def test_of_the_running_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    class Running:
        release = RELEASE

    monkeypatch.setattr(os, "uname", Running)
    found, source = find_command_line(ModuleTree(Root(), RELEASE))
    assert found == Path(FILE).read_text().strip()
    assert source == (FILE if found else "")
