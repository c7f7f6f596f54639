"""The sample tree: whole, loadable, and made anew without harm."""

from pathlib import Path

import pytest

from lkm.actions.sample_tree import RELEASE, VERMAGIC, make_sample_tree
from lkm.errors import LoadRefused
from lkm.kernels.emulated import EmulatedKernel
from lkm.system.module_file import ModuleFile
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root


def test_what_is_in_it(sample: Path) -> None:
    tree = ModuleTree(Root(str(sample)))
    assert tree.release == RELEASE
    assert sorted(module.name for module in tree.modules()) == ["dummy", "fat", "pcspkr", "vfat"]
    for module in tree.modules():
        assert module.image.modinfo.first("vermagic") == VERMAGIC
        assert module.image.signature is not None
        assert module.image.name == module.name
    assert [module.name for module in tree.dependencies("vfat")] == ["fat"]
    assert (sample / "lib").is_symlink()


def test_all_of_it_loads_and_the_strays_do_what_they_are_for(sample: Path) -> None:
    tree = ModuleTree(Root(str(sample)))
    kernel = EmulatedKernel(tree)
    for name in ("fat", "vfat", "dummy", "pcspkr"):
        module = tree.module(name)
        assert module is not None
        assert kernel.load(module, "") == ()
    assert kernel.taint() == 0
    kernel.load(ModuleFile(Root(str(sample)), "/home/you/hello.ko"), "")
    with pytest.raises(LoadRefused, match="Exec format error"):
        kernel.load(ModuleFile(Root(str(sample)), "/home/you/old.ko"), "")


def test_made_twice_in_one_place(tmp_path: Path) -> None:
    make_sample_tree(str(tmp_path / "root"))
    root = make_sample_tree(str(tmp_path / "root"))
    assert ModuleTree(root).module("vfat") is not None


def test_a_place_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Not a directory"):
        make_sample_tree(str(tmp_path / "file/root"))
