"""What is known of a kernel."""

from dataclasses import replace

from tests.support.loader import PROFILE, export

from lkm.system.module_exports import ModuleExports
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root


def test_who_exports_a_symbol() -> None:
    profile = replace(PROFILE, module_exports={"a": (export("one"),), "b": (export("one"), export("two"))})
    assert profile.exporters_of(("one", "two", "three")) == {"one": ("a", "b"), "two": ("b",)}


def test_who_exports_a_symbol_as_the_index_tells(sample: str) -> None:
    tree = ModuleTree(Root(str(sample)))
    profile = replace(PROFILE, module_exports=ModuleExports(tree, ["fat"]))
    assert profile.exporters_of(("fat_attach",)) == {"fat_attach": ("fat",)}
