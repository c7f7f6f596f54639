"""A root with a module that has parameters of all kinds, on an emulated kernel."""

from pathlib import Path

import pytest

from lkm.actions.indexing.index import write_indexes
from lkm.actions.sample_tree import RELEASE, VERMAGIC
from lkm.actions.session import Session, Target
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

_PARAMETERS = (
    Parameter("level", "int", "How much", permissions=0o644),
    Parameter("flag", "bool", permissions=0o644),
    Parameter("once", "uint", permissions=0o444),
    Parameter("hidden", "int", permissions=0),
    Parameter("name", "charp", permissions=0o644),
    Parameter("list", "array of int", permissions=0o644, is_array=True, capacity=3),
    Parameter("risky", "int", permissions=0o644, unsafe=True),
    Parameter("short_text", "string", permissions=0o644, capacity=8),
)
_OPERATIONS = tuple(f"param_{kind}" for kind in ("ops_bool", "ops_uint", "array_ops", "ops_string"))
_KNOWN = {"param_ops_int": 0x2D5F69B3, "param_ops_charp": 0x6E6B8C2E}  # of the sample tree


@pytest.fixture
def root(own_sample: Path) -> Path:
    """Give a root with the module ``tunable``, for whose parameters the kernel has all that they need."""
    tree = own_sample / f"lib/modules/{RELEASE}"
    with (tree / "build/Module.symvers").open("a") as symvers:
        symvers.writelines(f"0x00000001\t{name}\tvmlinux\tEXPORT_SYMBOL\t\n" for name in _OPERATIONS)
    recipe = ModuleRecipe(
        "tunable",
        modinfo=usual_modinfo("tunable", VERMAGIC),
        parameters=_PARAMETERS,
        imports=tuple(Import(name, weak=False, crc=_KNOWN.get(name, 1)) for name in (*_OPERATIONS, *_KNOWN)),
        layout_crc=0x2A7A0F8B,
    )
    place = own_sample / f"lib/modules/{RELEASE}/kernel/drivers/tunable.ko"
    place.write_bytes(write(recipe))
    write_indexes(ModuleTree(Root(str(own_sample)), RELEASE))
    return own_sample


@pytest.fixture
def session(root: Path, tmp_path: Path) -> Session:
    """Give the root's session, with an emulated kernel that is kept."""
    return Session(Target(str(root), kernel=f"emulated:{tmp_path}/kernel"))


@pytest.fixture
def elsewhere(root: Path) -> Session:
    """Give the root's session without a kernel of its own."""
    return Session(Target(str(root)))
