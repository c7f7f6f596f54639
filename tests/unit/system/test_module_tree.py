"""The module tree: names in every spelling, trees with parts missing, and trees that lie."""

import shutil
from pathlib import Path

import pytest

from lkm.errors import FormatError, IndexMissing, TreeMissing, Unreadable
from lkm.formats.index_writer import Entry, encode
from lkm.formats.modinfo import Modinfo
from lkm.system.module_tree import ModuleTree, releases
from lkm.system.root import Root

RELEASE = "6.1.0-sample"


def _tree_at(root: Path) -> ModuleTree:
    return ModuleTree(Root(str(root)))


def _directory(root: Path) -> Path:
    return root / "usr/lib/modules" / RELEASE


def _bare(root: Path, *, text: str | None = None, release: str = RELEASE) -> Path:
    """Make a tree with nothing, or only modules.dep."""
    directory = root / "lib/modules" / release
    directory.mkdir(parents=True)
    if text is not None:
        (directory / "modules.dep").write_text(text)
    return directory


def _names(modules: object) -> list[str]:
    return [module.name for module in modules]  # type: ignore[attr-defined]  # any iterable of module files


# --- which tree -------------------------------------------------------------------------------------------------------


def test_the_only_tree_is_taken(sample: Path) -> None:
    tree = _tree_at(sample)
    assert tree.release == RELEASE
    assert releases(Root(str(sample))) == (RELEASE,)
    assert tree.display_directory == f"{sample}/lib/modules/{RELEASE}"
    assert RELEASE in repr(tree)


def test_split_usr_is_found_too(tmp_path: Path) -> None:
    _bare(tmp_path, text="a.ko:\n", release="1")
    (tmp_path / "usr/lib/modules/2").mkdir(parents=True)
    root = Root(str(tmp_path))
    assert releases(root) == ("1", "2")
    assert ModuleTree(root, "1").directory == "/lib/modules/1"
    assert ModuleTree(root, "2").directory == "/usr/lib/modules/2"
    assert ModuleTree(root, "3").directory == "/lib/modules/3"


def test_no_tree_and_several_trees(tmp_path: Path) -> None:
    with pytest.raises(TreeMissing, match="there is no module tree") as caught:
        _tree_at(tmp_path)
    assert caught.value.where == f"{tmp_path}/lib/modules"
    _bare(tmp_path, release="1")
    _bare(tmp_path, release="2")
    with pytest.raises(TreeMissing, match="2 module trees: 1, 2") as caught:
        _tree_at(tmp_path)
    assert caught.value.hint == "choose one with --release"


def test_the_hosts_own_release_is_the_default_on_the_host() -> None:
    tree = ModuleTree(Root())
    assert tree.release
    with pytest.raises(TreeMissing, match="there is no module tree for kernel"):
        ModuleTree(Root(), "9.9.9-none").require_indexes()


def test_a_missing_tree_names_those_that_are_there(sample: Path) -> None:
    tree = ModuleTree(Root(str(sample)), "9.9.9")
    with pytest.raises(TreeMissing) as caught:
        tree.require_indexes()
    assert caught.value.hint == f"trees here: {RELEASE} (--release)"
    assert tree.module("vfat") is None
    assert list(tree.modules()) == []
    assert not tree.is_builtin("unix")


@pytest.mark.parametrize("release", ["a/b", "..", ".", "../../etc", "a\0b"])
def test_a_release_is_one_name(sample: Path, release: str) -> None:
    with pytest.raises(TreeMissing, match="is no kernel release"):
        ModuleTree(Root(str(sample)), release)


# --- look-ups ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def dashed(tmp_path: Path) -> ModuleTree:
    """A tree as text alone, with names in mixed spelling and paths of every kind."""
    _bare(
        tmp_path,
        text="kernel/snd-hda_intel.ko.xz: kernel/snd_pcm.ko.gz kernel/snd.ko\n"
        "kernel/snd_pcm.ko.gz: kernel/snd.ko\n"
        "kernel/snd.ko:\n"
        "/opt/vendor/extra-mod.ko: kernel/snd.ko\n",
    )
    return _tree_at(tmp_path)


