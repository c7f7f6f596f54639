"""What a module needs and what needs it, as a graph."""

from pathlib import Path

import pytest

from lkm.actions.dependencies import Edge, dependencies_of, dependents_of
from lkm.actions.session import Session, Target
from lkm.errors import ModuleNotFound, TreeMissing


def _session(root: Path) -> Session:
    return Session(Target(root=str(root), release="1.0", kernel="live"))


def _tree(root: Path, modules: str, conf: str = "") -> Session:
    """Make a tree as text alone: without module files only modules.dep tells what needs what."""
    directory = root / "lib/modules/1.0"
    directory.mkdir(parents=True)
    (directory / "modules.dep").write_text(modules)
    (root / "etc/modprobe.d").mkdir(parents=True)
    (root / "etc/modprobe.d/a.conf").write_text(conf)
    return _session(root)


def test_direct_needs_come_from_the_module_itself(own_sample: Path) -> None:
    session = Session(Target(root=str(own_sample), kernel="emulated"))
    (graph,) = dependencies_of(session, "fs-vfat")
    assert (graph.name, graph.edges) == ("vfat", (Edge("vfat", "fat"),))
    (graph,) = dependents_of(session, "fat")
    assert graph.edges == (Edge("vfat", "fat"),)
    assert graph.next_to("fat", reverse=True) == graph.edges
    assert graph.next_to("fat", reverse=False) == ()
    assert graph.next_to("vfat", reverse=False) == graph.edges


def test_without_the_file_modules_dep_is_all_there_is(tmp_path: Path) -> None:
    session = _tree(tmp_path, "c.ko: b.ko a.ko\nb.ko: a.ko\na.ko:\n")
    (graph,) = dependencies_of(session, "c")
    assert set(graph.edges) == {Edge("c", "b"), Edge("c", "a"), Edge("b", "a")}
    (graph,) = dependents_of(session, "a")
    assert set(graph.edges) == {Edge("c", "b"), Edge("c", "a"), Edge("b", "a")}
    (graph,) = dependents_of(session, "c")
    assert graph.edges == ()


def test_soft_and_weak_dependencies(tmp_path: Path) -> None:
    conf = "softdep a pre: b nobody post: c\nsoftdep a pre: d\nweakdep a e\nsoftdep b pre: d\n"
    session = _tree(tmp_path, "".join(f"{name}.ko:\n" for name in "abcde"), conf)
    (graph,) = dependencies_of(session, "a")
    assert graph.edges == (
        Edge("a", "b", "pre"),
        Edge("a", "c", "post"),
        Edge("a", "d", "pre"),
        Edge("a", "e", "weak"),
        Edge("b", "d", "pre"),
    )


def test_loops_end(tmp_path: Path) -> None:
    session = _tree(tmp_path, "a.ko: b.ko\nb.ko: a.ko\n", "softdep a pre: b\nsoftdep b post: a\n")
    (graph,) = dependencies_of(session, "a")
    assert len(graph.edges) == 4
    (graph,) = dependents_of(session, "a")
    assert graph.edges == (Edge("b", "a"),)


def test_names_that_lead_nowhere(tmp_path: Path) -> None:
    session = _tree(tmp_path, "vfat.ko:\n")
    for ask in (dependencies_of, dependents_of):
        with pytest.raises(ModuleNotFound, match="vfta") as caught:
            ask(session, "vfta")
        assert caught.value.hint == "did you mean vfat?"
    (tmp_path / "empty").mkdir()
    with pytest.raises(TreeMissing):
        dependencies_of(_session(tmp_path / "empty"), "vfat")
