"""A system's settings as a program changes them; what is written is tested with the actions."""

from collections.abc import Callable
from pathlib import Path

import pytest

import lkm

_OWN = ("etc/modprobe.d/lkm-parameters.conf", "etc/modprobe.d/00-lkm-blocked.conf", "etc/modules-load.d/lkm-boot.conf")


@pytest.fixture
def system(own_sample: Path) -> lkm.System:
    return lkm.System(str(own_sample), kernel="emulated")


def _commands(system: lkm.System) -> list[str]:
    """Give the words of the journal, without what names the system."""
    records = [entry.record for entry in system.settings.history().entries]
    assert all(record.command.startswith("lkm --root ") for record in records)
    return [record.command.partition(" --kernel emulated ")[2] for record in records]


def test_parameters_of_each_load_to_come(system: lkm.System, own_sample: Path) -> None:
    result = system.settings.set_parameters("dummy", {"numdummies": 4, "label": "a b"}, persist=True)
    assert [(done.name, done.manner, done.persisted) for done in result.done] == [
        ("numdummies", lkm.Manner.NOT_LOADED, "written"),
        ("label", lkm.Manner.NOT_LOADED, "written"),
    ]
    assert (own_sample / _OWN[0]).read_text().endswith('\noptions dummy numdummies=4 label="a b"\n')
    facts = {one.name: one for one in system.settings.parameters("dummy")}
    assert facts["label"].winner is not None
    assert (facts["label"].winner.value, facts["numdummies"].default) == ("a b", "0")
    unset = system.settings.unset_parameters("dummy", "label")
    assert (unset.subject.name, unset.elsewhere) == ("dummy", {})
    assert system.settings.unset_parameters("dummy").outcome.changes
    assert not (own_sample / _OWN[0]).exists()
    assert _commands(system) == [
        "param set dummy numdummies=4 'label=a b' --persist",
        "param unset dummy label",
        "param unset dummy",
    ]


def test_parameters_of_the_module_that_is_loaded(system: lkm.System) -> None:
    with pytest.raises(lkm.NotLoaded):
        system.settings.set_parameters("dummy", {"numdummies": 1})
    system.load("dummy", {"numdummies": 1})
    (done,) = system.settings.set_parameters("dummy", {"numdummies": 2}, reload=True).done
    assert (done.manner, done.now) == (lkm.Manner.RELOADED, "2")
    assert system.parameters("dummy")["numdummies"] == "2"


@pytest.mark.parametrize("values", [{"numdummies": "many"}, {"": 1}, {"a b": 1}])
def test_values_that_can_not_be(system: lkm.System, values: dict[str, lkm.ParameterValue]) -> None:
    with pytest.raises(lkm.UsageError):
        system.settings.set_parameters("dummy", values, persist=True)
    assert system.settings.history().entries == ()


def test_what_has_no_parameters(system: lkm.System) -> None:
    with pytest.raises(lkm.ModuleNotFound):
        system.settings.parameters("dumy")
    with pytest.raises(lkm.LkmError, match="no parameter 'colour'"):
        system.settings.set_parameters("dummy", {"colour": None}, persist=True)


def test_blocking_and_unblocking(system: lkm.System) -> None:
    system.load("dummy")
    seen: list[tuple[int, int]] = []
    done = system.settings.block("fat", "dummy", until_reboot=True)
    assert (done.names, done.dependents, done.loaded) == (("fat", "dummy"), ("vfat",), ("dummy",))
    assert done.routes == ()
    blocked = system.settings.blocked(progress=lambda done, total: seen.append((done, total)))
    assert [(module.name, module.holds) for module in blocked] == [("dummy", True), ("fat", True), ("pcspkr", True)]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert [module.routes for module in system.settings.blocked("fat", prove=False)] == [None]
    assert list(system.settings.routes_to("fat", "vfat")) == ["fat", "vfat"]
    with pytest.raises(lkm.Blocked):
        system.load("fat")
    assert system.settings.unblock("fat", "dummy").remaining == ()
    assert system.load("fat").inserted == ["fat"]
    assert _commands(system) == ["block fat dummy --until-reboot", "unblock fat dummy"]


