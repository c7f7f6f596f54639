"""What modules export, read when it is asked for."""

from pathlib import Path

import pytest

from lkm.system import module_exports
from lkm.system.module_exports import ModuleExports, read_exports
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root


@pytest.fixture
def tree(own_sample: Path) -> ModuleTree:
    return ModuleTree(Root(str(own_sample)))


def _names(tree: ModuleTree) -> list[str]:
    return sorted(tree.exporters())


def test_a_module_is_read_when_it_is_looked_up(tree: ModuleTree) -> None:
    found = ModuleExports(tree, ["vfat", "fat"])
    assert (list(found), len(found), "fat" in found, "dummy" in found) == (["vfat", "fat"], 2, True, False)
    assert found["fat"][0].name == "fat_attach"
    Path(tree.root.host_path(f"{tree.directory}/kernel/fs/fat/fat.ko")).unlink()
    assert found["fat"][0].name == "fat_attach"  # it is not read again
    assert found["vfat"] == ()
    assert found.get("dummy") is None
    with pytest.raises(KeyError):
        found["dummy"]


def test_all_at_once(tree: ModuleTree) -> None:
    names = _names(tree)
    assert "fat" in names
    one_by_one = ModuleExports(tree, names)
    expected = {name: one_by_one[name] for name in names}
    assert dict(ModuleExports(tree, names).items()) == expected
    assert list(ModuleExports(tree, names).values()) == list(expected.values())
    assert ModuleExports(tree, names) == expected


def test_what_can_not_be_read_exports_nothing(tree: ModuleTree) -> None:
    Path(tree.root.host_path(f"{tree.directory}/kernel/fs/fat/fat.ko")).write_bytes(b"damaged")
    found = ModuleExports(tree, _names(tree))
    assert found["fat"] == ()
    assert dict(found.items())["fat"] == ()
    assert "fat" not in read_exports(tree, _names(tree))


def test_side_by_side(tree: ModuleTree, monkeypatch: pytest.MonkeyPatch) -> None:
    names = sorted(tree.paths())
    expected = read_exports(tree, names)
    monkeypatch.setattr(module_exports, "_MANY", 1)
    monkeypatch.setattr(module_exports, "processors", lambda: 3)
    assert list(read_exports(tree, names).items()) == list(expected.items())


def test_who_exports_a_symbol_is_known_without_reading(tree: ModuleTree, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ModuleExports(tree, _names(tree))
    monkeypatch.setattr(module_exports, "read_exports", lambda *_: pytest.fail("modules are read"))
    assert found.exporters_of(("fat_attach", "nobody")) == {"fat_attach": ("fat",)}
    assert ModuleExports(tree, ["vfat"]).exporters_of(("fat_attach",)) == {}


def test_who_exports_a_symbol_where_no_index_tells(tree: ModuleTree) -> None:
    found = ModuleExports(tree, _names(tree))
    Path(tree.root.host_path(f"{tree.directory}/modules.symbols.bin")).unlink()
    assert found.exporters_of(("fat_attach", "nobody")) == {"fat_attach": ("fat",)}
