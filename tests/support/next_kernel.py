"""A second kernel beside the sample tree's, in which everything that an upgrade can change has changed."""

from pathlib import Path

from lkm.actions.indexing.index import write_indexes
from lkm.actions.sample_tree import RELEASE as SAMPLE_RELEASE
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

__all__ = ["NEXT_RELEASE", "add_next_kernel"]

NEXT_RELEASE = "6.9.0-next"
_VERMAGIC = f"{NEXT_RELEASE} SMP preempt mod_unload modversions "
_LAYOUT = Export("module_layout", 0x51, gpl_only=False, namespace=None)
_INT = Export("param_ops_int", 0x54, gpl_only=False, namespace=None)
_FAT = (Export("fat_attach", 0x52, gpl_only=True, namespace=None),)
_NLS = (Export("load_nls", 0x53, gpl_only=False, namespace=None),)


def add_next_kernel(root: Path) -> None:
    """Add the kernel to a copy of the sample tree.

    fat is built in, with a parameter ``cache``; vfat needs ``nls`` as well; dummy has lost its parameter ``label``;
    ``beeper`` answers to what pcspkr did; unix, once built in, is a module.
    """
    tree = root / "usr/lib/modules" / NEXT_RELEASE
    modules = (
        _recipe("vfat", needs=_NLS, extra=(("alias", "fs-vfat"),)),
        _recipe("nls", exports=_NLS),
        _recipe(
            "dummy",
            extra=(("alias", "rtnl-link-dummy"),),
            parameters=(Parameter("numdummies", "int", permissions=0o444),),
        ),
        _recipe("beeper", extra=(("alias", "platform:pcspkr"),)),
        _recipe("unix"),
    )
    for recipe in modules:
        path = tree / "kernel" / f"{recipe.name}.ko"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write(recipe))
    exported = "".join(
        f"{export.crc:#010x}\t{export.name}\tvmlinux\tEXPORT_SYMBOL{'_GPL' if export.gpl_only else ''}\t\n"
        for export in (_LAYOUT, _INT, *_FAT)
    )
    (tree / "build").mkdir()
    (tree / "build/Module.symvers").write_text(exported)
    (tree / "modules.builtin").write_bytes(b"kernel/fs/fat/fat.ko\n")
    (tree / "modules.builtin.modinfo").write_bytes(b"fat.license=GPL\0fat.parmtype=cache:int\0")
    config = (root / f"boot/config-{SAMPLE_RELEASE}").read_text()
    (root / f"boot/config-{NEXT_RELEASE}").write_text(config.replace("CONFIG_FAT_FS=m", "CONFIG_FAT_FS=y"))
    write_indexes(ModuleTree(Root(str(root)), NEXT_RELEASE))


def _recipe(
    name: str,
    *,
    needs: tuple[Export, ...] = (),
    exports: tuple[Export, ...] = (),
    extra: tuple[tuple[str, str], ...] = (),
    parameters: tuple[Parameter, ...] = (),
) -> ModuleRecipe:
    return ModuleRecipe(
        name,
        (*extra, *usual_modinfo(name, _VERMAGIC, depends=("nls",) if needs else ())),
        imports=tuple(Import(export.name, weak=False, crc=export.crc) for export in (*needs, _INT)),
        exports=exports,
        parameters=parameters,
        layout_crc=_LAYOUT.crc,
        struct_module_size=0x4C0,
    )
