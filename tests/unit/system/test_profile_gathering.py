"""What is found out about a kernel, from what a root holds of it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lkm.errors import Unreadable
from lkm.formats.elf.constants import Machine
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_file import from_json, to_json
from lkm.system.profile_gathering import gather, stamp
from lkm.system.root import Root

VERMAGIC = "6.1.0-sample SMP preempt mod_unload modversions "


def _tree(root: Path) -> ModuleTree:
    return ModuleTree(Root(str(root)))


def _directory(root: Path) -> Path:
    return root / "usr/lib/modules/6.1.0-sample"


def test_from_a_whole_root(sample: Path) -> None:
    profile = gather(_tree(sample))
    assert (profile.release, profile.vermagic, profile.machine) == ("6.1.0-sample", VERMAGIC, Machine.X86_64)
    assert (profile.struct_module_size, profile.is_64bit, profile.little_endian) == (0x380, True, True)
    assert profile.exports["_printk"].crc == 0x92997ED8
    assert profile.exports["input_register_device"].gpl_only
    assert "fat_attach" not in profile.exports  # a module's, not the kernel's
    assert profile.has("MODVERSIONS")
    assert not profile.has("MODULE_SIG_FORCE")
    assert profile.certificates is None  # there is no kernel image
    assert set(profile.sources) == {"vermagic", "struct_module_size", "config", "exports", "certificates"}
    assert profile.sources["config"] == f"{sample}/boot/config-6.1.0-sample"
    assert profile.traits.wide_booleans


def test_without_configuration_and_symvers(own_sample: Path) -> None:
    (own_sample / "boot/config-6.1.0-sample").unlink()
    shutil.rmtree(_directory(own_sample) / "build")
    profile = gather(_tree(own_sample))
    assert profile.has("MODVERSIONS")
    assert profile.has("MODULE_UNLOAD")
    assert profile.has("MODULE_SIG")
    assert "guessed" in profile.sources["config"]
    assert set(profile.exports) == {
        "module_layout",
        "_printk",
        "register_netdev",
        "register_filesystem",
        "param_ops_int",
        "param_ops_charp",
        "input_register_device",
    }
    assert profile.exports["module_layout"].crc == 0x2A7A0F8B
    assert "there may be more" in profile.sources["exports"]


def test_built_ins_that_show_in_sys_module(own_sample: Path) -> None:
    (_directory(own_sample) / "modules.builtin").write_text("kernel/a.ko\nkernel/b.ko\nkernel/c.ko\n")
    info = _directory(own_sample) / "modules.builtin.modinfo"
    info.write_bytes(b"a.license=GPL\0b.parmtype=x:int\0b.parm=x:what\0c.version=1\0")
    assert gather(_tree(own_sample)).visible_builtins == {"b", "c"}
    info.unlink()
    assert gather(_tree(own_sample)).visible_builtins == {"a", "b", "c"}  # nothing tells: perhaps all


def test_another_machine(own_sample: Path) -> None:
    directory = _directory(own_sample)
    shutil.rmtree(directory / "kernel")
    recipe = ModuleRecipe("only", usual_modinfo("only", VERMAGIC), machine=Machine.AARCH64, struct_module_size=1280)
    (directory / "only.ko").write_bytes(write(recipe))
    (directory / "modules.dep").write_text("only.ko:\n")
    profile = gather(_tree(own_sample))
    assert (profile.machine, profile.struct_module_size) == (Machine.AARCH64, 1280)


def test_damaged_and_foreign_modules_are_passed_over(own_sample: Path) -> None:
    fat = _directory(own_sample) / "kernel/fs/fat"
    (fat / "fat.ko").write_bytes(b"damaged")
    foreign = replace(ModuleRecipe("vfat"), modinfo=usual_modinfo("vfat", "9.9 ", intree=False))
    (fat / "vfat.ko").write_bytes(write(foreign))
    assert gather(_tree(own_sample)).vermagic == VERMAGIC


def test_no_module_at_all(tmp_path: Path) -> None:
    directory = tmp_path / "lib/modules/1.0"
    directory.mkdir(parents=True)
    (directory / "modules.dep").write_text("gone.ko:\n")
    with pytest.raises(Unreadable, match="no in-tree module can be read") as caught:
        gather(_tree(tmp_path))
    assert caught.value.where == str(directory)


def test_a_kernel_image_that_is_none(own_sample: Path) -> None:
    (own_sample / "boot/vmlinuz-6.1.0-sample").write_bytes(b"no kernel" * 1000)
    profile = gather(_tree(own_sample))
    assert profile.certificates is None
    assert profile.sources["certificates"]


def test_the_profile_survives_json(sample: Path) -> None:
    profile = replace(gather(_tree(sample)), certificates=(b"\x30\x00", b"\xff"))
    assert from_json(json.loads(json.dumps(to_json(profile)))) == profile
    assert from_json(to_json(replace(profile, certificates=None))).certificates is None


def test_json_of_another_kind(sample: Path) -> None:
    plain = to_json(gather(_tree(sample)))
    with pytest.raises(ValueError, match="schema"):
        from_json({**plain, "schema": "lkm.profile/0"})
    with pytest.raises(KeyError):
        from_json({"schema": plain["schema"]})


def test_the_stamp_tells_changes(own_sample: Path) -> None:
    tree = _tree(own_sample)
    before = stamp(tree)
    assert before == stamp(tree)
    (own_sample / "boot/config-6.1.0-sample").write_text("CONFIG_MODULES=y\n")
    assert stamp(tree) != before
    (own_sample / "boot/vmlinuz-6.1.0-sample").touch()
    assert None in before
    assert len(stamp(tree)) == len(before)
