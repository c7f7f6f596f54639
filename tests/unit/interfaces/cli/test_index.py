"""index: what it says, as text and as JSON, and what it leaves behind."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.schema import check_schema

from lkm.actions.indexing import tree as index_tree
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.formats.symbol_versions import Import

Lkm = Callable[..., Any]
RELEASE = "6.1.0-test"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tree of the root that the environment names: b needs a."""
    monkeypatch.setenv("LKM_ROOT", str(tmp_path))
    monkeypatch.delenv("LKM_RELEASE", raising=False)
    monkeypatch.delenv("LKM_KERNEL", raising=False)
    tree = tmp_path / "lib/modules" / RELEASE
    add(tree, "a", exports="offered")
    add(tree, "b", needs="offered")
    (tree / "modules.order").write_text("kernel/a.ko\nkernel/b.ko\n")
    for name in ("modules.builtin", "modules.builtin.modinfo"):
        (tree / name).write_bytes(b"")
    (tmp_path / "var/cache").mkdir(parents=True)
    time.sleep(0.12)  # of what has just been written no facts are kept
    return tree


def add(tree: Path, name: str, *, exports: str = "", needs: str = "") -> None:
    path = tree / f"kernel/{name}.ko"
    path.parent.mkdir(parents=True, exist_ok=True)
    exported = tuple(Export(symbol, 7, gpl_only=False, namespace=None) for symbol in exports.split())
    wanted = tuple(Import(symbol, weak=False, crc=7) for symbol in needs.split())
    fields = (("softdep", "pre: a"), ("weakdep", "a"))
    path.write_bytes(write(ModuleRecipe(name=name, modinfo=fields, exports=exported, imports=wanted)))


def test_it_tells_what_it_did(lkm: Lkm, tree: Path) -> None:
    outcome = lkm("index")
    assert (outcome.status, outcome.err) == (0, "")
    written = [path.name for path in tree.glob("modules.*") if path.suffix not in {".order", ".modinfo"}]
    assert outcome.out == f"{tree}: 2 modules, 2 of them read, {len(written) - 1} indexes written\n"
    assert (tree / "modules.dep").read_text() == "kernel/a.ko:\nkernel/b.ko: kernel/a.ko\n"
    assert "weakdep b a\n" in (tree / "modules.weakdep").read_text()
    assert lkm("index").out == f"{tree}: 2 modules, the indexes are current\n"
    assert "2 of them read" in lkm("index", "--no-cache").out


def test_a_dry_run(lkm: Lkm, tree: Path) -> None:
    (tree / "kernel/bad.ko").write_bytes(b"no module at all")
    outcome = lkm("index", "-n")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        f"error: failed to load symbols from {tree}/kernel/bad.ko: Exec format error",
        f"{tree}: 3 modules, 3 of them read, indexes would be written",
    ]
    assert not (tree / "modules.dep").exists()


def test_as_json(lkm: Lkm, tree: Path) -> None:
    (tree / "modules.builtin").unlink()
    plain = json.loads(lkm("index", "--json", "--no-cache").out)
    check_schema(plain, "index")
    inputs = {"modules.order", "modules.builtin.modinfo"}
    assert plain.pop("written") == sorted({path.name for path in tree.glob("modules.*")} - inputs)
    where = f"could not open modules.builtin at {tree}: No such file or directory"
    assert plain == {
        "schema": "lkm.index/1",
        "directory": str(tree),
        "modules": 2,
        "read": 2,
        "was_current": False,
        "notices": [{"level": "warning", "text": where}],
    }
    assert json.loads(lkm("index", "--json", "--dry-run").out)["written"] == []


def test_a_cycle_is_named_whole_with_its_symbols(lkm: Lkm, tree: Path) -> None:
    assert lkm("index").status == 0
    before = (tree / "modules.dep").read_bytes()
    add(tree, "a", exports="offered more", needs="third")
    add(tree, "b", exports="other", needs="offered more")
    add(tree, "c", exports="third", needs="other")
    outcome = lkm("index")
    assert (outcome.status, outcome.out) == (1, "")
    first = outcome.err.splitlines()[0]
    ways = ("a -> c -> b -> a", "b -> a -> c -> b", "c -> b -> a -> c")
    assert first.startswith(tuple(f"lkm: modules need each other: {way} (" for way in ways))
    for link in ("a needs third of c", "b needs offered, more of a", "c needs other of b"):
        assert link in first
    assert (tree / "modules.dep").read_bytes() == before
    answer = json.loads(lkm("index", "--json").out)
    check_schema(answer, "index")
    assert answer["error"]["type"] == "Loop"


def test_damaged_indexes_are_written_anew(lkm: Lkm, tree: Path) -> None:
    for name in ("modules.dep", "modules.dep.bin", "modules.alias.bin"):
        (tree / name).write_bytes(b"no index at all")
    assert lkm("index").status == 0
    assert lkm("deps", "b").status == 0


def test_what_can_not_be_indexed(lkm: Lkm, tree: Path, tmp_path: Path) -> None:
    outcome = lkm("index", "--release", "9.9")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.splitlines() == [
        f"lkm: {tmp_path}/lib/modules/9.9: there is no module tree for kernel 9.9",
        f"  hint: trees here: {RELEASE} (--release)",
    ]
    assert lkm("index", "--quickly").status == 2
    assert lkm("index", "extra").status == 2
    (tree / "modules.dep").mkdir()
    outcome = lkm("index", "--no-cache")
    assert (outcome.status, outcome.out) == (1, "")
    assert "is a directory" in outcome.err


@pytest.mark.parametrize("kind", [PermissionError(13, "Permission denied"), OSError(28, "No space left on device")])
def test_indexes_that_can_not_be_written(lkm: Lkm, tree: Path, monkeypatch: pytest.MonkeyPatch, kind: OSError) -> None:
    def refuse(*_: object, **__: object) -> None:
        kind.filename = f"{tree}/modules.dep.1.2"
        raise kind

    monkeypatch.setattr(index_tree, "index", refuse)
    outcome = lkm("index", "--json")
    answer = json.loads(outcome.out)
    check_schema(answer, "index")
    assert (outcome.status, answer["error"]["where"]) == (1, str(tree))
    assert str(kind.strerror).lower() in answer["error"]["what"]
    assert "none was written" in outcome.err
    assert ("run as root" in outcome.err) == isinstance(kind, PermissionError)
