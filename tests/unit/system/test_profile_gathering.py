"""What is found out about a kernel, from what a root holds of it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.made_up_kernel import KernelRecipe, btf_of, bzimage, certificate, vmlinux

from lkm.errors import TreeMissing, Unreadable
from lkm.formats.compression import Compression, compress
from lkm.formats.elf.constants import Machine
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.system.kernel_traits import traits_of
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_gathering import gather, stamp
from lkm.system.root import Root

RELEASE = "6.1.0-sample"
VERMAGIC = f"{RELEASE} SMP preempt mod_unload modversions "
KERNEL = KernelRecipe(
    exports=(
        Export("_printk", 0x11, gpl_only=False, namespace=None),
        Export("iommu", 0x22, gpl_only=True, namespace="IOMMU"),
    ),
    certificates=(certificate(1), certificate(2)),
    parameters=(("printk.time", 0o644), ("hidden.one", 0), ("debug", 0o444)),
    btf=btf_of({"module": 0x400}),
    texts=("%s: module verification failed: signature", "%s: %s: kernel tainted."),
)


def _tree(root: Path, release: str | None = None) -> ModuleTree:
    return ModuleTree(Root(str(root)), release)


def _directory(root: Path) -> Path:
    return root / "usr/lib/modules/6.1.0-sample"


def _put_image(root: Path, recipe: KernelRecipe = KERNEL) -> str:
    path = root / f"boot/vmlinuz-{RELEASE}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bzimage(compress(vmlinux(recipe), Compression.GZIP)))
    return str(path)


def test_from_a_whole_root(sample: Path) -> None:
    profile = gather(_tree(sample))
    assert (profile.release, profile.vermagic, profile.machine) == (RELEASE, VERMAGIC, Machine.X86_64)
    assert (profile.struct_module_size, profile.is_64bit, profile.little_endian) == (0x380, True, True)
    assert profile.exports["_printk"].crc == 0x92997ED8
    assert profile.exports["input_register_device"].gpl_only
    assert "fat_attach" not in profile.exports  # a module's, not the kernel's
    assert [export.name for export in profile.module_exports["fat"]] == ["fat_attach", "fat_build_inode"]
    assert set(profile.module_exports) < set(_tree(sample).paths())
    assert profile.dependencies["vfat"] == ("fat",)
    assert profile.builtins == set(_tree(sample).builtins)
    assert profile.has("MODVERSIONS")
    assert not profile.has("MODULE_SIG_FORCE")
    assert profile.certificates is None  # there is no kernel image
    assert (profile.revoked_certificates, profile.version, profile.builtin_parameters) == ((), "", {})
    assert profile.traits == traits_of(RELEASE)


def test_every_fact_has_a_source(sample: Path) -> None:
    sources = gather(_tree(sample)).sources
    directory = f"{sample}/lib/modules/{RELEASE}"
    assert sources["release"] == directory
    assert sources["vermagic"] == sources["machine"] == sources["struct_module_size"]
    assert sources["vermagic"].startswith(f"{directory}/kernel/")
    assert sources["config"] == f"{sample}/boot/config-6.1.0-sample"
    assert sources["exports"] == f"{directory}/build/Module.symvers"
    assert sources["module_exports"] == f"the module files of {directory}"  # the records name only the kernel's own
    assert sources["dependencies"] == f"{directory}/modules.dep"
    assert sources["builtins"] == f"{directory}/modules.builtin"
    for fact in ("certificates", "version", "builtin_parameters"):
        assert sources[fact] == "unknown: no kernel image was found"
    assert sources["visible_builtins"].startswith("guessed from ")
    assert sources["command_line"].startswith("unknown")


def test_from_the_kernel_image(own_sample: Path) -> None:
    image = _put_image(own_sample)
    profile = gather(_tree(own_sample))
    assert profile.certificates == KERNEL.certificates
    assert profile.version == f"Linux version {RELEASE} (somebody@example.org) (cc) #7 SMP 2026-01-01"
    assert profile.builtin_parameters == {"printk": ("time",), "kernel": ("debug",)}
    assert {"printk", "kernel"} <= profile.visible_builtins
    assert profile.sources["certificates"] == profile.sources["builtin_parameters"] == image
    assert profile.exports["_printk"].crc == 0x92997ED8  # as the build's records have it, which come first
    shutil.rmtree(_directory(own_sample) / "build")
    profile = gather(_tree(own_sample))
    assert profile.exports == {export.name: export for export in KERNEL.exports}
    assert profile.sources["exports"] == image


def test_an_image_that_is_named_goes_before_all_else(sample: Path, tmp_path: Path) -> None:
    recipe = replace(KERNEL, config="CONFIG_MODULES=y\nCONFIG_MODULE_SIG_FORCE=y\n")
    image = _put_image(tmp_path, recipe)
    profile = gather(_tree(sample), image_path=image)
    assert profile.exports["_printk"].crc == 0x11
    assert profile.has("MODULE_SIG_FORCE")
    assert profile.sources["config"] == f"the copy inside of {image}"
    assert profile.struct_module_size == 0x380  # a module tells that best
    with pytest.raises(Unreadable, match="no such file") as caught:
        gather(_tree(sample), image_path=f"{tmp_path}/nothing")
    assert caught.value.where == f"{tmp_path}/nothing"
    (tmp_path / "text").write_text("no kernel")
    with pytest.raises(Unreadable, match="not a kernel image") as caught:
        gather(_tree(sample), image_path=f"{tmp_path}/text")
    assert caught.value.where == f"{tmp_path}/text"


def test_an_image_alone(tmp_path: Path) -> None:
    image = _put_image(tmp_path)
    (tmp_path / "empty").mkdir()
    profile = gather(_tree(tmp_path / "empty", RELEASE), image_path=image)
    assert (profile.release, profile.vermagic, profile.machine) == (RELEASE, VERMAGIC, Machine.X86_64)
    assert profile.struct_module_size == 0x400
    assert profile.sources["struct_module_size"] == image
    options = ("MODULES", "SMP", "MODULE_UNLOAD", "MODVERSIONS", "MODULE_SIG", "MODULE_FORCE_LOAD")
    assert profile.config == dict.fromkeys(options, "y")
    assert profile.sources["config"].startswith("guessed from the version magic and the texts in ")
    assert [len(known) for known in (profile.module_exports, profile.dependencies, profile.builtins)] == [0, 0, 0]
    assert profile.sources["module_exports"].startswith("unknown")
    assert profile.sources["dependencies"].startswith("unknown")
    assert profile.visible_builtins == {"printk", "kernel"}


def test_an_image_alone_that_does_not_tell_enough(tmp_path: Path) -> None:
    image = _put_image(tmp_path, replace(KERNEL, btf=b"damaged"))
    profile = gather(_tree(tmp_path, RELEASE), image_path=image)
    assert profile.struct_module_size is None
    assert profile.sources["struct_module_size"].startswith("unknown")
    image = _put_image(tmp_path, replace(KERNEL, options="of a kernel"))
    with pytest.raises(Unreadable, match="version magic"):
        gather(_tree(tmp_path, RELEASE), image_path=image)


def test_a_flat_image(own_sample: Path, tmp_path: Path) -> None:
    flat = bytearray(4096)
    flat[0x38:0x3C] = b"ARM\x64"
    magic = f"{RELEASE} SMP preempt mod_unload aarch64"
    flat[0x100:0x200] = f"Linux version {RELEASE} (x) #1\n\0{magic}\0".encode().ljust(256, b"\0")
    path = tmp_path / "Image"
    path.write_bytes(flat)
    profile = gather(_tree(tmp_path, RELEASE), image_path=str(path))
    assert (profile.machine, profile.vermagic, profile.is_64bit) == (Machine.AARCH64, magic, True)
    assert (profile.exports, profile.builtin_parameters) == ({}, {})
    assert profile.sources["exports"].startswith("guessed")
    shutil.rmtree(_directory(own_sample) / "build")
    profile = gather(_tree(own_sample), image_path=str(path))
    assert "_printk" in profile.exports  # the modules need it


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
    assert profile.module_exports["fat"][0].name == "fat_attach"
    assert profile.sources["module_exports"].startswith("the module files of ")


def test_built_ins_that_show_in_sys_module(own_sample: Path) -> None:
    (_directory(own_sample) / "modules.builtin").write_text("kernel/a.ko\nkernel/b.ko\nkernel/c.ko\n")
    info = _directory(own_sample) / "modules.builtin.modinfo"
    info.write_bytes(b"a.license=GPL\0b.parmtype=x:int\0b.parm=x:what\0c.version=1\0")
    assert gather(_tree(own_sample)).visible_builtins == {"b", "c"}
    _put_image(own_sample)
    assert gather(_tree(own_sample)).visible_builtins == {"c", "printk", "kernel"}
    (own_sample / f"boot/vmlinuz-{RELEASE}").unlink()
    info.unlink()
    assert gather(_tree(own_sample)).visible_builtins == {"a", "b", "c"}  # nothing tells: perhaps all


def test_dependencies_leave_out_what_others_bring_along(own_sample: Path) -> None:
    rows = "a.ko: b.ko c.ko d.ko\nb.ko: d.ko\nc.ko:\nd.ko:\nself.ko: self.ko c.ko\n"
    (_directory(own_sample) / "modules.dep").write_text(rows)
    (_directory(own_sample) / "a.ko").write_bytes(write(ModuleRecipe("a", usual_modinfo("a", VERMAGIC))))
    found = gather(_tree(own_sample)).dependencies
    assert found == {"a": ("b", "c"), "b": ("d",), "self": ("self", "c")}


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
    with pytest.raises(TreeMissing):
        gather(_tree(tmp_path, "2.0"))


def test_a_kernel_image_that_is_none(own_sample: Path) -> None:
    (own_sample / "boot/vmlinuz-6.1.0-sample").write_bytes(b"no kernel" * 1000)
    profile = gather(_tree(own_sample))
    assert profile.certificates is None
    assert "not a kernel image" in profile.sources["certificates"]


def test_the_stamp_tells_changes(own_sample: Path) -> None:
    tree = _tree(own_sample)
    before = stamp(tree)
    assert before == stamp(tree)
    (own_sample / "boot/config-6.1.0-sample").write_text("CONFIG_MODULES=y\n")
    assert stamp(tree) != before
    (own_sample / "boot/vmlinuz-6.1.0-sample").touch()
    assert None in before
    assert len(stamp(tree)) == len(before)
