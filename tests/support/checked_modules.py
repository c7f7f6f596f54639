"""Modules for the sample tree's kernel, made to be checked."""

from lkm.actions.sample_tree import VERMAGIC
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import

__all__ = [
    "INT_OPS",
    "LOCKDEP_LINE",
    "MAGIC_LINE",
    "OOT_LINE",
    "UNSIGNED_LINE",
    "needing",
    "offering",
    "own_module",
]

LAYOUT = 0x2A7A0F8B
PRINTK = Import("_printk", weak=False, crc=0x92997ED8)
INT_OPS = Import("param_ops_int", weak=False, crc=0x2D5F69B3)
MAGIC_LINE = f"mod: version magic '6.6.0 ' should be '{VERMAGIC}'"
OOT_LINE = "mod: loading out-of-tree module taints kernel."
UNSIGNED_LINE = "mod: module verification failed: signature and/or required key missing - tainting kernel"
LOCKDEP_LINE = "Disabling lock debugging due to kernel taint"


def own_module(
    name: str = "mod",
    *,
    licence: str = "GPL",
    vermagic: str = VERMAGIC,
    intree: bool = True,
    depends: tuple[str, ...] = (),
    imports: tuple[Import, ...] = (PRINTK,),
    exports: tuple[Export, ...] = (),
    parameters: tuple[Parameter, ...] = (),
) -> bytes:
    info = usual_modinfo(name, vermagic, licence=licence, intree=intree, depends=depends)
    return write(ModuleRecipe(name, info, imports=imports, exports=exports, parameters=parameters, layout_crc=LAYOUT))


def offering(symbol: str) -> tuple[Export, ...]:
    return (Export(symbol, 7, gpl_only=False, namespace=None),)


def needing(symbol: str) -> tuple[Import, ...]:
    return (Import(symbol, weak=False, crc=7),)
