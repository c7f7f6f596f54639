"""Profiles that are kept until what they came from changes."""

from dataclasses import replace
from pathlib import Path

import pytest

from lkm.system import kept_profile, kernel_exports
from lkm.system.kept_profile import keep, kept
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_gathering import gather
from lkm.system.root import Root


@pytest.fixture
def tree(own_sample: Path) -> ModuleTree:
    return ModuleTree(Root(str(own_sample)))


def test_kept_until_something_changes(tree: ModuleTree, tmp_path: Path) -> None:
    path = str(tmp_path / "profile.json")
    assert kept(path, tree) is None
    profile = replace(gather(tree), command_line="as it was kept")
    keep(path, tree, profile)
    assert kept(path, tree) == profile
    Path(tree.root.host_path("/boot/config-6.1.0-sample")).write_text("CONFIG_MODULES=y\n")
    assert kept(path, tree) is None


def test_of_another_root_or_another_way_of_gathering(
    tree: ModuleTree, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "profile.json")
    keep(path, tree, gather(tree))
    assert kept(path, ModuleTree(Root(str(sample)))) is None
    monkeypatch.setattr(kept_profile, "GENERATION", -1)
    assert kept(path, tree) is None


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_none(tree: ModuleTree, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "profile.json").write_bytes(data)
    assert kept(str(tmp_path / "profile.json"), tree) is None


def test_what_others_may_have_written_is_none(tree: ModuleTree, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    keep(str(path), tree, gather(tree))
    path.chmod(0o664)
    assert kept(str(path), tree) is None
    path.chmod(0o644)
    assert kept(str(path), tree) is not None


def test_where_it_can_not_be_kept(tree: ModuleTree, tmp_path: Path) -> None:
    keep(str(tmp_path / "missing/profile.json"), tree, gather(tree))
    assert not (tmp_path / "missing").exists()


def test_exports_that_are_read_when_they_are_asked_for_are_not_kept(
    tree: ModuleTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "profile.json"
    monkeypatch.setattr(kernel_exports, "_MANY", 1)
    profile = gather(tree)
    keep(str(path), tree, profile)
    assert b"fat_attach" not in path.read_bytes()
    found = kept(str(path), tree)
    assert found == profile
    assert found is not None
    assert found.module_exports["fat"][0].name == "fat_attach"
