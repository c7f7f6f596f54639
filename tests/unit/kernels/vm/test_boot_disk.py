"""The disk that a machine's firmware starts from, laid out in a directory."""

import shlex
from pathlib import Path

import pytest

from lkm.errors import MachineError
from lkm.kernels.vm import boot_disk
from lkm.kernels.vm.firmware import Firmware
from lkm.kernels.vm.held_files import HeldFiles
from lkm.kernels.vm.qemu import Flash, Hardware

HARDWARE = Hardware("tcg", 512, "/proc/self/fd/8", "/proc/self/fd/9", "it's='a b' quiet", 7)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Parts of the boot chain, none of them real."""
    parts = []
    for name in ("shim", "manager", "grub", "code"):
        (tmp_path / name).write_text(name)
        parts.append(tmp_path / name)
    names = [name for name, *_ in boot_disk._PARTS]
    rows = tuple((name, path, "some-package") for name, path in zip(names, parts, strict=False))
    monkeypatch.setattr(boot_disk, "_PARTS", rows)
    monkeypatch.setattr(boot_disk, "CODE", tmp_path / "code")
    return tmp_path


def test_the_disk_holds_the_chain_and_vanishes(installed: Path) -> None:
    with HeldFiles() as held, boot_disk.flash(Firmware(b"variables"), HARDWARE, held) as flash:
        assert flash.disk is not None
        disk = Path(flash.disk)
        files = {str(path.relative_to(disk)) for path in disk.rglob("*") if not path.is_dir()}
        assert files == {
            "EFI/BOOT/BOOTX64.EFI",
            "EFI/BOOT/mmx64.efi",
            "EFI/BOOT/grubx64.efi",
            "EFI/debian/grub.cfg",
            "vmlinuz",
            "initrd.img",
        }
        assert (disk / "EFI/BOOT/BOOTX64.EFI").read_text() == "shim"
        assert (disk / "vmlinuz").readlink() == Path("/proc/self/fd/8")
        assert (disk / "initrd.img").readlink() == Path("/proc/self/fd/9")
        first, *others = (disk / "EFI/debian/grub.cfg").read_text().splitlines()
        words = shlex.split(first.removesuffix("; then"))
        assert words[:3] == ["if", "linux", "/vmlinuz"]
        assert words[3].endswith("it's='a b' quiet")
        assert others == ["initrd /initrd.img", "boot", "fi", "reboot"]
    assert not disk.exists()


def test_bytes_are_held_and_a_file_is_used_itself(installed: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.fd"
    with HeldFiles() as held:
        with boot_disk.flash(Firmware(b"variables", boot_loader=False), HARDWARE, held) as flash:
            assert flash.disk is None
            with open(flash.variables, "r+b") as file:  # noqa: PTH123  a path of /proc
                assert file.read() == b"variables"
            assert len(held.descriptors) == 1
        with boot_disk.flash(Firmware(kept, boot_loader=False), HARDWARE, held) as flash:
            assert flash == Flash(str(installed / "code"), str(kept))
    assert not Path(f"/proc/self/fd/{held.descriptors[0]}").exists()


@pytest.mark.parametrize("part", ["grub", "code"])
def test_a_missing_part_is_named_with_its_package(installed: Path, part: str) -> None:
    (installed / part).unlink()
    with HeldFiles() as held, pytest.raises(MachineError, match=f"{part} is not installed") as caught:
        boot_disk.flash(Firmware(b""), HARDWARE, held).__enter__()
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("apt-get install ")
