"""block, unblock, blocked, allow-only: as text and as JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.schema import check_schema

Lkm = Callable[..., Any]


@pytest.fixture
def on_own(lkm: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> Lkm:
    """Run on a copy of the sample tree that forbids nothing."""
    (own_sample / "etc/modprobe.d/quiet.conf").unlink()
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    monkeypatch.setenv("LKM_KERNEL", f"emulated:{own_sample}/kernel")
    return lkm


def test_a_module_is_out_and_in_again(on_own: Lkm) -> None:
    assert on_own("load", "vfat").status == 0
    assert on_own("unload", "vfat").status == 0
    blocked = on_own("block", "fat")
    assert (blocked.status, blocked.err) == (0, "")
    assert "no name, alias, device or dependency leads to fat any more\n" in blocked.out
    assert "with it goes what depends on it: vfat (which needs it)\n" in blocked.out
    for name in ("fat", "vfat", "fs-vfat"):
        assert on_own("load", name).status == 1
        assert on_own("modprobe", name).status == 1
    assert on_own("unblock", "fat").status == 0
    assert on_own("load", "vfat").status == 0


def test_nothing_can_be_blocked_by_mistake(on_own: Lkm) -> None:
    outcome = on_own("block", "vfta")
    assert (outcome.status, outcome.out) == (1, "")
    assert "did you mean vfat?" in outcome.err
    outcome = on_own("block", "fs-vfat")
    assert (outcome.status, outcome.out) == (2, "")
    outcome = on_own("block")
    assert outcome.status == 2


def test_check(on_own: Lkm) -> None:
    outcome = on_own("block", "--check", "dummy")
    assert outcome.status == 1
    assert "dummy: its name loads it" in outcome.out
    on_own("block", "dummy")
    assert on_own("block", "--check", "dummy").out == "dummy: nothing leads to it\n"


def test_the_list(on_own: Lkm, own_sample: Path) -> None:
    assert on_own("blocked").out == "nothing keeps a module out\n"
    (own_sample / "etc/modprobe.d/a.conf").write_text("blacklist dummy\nblacklist nowhere\n")
    listed = on_own("blocked")
    assert listed.status == 0
    assert [line.split("  ")[0] for line in listed.out.splitlines()[:3]] == ["MODULE", "dummy", "nowhere"]
    assert "in part" in listed.out.splitlines()[1]
    assert "not installed" in listed.out.splitlines()[2]
    asked = on_own("blocked", "dummy", "fat")
    assert asked.status == 1
    assert asked.out.endswith("fat: nothing keeps it out\n")


def test_a_configuration_that_can_not_be_read_may_keep_more_out(on_own: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/loop.conf").symlink_to("loop.conf")
    listed = on_own("blocked")
    first, note = listed.out.splitlines()
    assert first == "nothing that can be read keeps a module out"
    assert note.startswith("note: what ")
    assert note.endswith("/loop.conf says of modules is not known: too many levels of links")
    told = json.loads(on_own("blocked", "--json").out)
    check_schema(told, "blocked")
    assert told["notes"] == [note.removeprefix("note: ")]


def test_the_kernels_own_list(on_own: Lkm, own_sample: Path) -> None:
    (own_sample / "kernel").mkdir()
    (own_sample / "kernel/cmdline").write_text("module_blacklist=vfat module_blacklist=dummy,no-such\n")
    lines = on_own("blocked").out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["dummy", "yes"], ["no-such", "not"]]


@pytest.mark.parametrize("lost", ["blacklist", "install", "softdep"])
def test_a_line_that_somebody_took_out(on_own: Lkm, own_sample: Path, lost: str) -> None:
    file = own_sample / "etc/modprobe.d/00-lkm-blocked.conf"
    on_own("block", "dummy")
    whole = set(file.read_text().splitlines())
    file.write_text("".join(f"{line}\n" for line in file.read_text().splitlines() if not line.startswith(lost)))
    assert "00-lkm-blocked.conf: changed" in on_own("block", "dummy").out
    assert set(file.read_text().splitlines()) == whole
    file.write_text("".join(f"{line}\n" for line in file.read_text().splitlines() if not line.startswith(lost)))
    assert "00-lkm-blocked.conf: removed" in on_own("unblock", "dummy").out
    assert on_own("blocked").out == "nothing keeps a module out\n"


def test_a_name_that_nothing_blocks(on_own: Lkm) -> None:
    outcome = on_own("unblock", "vfta", "fat")
    assert (outcome.status, outcome.out) == (0, "vfta: no kernel here has it (did you mean vfat?)\nfat: not blocked\n")
    told = json.loads(on_own("unblock", "vfta", "--json").out)
    check_schema(told, "unblock")
    assert told["unknown"] == [{"name": "vfta", "alike": ["vfat"]}]


def test_who_wants_a_blocked_module_is_told_to_unblock_it(on_own: Lkm) -> None:
    on_own("block", "fat")
    for name, hint in (
        ("fat", "lkm unblock fat, or go round it"),
        ("fs-vfat", "lkm unblock fat, or go round it"),
    ):
        assert f"hint: {hint}" in on_own("load", name).err
    assert "try:         lkm unblock fat\n" in on_own("explain", "vfat").out
    on_own("block", "dummy")
    assert "hint: lkm unblock dummy\n" in on_own("load", "rtnl-link-dummy").err


def test_an_allow_list_is_asked_about(on_own: Lkm, own_sample: Path) -> None:
    outcome = on_own("allow-only", "dummy")
    assert outcome.status == 2
    assert "--yes" in outcome.err
    listed = own_sample / "list"
    listed.write_text("# needed\nvfat  # for the boot\n\n")
    outcome = on_own("allow-only", "--list", str(listed), "--yes", "-v")
    assert (outcome.status, outcome.err) == (0, "")
    assert "allowed: 2 modules; refused: 2, 2 of them new\n" in outcome.out
    assert "fat      vfat needs it, on 6.1.0-sample\n" in outcome.out
    assert on_own("load", "dummy").status == 1
    assert on_own("load", "vfat").status == 0
    assert on_own("unblock", "dummy").status == 0
    assert on_own("load", "dummy").status == 0
    assert on_own("allow-only", "--end").status == 0
    assert on_own("allow-only", "--end").out == "there is no allow list\n"


def test_a_list_that_can_not_be_read(on_own: Lkm) -> None:
    outcome = on_own("allow-only", "--list", "/nowhere", "--yes")
    assert (outcome.status, outcome.out) == (2, "")
    assert "/nowhere" in outcome.err


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        (["block", "dummy"], "block"),
        (["block", "-n", "dummy"], "block"),
        (["block", "vfta"], "block"),
        (["block", "--check", "dummy"], "block-check"),
        (["unblock", "dummy"], "unblock"),
        (["blocked", "dummy"], "blocked"),
        (["allow-only", "--yes", "dummy"], "allow-only"),
        (["allow-only", "--end"], "allow-only"),
    ],
)
def test_as_json(on_own: Lkm, own_sample: Path, words: list[str], schema: str) -> None:
    (own_sample / "etc/modprobe.d/a.conf").write_text("blacklist dummy\n")
    check_schema(json.loads(on_own(*words, "--json").out), schema)