def test_what_can_not_be_blocked(system: lkm.System) -> None:
    with pytest.raises(lkm.UsageError, match="part of the kernel image"):
        system.settings.block("unix")
    for ask in (system.settings.block, system.settings.routes_to, system.settings.plan_allow_only):
        with pytest.raises(lkm.ModuleNotFound):
            ask("vfta")
    assert system.settings.block("vfta", unknown=True, force=True).names == ("vfta",)


def test_allowing_only_what_is_needed(system: lkm.System) -> None:
    plan = system.settings.plan_allow_only("vfat")
    assert (plan.named, plan.refused) == (("vfat",), ("dummy", "pcspkr"))
    dry = system.settings.allow_only(plan, dry_run=True)
    assert (dry.number, dry.changes) == (None, True)
    assert "+install dummy /bin/false" in dry.diff
    system.settings.allow_only(plan)
    with pytest.raises(lkm.Blocked):
        system.load("dummy")
    assert system.settings.end_allow_only().changes
    assert not system.settings.end_allow_only().changes
    assert system.load("dummy").inserted == ["dummy"]
    assert _commands(system) == ["allow-only vfat", "allow-only --end"]


def test_what_is_loaded_at_boot(system: lkm.System, own_sample: Path) -> None:
    (added,) = system.settings.boot_add("fs-vfat").added
    assert (added.written, added.resolved.fate, added.resolved.modules) == (True, lkm.Fate.LOADS, ("vfat",))
    with pytest.raises(lkm.ModuleNotFound):
        system.settings.boot_add("vfta")
    (later,) = system.settings.boot_add("vfta", unchecked=True).added
    assert later.resolved.fate is lkm.Fate.MISSING
    assert [entry.mention.name for entry in system.settings.boot_list().entries] == ["fs-vfat", "vfta"]
    (own_sample / "usr/lib/modules-load.d").mkdir()
    (own_sample / "usr/lib/modules-load.d/some.conf").write_text("dummy\n")
    (kept,) = system.settings.boot_remove("dummy").removed
    assert [why.name for _, why in kept.kept] == ["VENDORS"]
    (masked,) = system.settings.boot_remove("dummy", mask=True).removed
    assert masked.taken
    assert _commands(system) == ["boot add fs-vfat", "boot add vfta --unchecked", "boot remove dummy --mask"]


def test_undoing(system: lkm.System, own_sample: Path) -> None:
    system.settings.block("vfat")
    system.settings.boot_add("dummy")
    assert system.settings.undo(1, dry_run=True).outcome.number is None
    undone = system.settings.undo(1)
    assert (undone.record.number, undone.outcome.number) == (1, 3)
    assert system.load("vfat").inserted == ["fat", "vfat"]
    assert system.settings.undo().record.number == 2
    with pytest.raises(lkm.UsageError, match="nothing to undo"):
        system.settings.undo(force=True)
    with pytest.raises(lkm.Unreadable):
        system.settings.undo(9)
    assert [path for path in _OWN if (own_sample / path).exists()] == []
    assert _commands(system)[2:] == ["undo 1", "undo"]


@pytest.mark.parametrize(
    "change",
    [
        lambda settings, dry: settings.set_parameters("dummy", {"numdummies": 1}, persist=True, dry_run=dry).outcome,
        lambda settings, dry: settings.block("vfat", dry_run=dry).outcome,
        lambda settings, dry: settings.boot_add("vfat", dry_run=dry).outcome,
    ],
)
def test_a_dry_run_says_what_would_be_done(
    system: lkm.System, own_sample: Path, change: Callable[[lkm.Settings, bool], lkm.ChangeOutcome]
) -> None:
    before = sorted(own_sample.rglob("*"))
    dry = change(system.settings, True)  # noqa: FBT003  of a test's own
    assert (sorted(own_sample.rglob("*")), dry.number) == (before, None)
    done = change(system.settings, False)  # noqa: FBT003  (as above)
    assert (done.diff, done.files, done.number) == (dry.diff, dry.files, 1)


def test_files_that_are_not_lkms(system: lkm.System, own_sample: Path) -> None:
    (own_sample / _OWN[0]).write_text("options dummy numdummies=9\n")
    with pytest.raises(lkm.UsageError, match="not lkm's"):
        system.settings.set_parameters("dummy", {"numdummies": 1}, persist=True)
    assert (own_sample / _OWN[0]).read_text() == "options dummy numdummies=9\n"
