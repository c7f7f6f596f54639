"""From names and files that a user gives to plans of loading them."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.planning import shown

from lkm.actions.load_names import forbidden, looks_like_path, plans_for
from lkm.actions.sample_tree import VERMAGIC
from lkm.actions.session import Session, Target
from lkm.errors import ElfError, IndexMissing, ModuleNotFound, Unreadable, UsageError
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.rules.planning.load import LoadPlan


def _session(root: Path) -> Session:
    return Session(Target(root=str(root), kernel="emulated"))


def _plans(
    session: Session, *names: str, parameters: str = "", ignore: bool = False, blacklist: bool = False
) -> tuple[LoadPlan, ...]:
    return plans_for(session, names, parameters=parameters, ignore_commands=ignore, blacklist_names=blacklist)


def _conf(root: Path, text: str) -> None:
    (root / "etc/modprobe.d/more.conf").write_text(text)


@pytest.mark.parametrize(
    ("name", "is_path"),
    [("vfat", False), ("fs-vfat", False), ("./vfat", True), ("a.ko", True), ("a.ko.xz", True), ("a.koo", False)],
)
def test_what_looks_like_a_path(name: str, is_path: bool) -> None:  # noqa: FBT001  a column
    assert looks_like_path(name) is is_path


def test_names(sample: Path) -> None:
    session = _session(sample)
    (plan,) = _plans(session, "fs-vfat", parameters="a=1")
    assert (plan.target.name, shown(plan.steps)) == ("vfat", ["insert fat", "insert vfat a=1"])
    assert [plan.target.name for plan in _plans(session, "dummy", "vfat")] == ["dummy", "vfat"]
    assert shown(_plans(session, "unix")[0].steps) == ["builtin unix"]


def test_each_module_is_planned_once(own_sample: Path) -> None:
    """kmod lists fat twice: as what pcspkr's softdep needs, and for vfat itself."""
    _conf(own_sample, "softdep dummy pre: vfat fat\nsoftdep vfat pre: fat\n")
    (plan,) = _plans(_session(own_sample), "dummy")
    assert shown(plan.steps) == ["insert fat?", "insert vfat?", "insert dummy"]


def test_what_is_needed_stays_needed(own_sample: Path) -> None:
    _conf(own_sample, "alias soft fat\nsoftdep vfat pre: soft\nsoftdep fat pre: soft\n")
    (plan,) = _plans(_session(own_sample), "vfat")
    assert [step.required for step in plan.steps] == [True, True]


def test_not_found(sample: Path) -> None:
    session = _session(sample)
    with pytest.raises(ModuleNotFound, match="'vfatt'") as caught:
        _plans(session, "dummy", "vfatt")
    assert "vfat" in (caught.value.hint or "")
    with pytest.raises(ModuleNotFound) as caught:
        _plans(session, "x" * 10_000)
    assert len(str(caught.value)) < 300
    for odd in ("\x1b[31m", "\udcff", "\n"):
        with pytest.raises(ModuleNotFound) as caught:
            _plans(session, odd)
        assert odd not in str(caught.value)


def test_without_indexes(tmp_path: Path) -> None:
    (tmp_path / "lib/modules/1.0").mkdir(parents=True)
    with pytest.raises(IndexMissing):
        _plans(_session(tmp_path), "vfat")


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_brings_what_it_depends_on(sample: Path, tmp_path: Path) -> None:
    recipe = ModuleRecipe("mine", usual_modinfo("mine", VERMAGIC, depends=("vfat", "fat", "nobody")))
    (tmp_path / "mine.ko").write_bytes(write(recipe))
    (plan,) = _plans(_session(sample), f"{tmp_path}/mine.ko", parameters="a=1")
    assert plan.target.name == "mine"
    assert shown(plan.steps) == ["insert fat", "insert vfat", "insert mine a=1"]


def test_a_relative_path(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sample / "home/you")
    (plan,) = _plans(_session(sample), "hello.ko")
    assert shown(plan.steps) == ["insert hello"]


def test_files_that_are_none(sample: Path, tmp_path: Path) -> None:
    session = _session(sample)
    with pytest.raises(Unreadable):
        _plans(session, f"{tmp_path}/none.ko")
    with pytest.raises(UsageError):
        _plans(session, "/" + "x" * 5000)
    (tmp_path / "empty.ko").write_bytes(b"")
    with pytest.raises(ElfError) as caught:
        _plans(session, f"{tmp_path}/empty.ko")
    assert caught.value.where == f"{tmp_path}/empty.ko"


# --- what modprobe.d forbids ------------------------------------------------------------------------------------------


def test_the_sample_trees_own_ban(sample: Path) -> None:
    (plan,) = _plans(_session(sample), "pcspkr")
    error = forbidden(plan)
    assert error is not None
    assert (
        str(error)
        == f"{sample}/etc/modprobe.d/quiet.conf:2: modprobe.d forbids pcspkr: its install command is '/bin/false'"
    )
    assert "lkm load --ignore-install pcspkr" in (error.hint or "")
    (plan,) = _plans(_session(sample), "pcspkr", ignore=True)
    assert forbidden(plan) is None


@pytest.mark.parametrize(
    "command", ["/bin/true", "/bin/false", "true", ":", "exit 0", "/usr/bin/false  # no", "false x"]
)
def test_commands_that_do_nothing_forbid(own_sample: Path, command: str) -> None:
    _conf(own_sample, f"install fat {command}\n")
    (plan,) = _plans(_session(own_sample), "vfat")
    error = forbidden(plan)
    assert error is not None
    assert "forbids fat, which vfat needs" in str(error)


@pytest.mark.parametrize(
    "command",
    [
        "/bin/true && modprobe -i fat",
        "true; insmod fat",
        "/bin/true | cat",
        "true $(insmod x)",
        "true `x`",
        "/sbin/x",
        "truee",
    ],
)
def test_commands_that_do_something_do_not(own_sample: Path, command: str) -> None:
    _conf(own_sample, f"install fat {command}\n")
    (plan,) = _plans(_session(own_sample), "vfat")
    assert forbidden(plan) is None


def test_soft_dependencies_may_be_forbidden(own_sample: Path) -> None:
    _conf(own_sample, "softdep dummy pre: pcspkr\n")
    (plan,) = _plans(_session(own_sample), "dummy")
    assert forbidden(plan) is None


def test_the_blacklist(own_sample: Path) -> None:
    _conf(own_sample, "blacklist vfat\n")
    session = _session(own_sample)
    (by_alias,) = _plans(session, "fs-vfat")
    error = forbidden(by_alias)
    assert error is not None
    assert str(error) == f"{own_sample}/etc/modprobe.d/more.conf:1: vfat (asked for as fs_vfat) is blacklisted"
    (by_name,) = _plans(session, "vfat")
    assert forbidden(by_name) is None
    (strict,) = _plans(session, "vfat", blacklist=True)
    assert "vfat is blacklisted" in str(forbidden(strict))
    assert forbidden(replace(strict, blocked_by=None, steps=())) is None
