"""``lkm check NAME``: names, aliases and what modprobe.d says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.checked_modules import (
    own_module,
)

from lkm.actions.sample_tree import RELEASE

Lkm = Callable[..., Any]
Make = Callable[..., str]


def test_names(ask: Lkm, sample: Path) -> None:
    result = ask("vfat")
    assert result["file"] == str(sample / f"lib/modules/{RELEASE}/kernel/fs/fat/vfat.ko")
    assert (result["loads"], result["log"], result["taints"]) == (True, [], [])
    assert ask("fs-vfat")["module"] == "vfat"


def test_an_alias_is_told_with_its_module(say: Lkm) -> None:
    assert say("fs-vfat").out.startswith(f"fs-vfat (vfat): loads on {RELEASE}; no taints\n")
    assert say("vfat", "unix").out.endswith(
        "\n\nunix: is built into 6.1.0-sample: it is always there, nothing has to be loaded\n"
    )
    assert "\n\n" not in say("unix", "unix").out


def test_built_in(ask: Lkm, say: Lkm) -> None:
    result = ask("unix")
    assert (result["file"], result["loads"], result["errno"], result["stage"]) == (None, True, 0, "built in")
    assert say("unix").out == f"unix: is built into {RELEASE}: it is always there, nothing has to be loaded\n"
    assert "kernel command line: unix.a=1" in say("unix", "--", "a=1").out


def test_not_found(ask: Lkm, say: Lkm) -> None:
    result = ask("vfta")
    assert (result["loads"], result["errno"], result["stage"], result["ids"]) == (
        False,
        None,
        "not found",
        ["not-found"],
    )
    assert "did you mean vfat?" in say("vfta").out.splitlines()[0]
    assert "lkm find gibberish" in say("gibberish").out


def test_a_file_without_its_ending(say: Lkm, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make("thing", own_module("thing"))
    monkeypatch.chdir(Path(path).parent)
    assert "lkm check ./thing" in say("thing").out
    assert say("./thing").status == 0


def test_modprobe_d_forbids(ask: Lkm, say: Lkm) -> None:
    result = ask("pcspkr")
    assert (result["loads"], result["errno"], result["ids"]) == (False, None, ["modprobe-install"])
    assert "/etc/modprobe.d/quiet.conf:2" in say("pcspkr").out.splitlines()[0]
    assert "lkm load --ignore-install pcspkr" in say("pcspkr").out


def test_blacklisted(lkm: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/b.conf").write_text("blacklist vfat\n")
    root = ("--root", str(own_sample))
    by_alias = lkm("check", *root, "fs-vfat")
    assert by_alias.status == 1
    assert f"vfat (asked for as fs_vfat) is blacklisted ({own_sample}/etc/modprobe.d/b.conf:1)" in by_alias.out
    by_name = lkm("check", *root, "vfat")
    assert by_name.status == 0
    assert "vfat is blacklisted" in by_name.out


def test_install_command(lkm: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/b.conf").write_text("install vfat /sbin/something; modprobe -i vfat\n")
    told = lkm("check", "--root", str(own_sample), "vfat")
    assert told.status == 0
    where = f"{own_sample}/etc/modprobe.d/b.conf:1"
    assert f"what the install command of vfat does ({where}: /sbin/something; modprobe -i vfat)" in told.out


def test_options_of_modprobe_d(lkm: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/b.conf").write_text("options dummy numdummies=many\n")
    assert "numdummies" in lkm("check", "--root", str(own_sample), "dummy").out
    assert lkm("check", "--root", str(own_sample), "dummy").status == 1
    assert lkm("check", "--root", str(own_sample), "--raw", "dummy").status == 0


def test_soft_dependencies_may_fail(lkm: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/b.conf").write_text("softdep vfat pre: dummy\noptions dummy numdummies=many\n")
    told = lkm("check", "--root", str(own_sample), "vfat")
    assert told.status == 0
    assert "note:        dummy, which only a soft dependency asks for, does not load" in told.out


def test_a_dependency_fails(lkm: Lkm, saved: str, own_sample: Path) -> None:
    words = ("check", "--root", str(own_sample), "--profile", saved, "vfat")
    fat = own_sample / f"usr/lib/modules/{RELEASE}/kernel/fs/fat/fat.ko"
    fat.write_bytes(own_module("fat", vermagic="5.10.0 ", imports=()))
    told = lkm(*words)
    assert told.status == 1
    assert told.out.splitlines()[0].startswith(
        f"vfat: does not load on {RELEASE}: vfat needs fat, which does not load: fat was built for"
    )
    result = json.loads(lkm(*words, "--json").out)["results"][0]
    assert (result["errno"], result["stage"], result["log"]) == (8, "dependency", [])
    fat.unlink()
    told = lkm(*words)
    assert "vfat needs fat, and its file can't be read" in told.out


def test_an_install_command_that_does_nothing_loads_nothing(lkm: Lkm, own_sample: Path) -> None:
    conf = own_sample / "etc/modprobe.d/b.conf"
    conf.write_text("softdep vfat pre: dummy\ninstall dummy /bin/true\n")
    told = lkm("check", "--root", str(own_sample), "vfat")
    assert told.status == 0
    assert "first:       fat is loaded" in told.out
    assert "what the install command" not in told.out
    conf.write_text("install fat /bin/false\n")
    told = lkm("check", "--root", str(own_sample), f"{own_sample}/usr/lib/modules/{RELEASE}/kernel/fs/fat/vfat.ko")
    assert told.status == 1
    assert "vfat needs fat, and modprobe.d forbids it: its install command is '/bin/false'" in told.out.splitlines()[0]
