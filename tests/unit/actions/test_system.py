"""The library's front door; what it hands on to is tested with the actions."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.fake_sysfs import make_devices

import lkm
from lkm.actions.indexing import tree as index_tree
from lkm.actions.sample_tree import RELEASE, make_sample_tree
from lkm.rules.planning.steps import Insert, LoadStep, Remove, UnloadStep


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_sample_tree(str(tmp_path))
    return tmp_path


@pytest.fixture
def system(root: Path) -> lkm.System:
    return lkm.System(str(root), kernel="emulated")


def test_loading_and_removing(system: lkm.System) -> None:
    seen: list[LoadStep | UnloadStep] = []
    report = system.load("fs-vfat", announce=seen.append)
    assert (report.inserted, report.present, report.tolerated) == (["fat", "vfat"], [], [])
    assert [(module.name, module.used_by) for module in system.loaded()] == [("vfat", ()), ("fat", ("vfat",))]
    assert system.load("vfat").present == ["vfat"]
    with pytest.raises(lkm.InUse):
        system.unload("fat")
    assert system.unload("fat", holders=True, announce=seen.append).removed == ["vfat", "fat"]
    assert [type(step) for step in seen] == [Insert, Insert, Remove, Remove]
    assert system.loaded() == ()


def test_an_alias_of_several_modules_loads_all(root: Path) -> None:
    (root / "etc/modprobe.d/both.conf").write_text("alias both vfat\nalias both dummy\n")
    system = lkm.System(str(root), kernel="emulated")
    assert [plan.target.name for plan in system.plan_load("both")] == ["vfat", "dummy"]
    assert system.load("both").inserted == ["fat", "vfat", "dummy"]


def test_parameters(system: lkm.System) -> None:
    system.load("dummy", {"numdummies": 3, "label": "a b"})
    assert system.parameters("dummy") == {"numdummies": "3", "label": "a b"}
    assert system.parameters("nothing") == {}
    with pytest.raises(lkm.LoadRefused):
        system.load("dummy", first_time=True)


def test_refusals_and_flags(system: lkm.System, root: Path) -> None:
    old = str(root / "home/you/old.ko")
    with pytest.raises(lkm.LoadRefused) as refused:
        system.load(old)
    assert refused.value.causes
    assert system.load(old, flags=lkm.LoadFlags.IGNORE_VERMAGIC).inserted == ["old"]
    assert system.unload("old", flags=lkm.UnloadFlags.FORCE).removed == ["old"]
    with pytest.raises(lkm.Blocked):
        system.load("pcspkr")
    assert system.load("pcspkr", ignore_commands=True).inserted == ["pcspkr"]


def test_the_blacklist_for_names(root: Path) -> None:
    (root / "etc/modprobe.d/no.conf").write_text("blacklist dummy\n")
    system = lkm.System(str(root), kernel="emulated")
    with pytest.raises(lkm.Blocked):
        system.load("dummy", use_blacklist=True)
    assert system.load("dummy").inserted == ["dummy"]


def test_what_is_not_there(system: lkm.System, tmp_path: Path) -> None:
    for ask in (system.resolve, system.describe, system.dependencies, system.dependents, system.load, system.unload):
        with pytest.raises(lkm.ModuleNotFound):
            ask("vfta")
    with pytest.raises(lkm.NotLoaded):
        system.unload("vfat")
    with pytest.raises(lkm.UsageError, match="'colour'"):
        system.find("vfat", "colour")
    with pytest.raises(lkm.UsageError):
        lkm.System(kernel="imaginary")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(lkm.TreeMissing):
        lkm.System(str(empty), release=RELEASE, kernel="emulated").resolve("vfat")


def test_a_plan_changes_nothing(system: lkm.System) -> None:
    (plan,) = system.plan_load("vfat", {"x": 1})
    assert [step.name for step in plan.steps] == ["fat", "vfat"]
    assert system.loaded() == ()
    system.load("vfat")
    assert [step.name for step in system.plan_unload("vfat")] == ["vfat", "fat"]
    assert len(system.loaded()) == 2


def test_graphs(system: lkm.System) -> None:
    assert system.dependencies("vfat")[0].edges == (lkm.Edge("vfat", "fat"),)
    assert system.dependents("fat")[0].edges == (lkm.Edge("vfat", "fat"),)


def test_the_story_of_a_module(system: lkm.System, root: Path) -> None:
    (story,) = system.explain("fs-vfat").stories
    assert (story.name, story.alias, story.place.kind) == ("vfat", "fs_vfat", "file")
    assert story.outcome is not None
    assert story.outcome.loads
    (quiet,) = system.explain("pcspkr").stories
    assert [(line.line, line.effect) for line in quiet.lines] == [(2, lkm.Effect.COUNTS)]
    with pytest.raises(lkm.ModuleNotFound):
        system.explain("vfta")
    with pytest.raises(lkm.UsageError):
        system.explain(f"{root}/home/you/hello.ko")


def test_what_concerns_the_whole_is_of_the_same_system(system: lkm.System) -> None:
    system.load("dummy")
    assert system.settings.plan_allow_only().allowed == {"dummy": "loaded now"}
    assert system.health.taint().release == RELEASE
    assert system.trust.lockdown().release == RELEASE
    system.settings.block("vfat")
    with pytest.raises(lkm.Blocked):
        system.load("vfat")


def test_a_program_pays_for_what_it_uses(root: Path) -> None:
    """To load a module takes neither what signs and blocks, nor anybody's table printer."""
    script = f"""
import sys, lkm
system = lkm.System({str(root)!r}, kernel="emulated")
assert system.load("vfat").inserted == ["fat", "vfat"]
dear = ("lkm.actions.library", "lkm.actions.changes", "lkm.actions.blocking", "lkm.interfaces", "rich", "subprocess")
assert [name for name in sys.modules if name.startswith(dear)] == []
system.settings, system.health, system.trust
assert [name for name in sys.modules if name.startswith(("lkm.interfaces", "rich"))] == []
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_indexes_that_can_not_be_written(system: lkm.System, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, kind in ((13, lkm.PrivilegeMissing), (30, lkm.ReadOnlyFiles), (28, lkm.LkmError)):
        refusal = OSError(number, "can't")
        monkeypatch.setattr(index_tree, "index", lambda _, refusal=refusal: _refuse(refusal))
        with pytest.raises(kind, match="the indexes can't be written") as refused:
            system.index(use_cache=False)
        assert type(refused.value) is kind
        assert refused.value.where == system.tree.display_directory
    monkeypatch.undo()
    with pytest.raises(lkm.TreeMissing):
        lkm.System(str(system.tree.root.path), release="9.9", kernel="emulated").index()


def _refuse(error: OSError) -> None:
    raise error


def test_indexes_are_read_anew_when_they_were_written(system: lkm.System, root: Path) -> None:
    assert system.resolve("vfat")
    tree = root / "lib/modules" / RELEASE
    (tree / "kernel/fs/fat/vfat.ko").unlink()
    assert system.index(dry_run=True).modules == 3
    assert system.resolve("vfat")
    assert system.index(use_cache=False).modules == 3
    with pytest.raises(lkm.ModuleNotFound):
        system.resolve("vfat")


def test_configuration_from_elsewhere(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``modprobe -C``: paths of the machine, in place of all that the root has."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/a.conf").write_text("alias mine fat\noptions fat x=1\n")
    (tmp_path / "one").write_text("alias other dummy\n")
    monkeypatch.chdir(tmp_path)
    system = lkm.System(str(root), kernel="emulated", config_paths=["conf", "one"])
    assert [system.resolve(name)[0].name for name in ("mine", "other", "fs-vfat")] == ["fat", "dummy", "vfat"]
    assert system.configuration.options[0].file == f"{tmp_path}/conf/a.conf"
    assert system.configuration.installs == ()
    assert system.load("pcspkr").inserted == ["pcspkr"]


def test_all_devices(root: Path) -> None:
    make_devices(root)
    found = lkm.System(str(root), kernel="emulated").find_all_devices()
    claims = {one.device.path: [claim.module for claim in one.modules] for one in found}
    assert claims["/sys/devices/platform/pcspkr"] == ["pcspkr"]
    assert claims["/sys/devices/pci0/nobody"] == []
    assert isinstance(found[0], lkm.Claims)


def test_what_is_wrong_while_indexing_is_told(system: lkm.System, root: Path) -> None:
    (root / "lib/modules" / RELEASE / "kernel/broken.ko").write_bytes(b"no module")
    told: list[str] = []
    system.index(dry_run=True, say=lambda notice: told.append(notice.text))
    assert [text for text in told if "broken.ko" in text]


def test_a_system_closes(root: Path) -> None:
    with lkm.System(str(root), kernel="emulated") as system:
        assert system.kernel.release == RELEASE
        assert system.configuration.installs[0].module == "pcspkr"


def test_a_module_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert lkm.read_module("home/you/hello.ko").image.name == "hello"
    with pytest.raises(lkm.Unreadable):
        _ = lkm.read_module("home/you/none.ko").image
    with pytest.raises(lkm.UsageError):
        lkm.read_module("")
