"""explain: as text and as JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.schema import check_schema

from lkm.formats import cpio

Lkm = Callable[..., Any]


def test_a_module(on_sample: Lkm, sample: Path) -> None:
    outcome = on_sample("explain", "vfat")
    assert (outcome.status, outcome.err) == (0, "")
    told = f"""\
vfat: VFAT file systems: FAT with long names
  where: {sample}/lib/modules/6.1.0-sample/kernel/fs/fat/vfat.ko
  state: not loaded
  asked for by: nothing on this system
  the kernel asks for it when:
    a file system of type vfat is mounted
  configuration: no line of modprobe.d or of the kernel command line concerns it
  if loaded now: loads on 6.1.0-sample; no taints
    first:       fat is loaded
    not known:   what the module's init function returns
"""
    assert outcome.out.startswith(told)


def test_lines_that_lose(with_lines: Callable[[str], Lkm], own_sample: Path) -> None:
    lkm = with_lines("options dummy numdummies=1\noptions dummy numdummies=2\n")
    where = f"{own_sample}/etc/modprobe.d/more.conf"
    told = lkm("explain", "dummy").out
    assert (
        f"""\
  configuration:
    overridden  {where}:1: options dummy numdummies=1
                (the last value of a parameter wins: {where}:2)
    counts      {where}:2: options dummy numdummies=2
"""
        in told
    )


def test_an_alias_that_is_forbidden(on_sample: Lkm, sample: Path) -> None:
    told = on_sample("explain", "platform:pcspkr").out
    assert told.startswith("pcspkr (for platform:pcspkr): PC speaker beeper\n")
    assert f"counts  {sample}/etc/modprobe.d/quiet.conf:2: install pcspkr /bin/false" in told
    assert "if loaded now: does not load on 6.1.0-sample: modprobe.d forbids pcspkr" in told


def test_loaded(on_sample: Lkm) -> None:
    assert on_sample("load", "vfat").status == 0
    told = on_sample("explain", "fat").out
    assert "  state: loaded, used by vfat\n" in told
    assert "if loaded now" not in told


def test_a_built_in(on_sample: Lkm) -> None:
    told = on_sample("explain", "unix").out
    assert "built into 6.1.0-sample" in told
    assert "if loaded now" not in told


def test_early_boot_has_an_old_copy(with_lines: Callable[[str], Lkm], own_sample: Path) -> None:
    lkm = with_lines("options dummy numdummies=1\n")
    (own_sample / "etc/modprobe.d/new.conf").write_text("blacklist dummy\n")
    old = cpio.file("etc/modprobe.d/more.conf", b"options dummy numdummies=2\n")
    image = cpio.write([cpio.directory("etc/modprobe.d"), old])
    (own_sample / "boot/initrd.img-6.1.0-sample").write_bytes(image)
    told = lkm("explain", "dummy").out
    assert (
        f"""\
  early boot: {own_sample}/boot/initrd.img-6.1.0-sample does not have the module
    /etc/modprobe.d/more.conf is another one there
    /etc/modprobe.d/new.conf is not there
    build it anew with the tool that made it (none that lkm knows is installed here)
"""
        in told
    )


def test_what_can_not_be_read_is_told_of(with_lines: Callable[[str], Lkm], own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/loop.conf").symlink_to("loop.conf")
    outcome = with_lines("")("explain", "vfat")
    assert outcome.status == 0
    assert outcome.out.endswith("/loop.conf says of modules is not known: too many levels of links\n")


def test_an_unknown_name(on_sample: Lkm) -> None:
    outcome = on_sample("explain", "vfta")
    assert (outcome.status, outcome.out) == (1, "")
    assert "did you mean vfat?" in outcome.err


def test_a_file(on_sample: Lkm) -> None:
    outcome = on_sample("explain", "./vfat.ko")
    assert (outcome.status, outcome.out) == (2, "")
    assert "lkm check FILE" in outcome.err


def test_as_json(with_lines: Callable[[str], Lkm]) -> None:
    lkm = with_lines("install dummy /bin/false\ninstall dummy /bin/true\nblacklist dummy\n")
    outcome = lkm("explain", "--json", "dummy", "fat", "unix")
    answer = json.loads(outcome.out)
    check_schema(answer, "explain")
    first, second, third = (explanation["modules"][0] for explanation in answer["explanations"])
    assert [line["effect"] for line in first["configuration"]] == ["counts", "overridden", "counts"]
    assert first["outcome"]["loads"] is False
    assert [pull["module"] for pull in second["asked_for_by"]] == ["vfat"]
    assert third["place"]["kind"] == "builtin"


def test_an_unknown_name_as_json(on_sample: Lkm) -> None:
    outcome = on_sample("explain", "--json", "vfta")
    answer = json.loads(outcome.out)
    check_schema(answer, "explain")
    assert "vfat" in answer["error"]["hint"]
