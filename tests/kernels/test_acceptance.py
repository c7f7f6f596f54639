"""From the bytes of a .ko to a live module in Debian's kernel and back, by lkm alone, next to kmod."""

import errno
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lkm.errors import LoadRefused, UnloadRefused
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.kernels.emulated import EmulatedKernel
from lkm.kernels.vm.images import Image
from lkm.kernels.vm.kernel import VmKernel
from lkm.kernels.vm.machine import Finished, Machine
from lkm.system.module_file import ModuleFile
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_gathering import gather
from lkm.system.root import Root

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]


def _lkm(machine: Machine, *words: str) -> Finished:
    return machine.run([sys.executable, "-m", "lkm", *words])


def _loaded(machine: Machine) -> set[str]:
    return {line.split(" ")[0] for line in machine.run(["cat", "/proc/modules"]).stdout.decode().splitlines()}


@pytest.fixture(scope="module")
def tree(image: Image) -> ModuleTree:
    return ModuleTree(Root(), image.release)


def test_modprobe_loads_and_removes_a_module_with_what_it_needs(machine: Machine) -> None:
    directory = f"/lib/modules/{machine.release}/kernel/fs/fat"
    assert not {"fat", "vfat"} & _loaded(machine)

    loading = _lkm(machine, "modprobe", "-v", "vfat")
    assert (loading.status, loading.stderr) == (0, b"")
    assert loading.stdout.decode() == f"insmod {directory}/fat.ko \ninsmod {directory}/vfat.ko \n"
    assert {"fat", "vfat"} <= _loaded(machine)

    listing = _lkm(machine, "lsmod")
    assert (listing.status, listing.stderr) == (0, b"")
    assert listing.stdout == machine.run(["lsmod"]).stdout
    assert listing.stdout.startswith(b"Module                  Size  Used by\nvfat ")

    removing = _lkm(machine, "modprobe", "-r", "vfat")
    assert (removing.status, removing.stdout, removing.stderr) == (0, b"", b"")
    assert not {"fat", "vfat"} & _loaded(machine)


def test_lsmod_orders_users_as_kmod_does(machine: Machine) -> None:
    for name in ("nf_tables", "nft_compat", "ip_set", "xt_set", "btrfs", "xfs"):
        assert machine.run(["modprobe", name]).status == 0
    assert _lkm(machine, "lsmod").stdout == machine.run(["lsmod"]).stdout


def test_a_wrong_parameter_is_the_kernels_errno_and_line(machine: Machine, tree: ModuleTree) -> None:
    module = _module(tree, "dummy")
    for kernel in (VmKernel(machine), EmulatedKernel(tree)):
        with pytest.raises(LoadRefused) as caught:
            kernel.load(module, "numdummies=many")
        assert caught.value.errno == errno.EINVAL
        assert caught.value.log == ("dummy: `many' invalid for parameter `numdummies'",)


def test_an_unknown_symbol_is_the_kernels_errno_and_lines(machine: Machine, tree: ModuleTree) -> None:
    module = _module(tree, "vfat")
    answers = []
    for kernel in (VmKernel(machine), EmulatedKernel(tree)):
        with pytest.raises(LoadRefused) as caught:
            kernel.load(module, "")
        answers.append((caught.value.errno, caught.value.log))
    assert answers[0] == answers[1]
    assert answers[0][0] == errno.ENOENT
    assert "vfat: Unknown symbol fat_attach (err -2)" in answers[0][1]


def test_a_wrong_vermagic_is_the_kernels_errno_and_line(machine: Machine, tree: ModuleTree, tmp_path: Path) -> None:
    profile = gather(tree)
    layout = profile.exports["module_layout"].crc
    vermagic = "5.10.0-1-amd64 SMP mod_unload modversions "
    recipe = ModuleRecipe("stranger", usual_modinfo("stranger", vermagic), layout_crc=layout)
    path = tmp_path / "stranger.ko"
    path.write_bytes(write(recipe))
    for kernel in (VmKernel(machine), EmulatedKernel(tree)):
        with pytest.raises(LoadRefused) as caught:
            kernel.load(ModuleFile(Root(), str(path)), "")
        assert caught.value.errno == errno.ENOEXEC
        assert caught.value.log == (f"stranger: version magic '{vermagic}' should be '{profile.vermagic}'",)

    mended = tmp_path / "mended.ko"  # the machine has read the other file, and may not look at it again
    mended.write_bytes(write(replace(recipe, modinfo=usual_modinfo("stranger", profile.vermagic))))
    shown = _lkm(machine, "load", str(mended))
    assert (shown.status, shown.stdout, shown.stderr) == (0, b"stranger: loaded\n", b"")
    assert _lkm(machine, "unload", "stranger").stdout == b"stranger: removed stranger\n"


def test_removing_what_is_in_use_or_missing(machine: Machine, tree: ModuleTree) -> None:
    real, emulated = VmKernel(machine), EmulatedKernel(tree)
    for kernel in (real, emulated):
        for name in ("fat", "vfat"):
            kernel.load(_module(tree, name), "")
        with pytest.raises(UnloadRefused) as in_use:
            kernel.unload("fat")
        assert in_use.value.errno == errno.EAGAIN
        with pytest.raises(UnloadRefused) as missing:
            kernel.unload("no_such_module")
        assert missing.value.errno == errno.ENOENT
        kernel.unload("vfat")
        kernel.unload("fat")
    assert not {"fat", "vfat"} & _loaded(machine)


def test_without_privilege_the_message_says_what_is_needed(machine: Machine) -> None:
    refused = machine.run(["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-m", "lkm", "load", "vfat"])
    assert refused.status == 1
    assert b"Operation not permitted" in refused.stderr
    assert b"CAP_SYS_MODULE" in refused.stderr


def _module(tree: ModuleTree, name: str) -> ModuleFile:
    module = tree.module(name)
    assert module is not None
    return module
