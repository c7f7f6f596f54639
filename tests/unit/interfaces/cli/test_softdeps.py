"""Soft dependencies beside install commands: where the verbs are kinder than modprobe, which keeps to kmod's rules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Lkm = Callable[..., Any]


def loaded(lkm: Lkm) -> list[str]:
    return [line.split()[0] for line in lkm("lsmod").out.splitlines()[1:]]


def test_all_lines_count_when_loading_and_when_removing(with_lines: Callable[[str], Lkm]) -> None:
    lkm = with_lines("softdep dummy pre: fat\nsoftdep dummy post: vfat\n")
    assert lkm("load", "dummy").status == 0
    assert loaded(lkm) == ["vfat", "dummy", "fat"]
    assert lkm("unload", "dummy").status == 0
    assert loaded(lkm) == []


def test_only_the_first_line_counts_for_modprobe(with_lines: Callable[[str], Lkm]) -> None:
    lkm = with_lines("softdep dummy pre: fat\nsoftdep dummy post: vfat\n")
    assert lkm("modprobe", "dummy").status == 0
    assert loaded(lkm) == ["dummy", "fat"]
    assert lkm("modprobe", "-r", "dummy").status == 0
    assert loaded(lkm) == []


def test_a_softdep_opens_no_way_round_an_install_line(with_lines: Callable[[str], Lkm]) -> None:
    lkm = with_lines("softdep dummy pre: fat\ninstall dummy /bin/false\n")
    outcome = lkm("load", "dummy")
    assert (outcome.status, loaded(lkm)) == (1, [])
    assert "modprobe.d forbids dummy" in outcome.err
    assert lkm("modprobe", "dummy").status == 0  # kmod's rule: modprobe.d(5) "softdep takes precedence"
    assert loaded(lkm) == ["dummy", "fat"]


def test_an_install_command_runs_beside_soft_dependencies(with_lines: Callable[[str], Lkm], tmp_path: Path) -> None:
    lkm = with_lines(f"softdep dummy pre: fat\ninstall dummy echo $MODPROBE_MODULE $CMDLINE_OPTS > {tmp_path}/ran\n")
    assert lkm("load", "dummy", "numdummies=1").status == 0
    assert (tmp_path / "ran").read_text() == "dummy numdummies=1\n"
    assert loaded(lkm) == ["fat"]


def test_a_dependency_keeps_its_install_line(with_lines: Callable[[str], Lkm]) -> None:
    lkm = with_lines("softdep fat pre: dummy\ninstall fat /bin/false\n")
    outcome = lkm("load", "vfat")
    assert (outcome.status, loaded(lkm)) == (1, [])
    assert "modprobe.d forbids fat, which vfat needs" in outcome.err
