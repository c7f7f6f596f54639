"""The disk that UEFI firmware starts a machine from: shim, GRUB, the kernel and its initramfs.

QEMU shows a directory as a FAT file system. It holds little but links: should we be killed, no kernel is left behind.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lkm.kernels.vm.firmware import CODE, Firmware, find
from lkm.kernels.vm.held_files import HeldFiles
from lkm.kernels.vm.qemu import Flash, Hardware, kernel_words

__all__ = ["add_boot_loaders", "flash"]

_PARTS = (
    ("EFI/BOOT/BOOTX64.EFI", Path("/usr/lib/shim/shimx64.efi.signed"), "shim-signed"),
    ("EFI/BOOT/mmx64.efi", Path("/usr/lib/shim/mmx64.efi.signed"), "shim-helpers-amd64-signed"),
    ("EFI/BOOT/grubx64.efi", Path("/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"), "grub-efi-amd64-signed"),
)
_GRUB_CONFIGURATION = "EFI/debian/grub.cfg"  # the prefix that is built into Debian's signed GRUB
_KERNEL, _INITRAMFS = "vmlinuz", "initrd.img"


@contextmanager
def flash(firmware: Firmware, hardware: Hardware, held: HeldFiles) -> Iterator[Flash]:
    """Prepare what a machine's firmware consists of and starts from, and remove it again when the machine has ended.

    :param hardware: the machine, as it would be without
    :param held: takes the firmware's memory, where it is not a file of the caller's
    :raises MachineError: a part is not installed
    """
    code = str(find(CODE, "ovmf"))
    kept = firmware.variables
    variables = held.hold(kept) if isinstance(kept, bytes) else str(kept)
    if not firmware.boot_loader:
        yield Flash(code, variables)
        return
    with tempfile.TemporaryDirectory(prefix="lkm-disk-") as disk:
        cmdline = kernel_words(hardware.accelerator, hardware.cmdline)
        add_boot_loaders(Path(disk))
        _add_kernel(Path(disk), hardware.kernel, hardware.initrd, cmdline)
        yield Flash(code, variables, disk)


def add_boot_loaders(directory: Path) -> None:
    """Lay out shim, its key manager and GRUB, where firmware looks for them.

    :param directory: an empty directory
    :raises MachineError: one is not installed
    """
    for name, path, package in _PARTS:
        _link(directory / name, str(find(path, package)))


def _add_kernel(directory: Path, kernel: str, initramfs: str, cmdline: str) -> None:
    _link(directory / _KERNEL, kernel)
    _link(directory / _INITRAMFS, initramfs)
    configuration = directory / _GRUB_CONFIGURATION
    configuration.parent.mkdir(parents=True)
    configuration.write_text(_grub(cmdline), encoding="utf-8", errors="surrogateescape")


def _link(place: Path, target: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def _grub(cmdline: str) -> str:
    words = "'" + cmdline.replace("'", r"'\''") + "'"
    # What can't be started ends the machine, with its reason on the console.
    return f"if linux /{_KERNEL} {words}; then\ninitrd /{_INITRAMFS}\nboot\nfi\nreboot\n"
