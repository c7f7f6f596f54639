"""What a machine starts with, made from the host's files: its kernel and its initramfs."""

import os
import shutil
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

import lkm
from lkm.errors import CompressionError, ElfError, FormatError, MachineError, Unreadable
from lkm.formats.elf.reader import Elf
from lkm.formats.kernel_image import wrapping
from lkm.kernels.vm import agent, boot_modules, initramfs

__all__ = ["BootFiles", "has_pvh_entry", "prepare"]

_MODULES_HOME = "/lib/modules"
_BUSYBOX_HINT = "apt-get install busybox-static"
_PHYS32_ENTRY = 18  # XEN_ELFNOTE_PHYS32_ENTRY, include/xen/interface/elfnote.h


@dataclass(frozen=True, slots=True)
class BootFiles:
    """What a machine starts with.

    :param kernel: a bzImage, or a vmlinux with a PVH entry
    :param initramfs: a newc archive
    :param release: the kernel's release, as in ``6.1.0-56-amd64``
    """

    kernel: bytes
    initramfs: bytes
    release: str


def prepare(kernel: Path, modules: Path, *, emulated: bool, firmware: bool = False) -> BootFiles:
    """Read and make what a machine starts with.

    :param kernel: a vmlinuz
    :param modules: its module tree
    :param emulated: instructions are slow, so that the kernel is better unpacked here: 1.5 s instead of 5 s
    :param firmware: UEFI firmware starts the kernel, which has to be as it was signed, and its variables are mounted
    :raises MachineError: busybox is missing or not static, or the kernel lacks something
    :raises Unreadable: a file is missing or damaged
    """
    image = _contents(kernel)
    try:
        release = wrapping.release(image)
        started = _unpacked(image) if emulated and not firmware else image
    except FormatError as error:
        error.where = str(kernel)
        raise
    guest = initramfs.Guest(
        release=release,
        module_tree=os.path.realpath(modules),
        modules_home=os.path.realpath(_MODULES_HOME),
        command=(sys.executable, "-sSP", os.path.realpath(agent.__file__), initramfs.AGENT_PORT),
        environment={
            "PATH": agent.ENVIRONMENT["PATH"],
            "PYTHONPATH": _source_directory(),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        firmware=firmware,
    )
    needed = boot_modules.FOR_FIRMWARE if firmware else boot_modules.NEEDED
    archive = initramfs.build(_busybox(), boot_modules.read(modules, needed), guest)
    return BootFiles(started, archive, release)


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unreadable((error.strerror or str(error)).lower(), where=str(path)) from error


def _source_directory() -> str:
    return os.path.realpath(Path(lkm.__file__).parents[1])


def _busybox() -> bytes:
    path = shutil.which("busybox")
    if path is None:
        raise MachineError("busybox is not installed", hint=_BUSYBOX_HINT)
    contents = _contents(Path(path))
    try:
        is_static = Elf(contents).section(".interp") is None
    except ElfError:
        is_static = False
    if not is_static:
        raise MachineError("this busybox is not statically linked", where=path, hint=_BUSYBOX_HINT)
    return contents


def _unpacked(image: bytes) -> bytes:
    try:
        vmlinux = wrapping.unpack(image)
    except CompressionError:
        raise
    except FormatError:
        return image  # packed in a way that the kernel itself understands
    return vmlinux if has_pvh_entry(vmlinux) else image


def has_pvh_entry(vmlinux: bytes) -> bool:
    """Tell whether QEMU can start a vmlinux without a boot loader: it holds the ELF note of CONFIG_PVH."""
    return any(struct.pack("<III4s", 4, size, _PHYS32_ENTRY, b"Xen\0") in vmlinux for size in (4, 8))
