"""Making modules for one kernel."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from tests.support.signing import Signer
from tests.truth.kernels import KernelFacts, tree_of
from tests.truth.patch import Patch

from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_file import ModuleFile
from lkm.system.module_tree import ModuleTree

__all__ = ["NAME", "PARAMETERS", "Maker"]

NAME = "lkm_case"
_KINDS = (
    "byte", "short", "ushort", "int", "uint", "hexint", "long", "ulong", "ullong", "charp", "bool", "invbool", "bint",
)  # fmt: skip
PARAMETERS = (
    *(Parameter(f"a_{kind}", kind, permissions=0o644) for kind in _KINDS),
    Parameter("numbers", "array of int", permissions=0o444, is_array=True, capacity=3),
    Parameter("flags", "array of bool", permissions=0o444, is_array=True, capacity=2),
    Parameter("words", "array of charp", permissions=0o444, is_array=True, capacity=2),
    Parameter("text", "string", permissions=0o444, capacity=4),
    Parameter("risky", "int", permissions=0o644, unsafe=True),
    Parameter("port", "int", permissions=0o444, hwparam=True),
    Parameter("hidden", "int", permissions=0),
)
"""One of each kind. An invalid hexint is not told from an int; kernels before 5.9 lack it."""


@dataclass
class Maker:
    """Makes modules for one kernel.

    :param kernel: its name in the suite
    """

    kernel: str
    facts: KernelFacts
    rsa: Signer = field(default_factory=lambda: Signer(use_rsa=True))
    elliptic: Signer = field(default_factory=Signer)

    @property
    def profile(self) -> KernelProfile:
        return self.facts.profile

    @cached_property
    def tree(self) -> ModuleTree:
        """The kernel's own modules, which only cases that are marked as real may ask for."""
        return tree_of(self.kernel)

    def stock(self, name: str) -> ModuleFile:
        found = self.tree.module(name)
        assert found, name
        return found

    def info(self, name: str = NAME, *, licence: str = "GPL", intree: bool = True) -> tuple[tuple[str, str], ...]:
        return usual_modinfo(name, self.profile.vermagic, licence=licence, intree=intree)

    def recipe(self, name: str = NAME, /, **changes: object) -> ModuleRecipe:
        layout = self.profile.exports.get("module_layout")
        made = ModuleRecipe(
            name,
            self.info(name),
            layout_crc=layout.crc if layout else None,
            with_versions=self.profile.has("MODVERSIONS"),
            flag_table=self.facts.flag_table,
            struct_module_size=self.profile.struct_module_size or 0,
            init_offset=self.facts.init_offset,
            exit_offset=self.facts.exit_offset,
        )
        return replace(made, **changes)  # type: ignore[arg-type]  # the cases name fields of a recipe

    def module(self, name: str = NAME, /, **changes: object) -> bytes:
        return write(self.recipe(name, **changes))

    def patch(self, name: str = NAME, /, **changes: object) -> Patch:
        return Patch(self.module(name, **changes))

    def licensed(self, licence: str, name: str = NAME, /, **changes: object) -> bytes:
        return self.module(name, modinfo=self.info(name, licence=licence), **changes)

    def saying(self, *entries: tuple[str, str], without: tuple[str, ...] = (), **changes: object) -> bytes:
        """Make a module with more, or less, in its .modinfo; what is added comes first."""
        kept = tuple(entry for entry in self.info() if entry[0] not in without)
        return self.module(modinfo=(*entries, *kept), **changes)

    def needs(self, *names: str, crc: int | None = None, weak: bool = False) -> tuple[Import, ...]:
        """Make imports with the kernel's CRCs, or another."""
        exports = self.profile.exports
        own = {name: exports[name].crc for name in names if name in exports}
        return tuple(Import(name, weak, own.get(name) if crc is None else crc) for name in names)

    def with_parameters(self) -> bytes:
        kinds = (*_KINDS, "string")
        known = [kind for kind in kinds if f"param_ops_{kind}" in self.profile.exports]
        declared = tuple(p for p in PARAMETERS if (p.type or "").removeprefix("array of ") in known)
        imports = self.needs(*(f"param_ops_{kind}" for kind in known), "param_array_ops")
        return self.module(imports=imports, parameters=declared)

    # --- symbols of the kernel ----------------------------------------------------------------------------------------

    @property
    def printk(self) -> str:
        return "_printk" if "_printk" in self.profile.exports else "printk"

    @property
    def gpl_only(self) -> str:
        return "kobject_create_and_add"

    @property
    def free(self) -> str:
        return "kobject_put"

    def spaced(self, *, of_modules: bool = False) -> Export | None:
        """Give a symbol with a namespace, or with one of modules' names."""
        found = [export for export in self.profile.exports.values() if export.namespace]
        return min((e for e in found if (e.namespace or "").startswith("module:") is of_modules), default=None)
