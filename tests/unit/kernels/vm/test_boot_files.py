"""What a machine starts with."""

import struct
from pathlib import Path

import pytest

from lkm.errors import FormatError, MachineError, Unreadable
from lkm.formats.elf.writer import ObjectWriter
from lkm.kernels.vm import boot_files


@pytest.mark.parametrize("size", [4, 8])
def test_a_pvh_entry_is_an_elf_note(size: int) -> None:
    note = struct.pack("<III4s", 4, size, 18, b"Xen\0") + bytes(size)
    assert boot_files.has_pvh_entry(b"\x7fELF" + bytes(100) + note)
    assert not boot_files.has_pvh_entry(b"\x7fELF" + bytes(100) + note.replace(b"Xen", b"GNU"))


def test_a_kernel_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=f"^{tmp_path}/vmlinuz: no such file") as caught:
        boot_files.prepare(tmp_path / "vmlinuz", tmp_path, emulated=True)
    assert not isinstance(caught.value, FormatError)


def test_a_file_that_is_no_kernel_is_named(tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").write_bytes(b"not a kernel" * 1000)
    with pytest.raises(FormatError) as caught:
        boot_files.prepare(tmp_path / "vmlinuz", tmp_path, emulated=True)
    assert caught.value.where == str(tmp_path / "vmlinuz")


@pytest.mark.parametrize("interpreter", [True, False])
def test_busybox_must_be_static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreter: bool) -> None:  # noqa: FBT001
    writer = ObjectWriter()
    writer.add_section(".interp" if interpreter else ".text", 1, 2, b"/lib64/ld.so\0")
    (tmp_path / "busybox").write_bytes(writer.to_bytes())
    (tmp_path / "busybox").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    if not interpreter:
        assert boot_files._busybox() == writer.to_bytes()
        return
    with pytest.raises(MachineError, match="not statically linked") as caught:
        boot_files._busybox()
    assert caught.value.hint == "apt-get install busybox-static"


def test_a_missing_busybox_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="not installed") as caught:
        boot_files._busybox()
    assert caught.value.hint == "apt-get install busybox-static"
