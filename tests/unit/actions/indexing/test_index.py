"""Indexing a tree: what is written, what is kept, and what is noticed."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lkm.actions.indexing.index import IndexRequest, IndexResult, index, require_sound
from lkm.errors import Loop, TreeMissing
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.formats.symbol_versions import Import
from lkm.system.notices import Notice
from lkm.system.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable

RELEASE = "6.1.0-test"
LONG_AGO = time.time() - 1000


def add(root: Path, name: str, *, exports: str = "", needs: str = "", alias: str = "x") -> Path:
    recipe = ModuleRecipe(
        name=name,
        modinfo=(("alias", alias),),
        exports=tuple(Export(symbol, 1, gpl_only=False, namespace=None) for symbol in exports.split()),
        imports=tuple(Import(symbol, weak=False, crc=1) for symbol in needs.split()),
    )
    path = root / f"lib/modules/{RELEASE}/kernel/{name}.ko"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write(recipe))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    add(tmp_path, "a", exports="offered")
    add(tmp_path, "b", needs="offered")
    tree = tmp_path / f"lib/modules/{RELEASE}"
    (tree / "modules.order").write_text("kernel/a.ko\nkernel/b.ko\n")
    (tree / "modules.builtin").write_text("kernel/unix.ko\n")
    (tree / "modules.builtin.modinfo").write_bytes(b"unix.alias=net-pf-1\0")
    (tmp_path / "var/cache").mkdir(parents=True)
    return tmp_path


def run(
    root: Path, notices: list[Notice] | None = None, *, use_cache: bool = True, texts_only: bool = False
) -> IndexResult:
    time.sleep(0.12)  # what has just been written is not kept
    said = [] if notices is None else notices
    directory = f"/lib/modules/{RELEASE}"
    request = IndexRequest(
        Root(str(root)), directory, directory, use_cache=use_cache, say=said.append, texts_only=texts_only
    )
    return index(request)


def dep(root: Path) -> str:
    return (root / f"lib/modules/{RELEASE}/modules.dep").read_text()


def test_all_files_are_written(root: Path) -> None:
    result = run(root)
    assert dep(root) == "kernel/a.ko:\nkernel/b.ko: kernel/a.ko\n"
    written = {path.name for path in (root / f"lib/modules/{RELEASE}").glob("modules.*")}
    assert written == {*result.files, "modules.order", "modules.builtin", "modules.builtin.modinfo"}


def test_a_second_run_reads_nothing(root: Path) -> None:
    assert run(root).read == 2
    again = run(root)
    assert (again.was_current, again.read) == (True, 0)


def test_a_run_after_a_change_reads_what_changed(root: Path) -> None:
    run(root)
    add(root, "c", needs="offered")
    result = run(root)
    assert (result.read, result.was_current) == (1, False)
    assert "kernel/c.ko: kernel/a.ko\n" in dep(root)
    (root / f"lib/modules/{RELEASE}/kernel/a.ko").unlink()
    result = run(root)
    assert (result.read, result.modules) == (0, 2)
    assert "a.ko" not in dep(root)


def test_an_index_that_was_touched_is_made_anew(root: Path) -> None:
    run(root)
    (root / f"lib/modules/{RELEASE}/modules.dep").write_text("spoilt\n")
    assert not run(root).was_current
    assert dep(root).startswith("kernel/a.ko:")


def test_a_file_with_the_old_date_and_size_is_noticed(root: Path) -> None:
    path = add(root, "b", needs="offered", alias="one")
    os.utime(path, (LONG_AGO, LONG_AGO))
    run(root)
    add(root, "b", needs="offered", alias="two")
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert run(root).read == 1
    assert "alias two b" in (root / f"lib/modules/{RELEASE}/modules.alias").read_text()


@pytest.mark.parametrize("spoil", ["flip", "cut", "other", "open"])
def test_a_bad_cache_is_dropped(root: Path, spoil: str) -> None:
    run(root)
    (stamp,) = (root / "var/cache/lkm/index").glob("*.stamp")
    (facts,) = (root / "var/cache/lkm/index").glob("*.facts")
    stamp.write_bytes(b"")
    data = facts.read_bytes()
    if spoil == "flip":
        facts.write_bytes(data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
    elif spoil == "cut":
        facts.write_bytes(data[:40])
    elif spoil == "other":
        facts.write_bytes(b"something else altogether, and long enough for a header")
    else:
        facts.chmod(0o666)
    assert run(root).read == 2
    assert dep(root) == "kernel/a.ko:\nkernel/b.ko: kernel/a.ko\n"


def test_no_cache_is_kept_where_none_is_wanted(root: Path) -> None:
    run(root, use_cache=False)
    assert not (root / "var/cache/lkm").exists()
    (root / "var/cache").rmdir()
    run(root)
    assert not (root / "var/cache").exists()


def test_a_run_with_a_cache_makes_what_one_without_does(root: Path) -> None:
    """Modules come, change and go, with aliases, exports and needs of their own."""
    changes: list[Callable[[], object]] = [
        lambda: add(root, "c", needs="offered unknown", alias="pci:v1*"),
        lambda: add(root, "d", exports="unknown", alias="a-b[-]"),
        lambda: add(root, "a", exports="offered other", alias="x"),
        lambda: add(root, "b", needs="other", alias="pci:v1*"),
        (root / f"lib/modules/{RELEASE}/kernel/c.ko").unlink,
        (root / f"lib/modules/{RELEASE}/modules.order").unlink,
    ]
    for change in changes:
        run(root)
        change()
        kept = run(root)
        assert kept.read <= 1
        assert kept.files == run(root, use_cache=False).files


def test_two_processes_make_what_one_does(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(root, "c", alias="devname:x")
    alone_notices: list[Notice] = []
    alone = run(root, alone_notices, use_cache=False)
    monkeypatch.setattr("lkm.actions.indexing.index._FEWEST", 0)
    notices: list[Notice] = []
    assert run(root, notices, use_cache=False).files == alone.files
    assert notices == alone_notices
    assert "devname (x)" in notices[0].text
    add(root, "a", exports="offered", needs="other")
    add(root, "b", exports="other", needs="offered")
    assert not run(root, use_cache=False).files


def test_a_dry_run_writes_nothing(root: Path) -> None:
    result = run(root, texts_only=True)
    assert result.files["modules.dep"] == b"kernel/a.ko:\nkernel/b.ko: kernel/a.ko\n"
    assert not (root / f"lib/modules/{RELEASE}/modules.dep").exists()


def test_modules_that_need_each_other_leave_the_old_indexes(root: Path) -> None:
    run(root)
    before = dep(root)
    add(root, "a", exports="offered", needs="other")
    add(root, "b", exports="other", needs="offered")
    result = run(root)
    with pytest.raises(Loop, match="b needs offered of a"):
        require_sound(result)
    assert dep(root) == before


def test_damaged_modules_are_told_and_get_a_row(root: Path) -> None:
    (root / f"lib/modules/{RELEASE}/kernel/bad.ko").write_bytes(b"no module at all, really")
    for _ in range(2):
        notices: list[Notice] = []
        run(root, notices)
        assert [notice.text.rpartition(": ")[2] for notice in notices] == ["Exec format error"]
    assert "kernel/bad.ko:\n" in dep(root)


def test_missing_inputs_are_told(root: Path) -> None:
    (root / f"lib/modules/{RELEASE}/modules.order").unlink()
    notices: list[Notice] = []
    run(root, notices)
    where = f"/lib/modules/{RELEASE}"
    assert [notice.text for notice in notices] == [
        f"could not open modules.order at {where}: No such file or directory"
    ]


def test_a_missing_tree_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TreeMissing, match="could not open directory"):
        run(tmp_path)
