"""From names that a user gives to plans of removing them."""

from pathlib import Path

import pytest
from tests.support.planning import shown

from lkm.actions.session import Session, Target
from lkm.actions.unload_names import steps_for
from lkm.errors import ModuleNotFound, ModuleSupportMissing
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root


def _loaded(sample: Path, *names: str) -> Session:
    session = Session(Target(root=str(sample), kernel="emulated"))
    for name in names:
        module = session.tree.module(name) or ModuleFile(Root(str(sample)), f"/home/you/{name}.ko")
        session.kernel.load(module, "")
    return session


def _steps(session: Session, name: str, *, holders: bool = False, wait: bool = False) -> list[str]:
    return shown(steps_for(session, name, holders=holders, ignore_commands=False, wait=wait))


def test_names_and_aliases(sample: Path) -> None:
    session = _loaded(sample, "fat", "vfat")
    assert _steps(session, "vfat") == _steps(session, "fs-vfat") == ["remove vfat", "leftover fat?"]
    assert _steps(session, "fat") == ["fat is in use"]
    assert _steps(session, "fat", wait=True) == ["remove fat"]
    assert _steps(session, "fat", holders=True) == ["remove vfat", "remove fat"]
    assert _steps(session, "dummy") == ["dummy is not loaded"]
    assert _steps(session, "unix") == ["unix is built in"]


def test_a_loaded_module_that_the_tree_does_not_know(sample: Path) -> None:
    session = _loaded(sample, "hello")
    assert _steps(session, "hello") == ["remove hello"]


@pytest.mark.parametrize("name", ["nobody", "", "a\0b", "x" * 10_000, "[", "/etc/passwd"])
def test_nothing(sample: Path, name: str) -> None:
    with pytest.raises(ModuleNotFound):
        _steps(_loaded(sample), name)


def test_without_modules(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(Target(root=str(sample), kernel="live"))
    monkeypatch.setattr(session.kernel, "_root", Root(str(sample)))
    with pytest.raises(ModuleSupportMissing):
        _steps(session, "vfat")
