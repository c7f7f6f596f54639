"""A kernel that unpacks modules itself (6.12, whose modules are .ko.xz) is given the files as they are."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.other_kernels import debian_kernel
from tests.support.require import require_tool

from lkm.formats.compression import Compression, compress, decompress
from lkm.kernels.base import LoadFlags
from lkm.kernels.vm.images import Image
from lkm.kernels.vm.kernel import VmKernel
from lkm.kernels.vm.machine import Machine
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

# Runs lkm and tells what it hands to the kernel: the flags, and the first bytes of the file.
_SPY = """
import os, sys
from lkm.interfaces.cli.main import main
from lkm.kernels import syscalls

def seen(call):
    def finit_module(fd, parameters, flags):
        print(flags, os.pread(fd, 6, 0).hex(), file=sys.stderr)
        call(fd, parameters, flags)
    return finit_module

def unexpected(contents, parameters):
    print("init_module", len(contents), file=sys.stderr)

syscalls.finit_module = seen(syscalls.finit_module)
syscalls.init_module = unexpected
sys.exit(main(sys.argv[1:]))
"""
_XZ = "fd377a585a00"


@pytest.fixture(scope="module")
def newer() -> Image:
    require_tool("qemu-system-x86_64")
    require_tool("busybox")
    require_tool("modprobe")
    return debian_kernel("trixie")


@pytest.fixture(scope="module")
def newer_machine(newer: Image) -> Iterator[Machine]:
    with Machine(newer.kernel, newer.modules, boot_timeout=150.0) as running:
        yield running


def test_compressed_files_are_handed_over_as_they_are(newer: Image, newer_machine: Machine) -> None:
    directory = f"/lib/modules/{newer.release}/kernel/fs/fat"
    assert newer_machine.run(["cat", "/sys/module/compression"]).stdout == b"xz\n"
    shown = newer_machine.run(["modprobe", "-n", "-v", "vfat"]).stdout
    assert shown.decode() == f"insmod {directory}/fat.ko.xz \ninsmod {directory}/vfat.ko.xz \n"

    loading = newer_machine.run([sys.executable, "-c", _SPY, "modprobe", "-v", "vfat"])
    assert loading.stderr.decode().splitlines() == [f"{int(LoadFlags.COMPRESSED_FILE)} {_XZ}"] * 2
    assert (loading.status, loading.stdout) == (0, shown)

    ours = newer_machine.run([sys.executable, "-m", "lkm", "lsmod"])
    assert ours.stdout == newer_machine.run(["lsmod"]).stdout
    assert ours.stdout.startswith(b"Module                  Size  Used by\nvfat ")

    removing = newer_machine.run([sys.executable, "-m", "lkm", "modprobe", "-r", "-v", "vfat"])
    assert (removing.status, removing.stdout) == (0, b"rmmod vfat\nrmmod fat\n")


def test_forced_and_with_parameters(newer: Image, newer_machine: Machine) -> None:
    words = ["modprobe", "-f", "dummy", "numdummies=2"]
    loading = newer_machine.run([sys.executable, "-c", _SPY, *words])
    assert loading.status == 0
    assert loading.stderr.decode().splitlines()[-1] == f"7 {_XZ}"
    assert newer_machine.run(["ls", "/sys/class/net"]).stdout.split() == [b"dummy0", b"dummy1", b"lo"]
    assert newer_machine.run(["modprobe", "-r", "dummy"]).status == 0


@pytest.mark.parametrize("flags", [LoadFlags.NONE, LoadFlags.IGNORE_VERMAGIC])
@pytest.mark.parametrize("kind", [Compression.NONE, Compression.GZIP, Compression.ZSTD])
def test_what_the_kernel_does_not_unpack_is_unpacked_for_it(
    newer: Image, newer_machine: Machine, tmp_path: Path, kind: Compression, flags: LoadFlags
) -> None:
    packed = newer.modules / "kernel/fs/fat/fat.ko.xz"
    path = tmp_path / "fat.ko"
    path.write_bytes(compress(decompress(packed.read_bytes()), kind))
    kernel = VmKernel(newer_machine)
    kernel.load(ModuleFile(Root(), str(path)), "", flags)
    assert kernel.state("fat") == "live"
    kernel.unload("fat")
