"""Kernel images that are installed here, against what file(1) says of them."""

import re
import subprocess
from pathlib import Path

import pytest
from tests.support.require import require_path, require_tool

from lkm.formats.elf.constants import ElfType
from lkm.formats.elf.reader import Elf
from lkm.formats.kernel_image.wrapping import release, unpack

pytestmark = pytest.mark.peer


def images() -> list[Path]:
    found = sorted(require_path("/boot").glob("vmlinuz-*"))
    return found or [require_path("/boot/vmlinuz-RELEASE")]


def test_the_image_has_the_tables_of_exported_symbols() -> None:
    for path in images():
        image = unpack(path.read_bytes())
        elf = Elf(image)
        assert elf.type == ElfType.EXEC
        for name in ("__ksymtab", "__ksymtab_strings"):
            section = elf.section(name)
            assert section is not None
            assert section.size == len(elf.contents(section)) > 1000
            assert elf.section_at(section.address) == section
        assert b"_printk\0" in bytes(elf.contents_of("__ksymtab_strings") or b"")
        assert release(image) == release(path.read_bytes())


def test_the_release_is_the_one_of_the_file_name() -> None:
    for path in images():
        assert release(path.read_bytes()) == path.name.removeprefix("vmlinuz-")


def test_file_says_the_same_release() -> None:
    command = [require_tool("file"), "--brief", "--dereference"]
    for path in images():
        said = subprocess.run([*command, str(path)], capture_output=True, text=True, check=True).stdout
        version = re.search(r"version (\S+)", said)
        assert version is not None
        assert release(path.read_bytes()) == version[1]