@pytest.mark.parametrize("name", ["snd_hda_intel", "snd-hda-intel", "snd_hda-intel"])
def test_dashes_and_underscores_are_equal(dashed: ModuleTree, name: str) -> None:
    module = dashed.module(name)
    assert module is not None
    assert (module.name, module.path) == ("snd_hda_intel", f"/lib/modules/{RELEASE}/kernel/snd-hda_intel.ko.xz")
    assert _names(dashed.dependencies(name)) == ["snd", "snd_pcm"]  # the first to be loaded first
    assert dashed.dependents("snd") == ("snd_hda_intel", "snd_pcm", "extra_mod")


def test_absolute_paths_of_modules_dep_are_inside_the_root(dashed: ModuleTree) -> None:
    module = dashed.module("extra-mod")
    assert module is not None
    assert module.path == "/opt/vendor/extra-mod.ko"
    assert module.display_path.endswith("/opt/vendor/extra-mod.ko")
    with pytest.raises(Unreadable):
        _ = module.raw


def test_text_alone_serves(dashed: ModuleTree) -> None:
    dashed.require_indexes()
    assert _names(dashed.modules()) == ["snd_hda_intel", "snd_pcm", "snd", "extra_mod"]
    assert dashed.by_alias("anything") == ()
    assert dashed.by_symbol("anything") == ()


def test_the_binary_index_alone_serves(tmp_path: Path) -> None:
    rows = ["z.ko: a.ko", "a.ko:"]
    data = encode(Entry(row[0], row, number) for number, row in enumerate(rows))
    (_bare(tmp_path) / "modules.dep.bin").write_bytes(data)
    tree = _tree_at(tmp_path)
    tree.require_indexes()
    assert _names(tree.modules()) == ["z", "a"]  # in the order of modules.dep
    assert _names(tree.dependencies("z")) == ["a"]
    assert tree.dependents("a") == ("z",)


def test_by_alias_symbol_and_builtin(sample: Path) -> None:
    tree = _tree_at(sample)
    assert tree.by_alias("fs-vfat".replace("-", "_")) == ("vfat",)
    assert tree.by_symbol("fat_attach") == ("fat",)
    assert tree.by_symbol("nobody") == ()
    assert tree.is_builtin("unix")
    assert not tree.is_builtin("vfat")
    assert tree.builtins == {"unix": "kernel/net/unix/unix.ko"}
    assert tree.builtin_modinfo["unix"] == Modinfo((("license", "GPL"), ("file", "net/unix/unix")))
    assert dict(tree.entries("modules.symbols"))["symbol:fat_attach"].text == "fat"


def test_builtins_without_their_index(own_sample: Path) -> None:
    (_directory(own_sample) / "modules.builtin.bin").unlink()
    tree = _tree_at(own_sample)
    assert tree.is_builtin("unix")
    (_directory(own_sample) / "modules.builtin").unlink()
    (_directory(own_sample) / "modules.builtin.modinfo").unlink()
    tree = _tree_at(own_sample)
    assert not tree.is_builtin("unix")
    assert tree.builtin_modinfo == {}


@pytest.mark.parametrize(
    "path", ["kernel/fs/fat/vfat.ko", "/lib/{}/kernel/fs/fat/vfat.ko", "/usr/lib/{}/kernel/fs/fat/vfat.ko"]
)
def test_by_path(sample: Path, path: str) -> None:
    found = _tree_at(sample).by_path(path.format(f"modules/{RELEASE}"))
    assert found is not None
    assert found.name == "vfat"


@pytest.mark.parametrize("path", ["vfat.ko", "/home/you/hello.ko", "kernel/fs/vfat.ko", "", "/etc/vfat.ko", "a\0b"])
def test_by_a_path_of_no_module_of_the_tree(sample: Path, path: str) -> None:
    assert _tree_at(sample).by_path(path) is None


@pytest.mark.parametrize("name", ["", "a/b", "../vfat", "..", "vfat\0", "x" * 10_000, "\udcff", "é", "\n", "*", "[a"])
def test_names_that_no_module_has(sample: Path, name: str) -> None:
    tree = _tree_at(sample)
    assert tree.module(name) is None
    assert tree.dependencies(name) == ()
    assert tree.dependents(name) == ()
    assert tree.by_alias(name) == ()
    assert tree.by_symbol(name) == ()
    assert not tree.is_builtin(name)


# --- what is missing or damaged ---------------------------------------------------------------------------------------


def test_without_modules_dep(tmp_path: Path) -> None:
    _bare(tmp_path)
    with pytest.raises(IndexMissing, match=r"modules\.dep is missing") as caught:
        _tree_at(tmp_path).require_indexes()
    assert caught.value.hint == f"write the indexes: lkm --root {tmp_path} index --release {RELEASE}"
    assert caught.value.where == f"{tmp_path}/lib/modules/{RELEASE}"


def test_a_tree_without_modules_is_a_tree(tmp_path: Path) -> None:
    _bare(tmp_path, text="")
    _tree_at(tmp_path).require_indexes()


@pytest.mark.parametrize("data", [b"", b"\0" * 11, b"#!/bin/sh\n" * 9, b"\xb0\x07\xf4\x57\x00\x03\x00\x01" + bytes(4)])
def test_what_is_no_index_is_said_to_be_none(own_sample: Path, data: bytes) -> None:
    path = _directory(own_sample) / "modules.dep.bin"
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        _tree_at(own_sample).module("vfat")
    assert caught.value.where == f"{own_sample}/lib/modules/{RELEASE}/modules.dep.bin"
    assert "depmod" in (caught.value.hint or "")


def test_every_look_up_in_a_damaged_index_names_the_file(own_sample: Path) -> None:
    """A header in order, then a root that points behind the file."""
    for name in ("dep", "alias", "symbols", "builtin", "builtin.alias"):
        data = b"\xb0\x07\xf4\x57\x00\x02\x00\x01" + (0x2FFFFFFF).to_bytes(4, "big")
        (_directory(own_sample) / f"modules.{name}.bin").write_bytes(data)
    (_directory(own_sample) / "modules.dep").unlink()
    tree = _tree_at(own_sample)
    asked = {
        "dep": (lambda: tree.module("vfat"), lambda: list(tree.modules())),
        "alias": (lambda: tree.by_alias("x"),),
        "symbols": (lambda: tree.by_symbol("x"), lambda: list(tree.entries("modules.symbols"))),
        "builtin": (lambda: tree.is_builtin("x"),),
        "builtin.alias": (lambda: tree.by_builtin_alias("x"),),
    }
    for name, questions in asked.items():
        for question in questions:
            with pytest.raises(FormatError) as caught:
                question()
            assert caught.value.where == f"{own_sample}/lib/modules/{RELEASE}/modules.{name}.bin"
            assert "depmod" in (caught.value.hint or "")


def test_a_row_that_is_none(tmp_path: Path) -> None:
    _bare(tmp_path, text="a.ko: b.ko\nnonsense\n")
    with pytest.raises(FormatError, match="line 2") as caught:
        _tree_at(tmp_path).module("a")
    assert caught.value.where == f"{tmp_path}/lib/modules/{RELEASE}/modules.dep"


@pytest.mark.parametrize("name", ["modules.dep.bin", "modules.dep"])
def test_a_directory_in_place_of_an_index_is_no_missing_index(tmp_path: Path, name: str) -> None:
    (_bare(tmp_path) / name).mkdir()
    with pytest.raises(Unreadable, match="is a directory"):
        _tree_at(tmp_path).module("vfat")


def test_bad_builtin_modinfo_names_the_file(own_sample: Path) -> None:
    path = _directory(own_sample) / "modules.builtin.modinfo"
    path.write_bytes(b"nodot\0")
    with pytest.raises(FormatError, match="without a module's name") as caught:
        _ = _tree_at(own_sample).builtin_modinfo
    assert caught.value.where == f"{own_sample}/lib/modules/{RELEASE}/modules.builtin.modinfo"


def test_a_hostile_modules_dep_reads_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "evil.ko").write_bytes(b"outside")
    root = tmp_path / "root"
    _bare(root, text="../../../../evil.ko: /../evil.ko\n")
    module = _tree_at(root).module("evil")
    assert module is not None
    with pytest.raises(Unreadable):
        _ = module.raw


def test_a_tree_that_is_a_link(sample: Path, tmp_path: Path) -> None:
    shutil.copytree(_directory(sample), tmp_path / "store/tree")
    (tmp_path / "lib/modules").mkdir(parents=True)
    (tmp_path / "lib/modules" / RELEASE).symlink_to("/store/tree")
    module = _tree_at(tmp_path).module("vfat")
    assert module is not None
    assert module.image.name == "vfat"
