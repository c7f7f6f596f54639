"""lkm boot and lkm undo: what they print, for people and for programs."""

import json
import os
from pathlib import Path

import pytest
from tests.support.schema import check_schema
from tests.unit.interfaces.cli.conftest import Lkm

OWN = "etc/modules-load.d/lkm-boot.conf"


@pytest.fixture
def on_own(on_sample: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> Lkm:
    """Run ``lkm`` on a copy of the sample tree."""
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    monkeypatch.setenv("COLUMNS", "300")
    return on_sample


def test_add_list_remove(on_own: Lkm, own_sample: Path) -> None:
    done = on_own("boot", "add", "vfat")
    assert done.status == 0
    assert "vfat: loaded at every boot from now on; to load it now: lkm load vfat" in done.out
    assert f"{own_sample}/{OWN}: written" in done.out
    assert "(change 1; take it back with: lkm undo 1)" in done.out
    again = on_own("boot", "add", "vfat", "unix")
    assert f"vfat: nothing to do, it is asked for by {own_sample}/{OWN}:2" in again.out
    assert "unix: nothing to do, it is part of the kernel image" in again.out
    assert "change" not in again.out
    on_own("load", "vfat")
    listed = on_own("boot", "list").out.splitlines()
    assert listed[1].split("  ")[:2] == ["vfat", "loads; loaded now"]
    removed = on_own("boot", "remove", "vfat")
    assert removed.status == 0
    assert "is taken out" in removed.out
    assert on_own("boot", "list").out.startswith("no file of modules-load.d asks for a module")


def test_warnings_and_refusals(on_own: Lkm, own_sample: Path) -> None:
    blocked = on_own("boot", "add", "pcspkr")
    assert "pcspkr: asked for at every boot from now on; but modprobe.d forbids pcspkr" in blocked.out
    assert "lkm load" not in blocked.out
    unknown = on_own("boot", "add", "vfatt")
    assert unknown.status == 1
    assert "did you mean vfat" in unknown.err
    nothing = on_own("boot", "remove", "pcspk")
    assert nothing.status == 0
    assert "nothing asks for it at boot (did you mean pcspkr?)" in nothing.out
    vendor = own_sample / "usr/lib/modules-load.d/vendor.conf"
    vendor.parent.mkdir(parents=True)
    vendor.write_text("dummy\nvfat\n")
    kept = on_own("boot", "remove", "dummy")
    assert kept.status == 1
    assert "to hide it: lkm boot remove --mask dummy" in kept.out
    assert "boot remove --mask dummy" in kept.out
    masked = on_own("boot", "remove", "--mask", "dummy")
    assert masked.status == 0
    assert f"{vendor} is hidden by a link to /dev/null; what else it asks for is in lkm's file: vfat" in masked.out
    assert "masked by" in on_own("boot", "list").out


def test_debians_file_is_named_where_it_is(on_own: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modules").write_text("# comment\nvfat\n")
    (own_sample / "etc/modules-load.d").mkdir()
    (own_sample / "etc/modules-load.d/modules.conf").symlink_to("../modules")
    kept = on_own("boot", "remove", "vfat", "--mask")
    assert kept.status == 1
    assert f"take line 2 out of {own_sample}/etc/modules with an editor" in kept.out


def test_dry_run_is_a_diff(on_own: Lkm, own_sample: Path) -> None:
    shown = on_own("boot", "add", "vfat", "-n")
    assert shown.status == 0
    assert "would be loaded at every boot" in shown.out
    assert "+vfat" in shown.out.splitlines()
    assert not (own_sample / OWN).exists()
    assert not (own_sample / "var/lib/lkm").exists()


def test_undo(on_own: Lkm, own_sample: Path) -> None:
    assert on_own("undo").status == 2
    assert on_own("undo", "--list").out == "nothing was changed yet\n"
    on_own("boot", "add", "vfat")
    undone = on_own("undo")
    assert undone.out.startswith("undone: change 1, lkm boot add vfat")
    assert f"{own_sample}/{OWN}: removed" in undone.out
    rows = on_own("undo", "--list").out.splitlines()
    assert rows[1].endswith("undoes 1")
    assert rows[2].endswith("undone by 2")
    assert on_own("undo", "2").status == 0
    assert (own_sample / OWN).exists()
    for words in (("undo", "x"), ("undo", "0"), ("undo", "99"), ("undo", "-1"), ("undo", "9" * 30)):
        assert on_own(*words).status == 2
    assert on_own("undo", "--list", "77").status == 2


def test_a_hostile_journal_is_told_of(on_own: Lkm, own_sample: Path) -> None:
    on_own("boot", "add", "vfat")
    record = own_sample / "var/lib/lkm/changes/1.json"
    record.write_text(record.read_text().replace("/etc/modules-load.d/lkm-boot.conf", "/etc/shadow"))
    assert "left out: " in on_own("undo", "--list").out
    refused = on_own("undo", "1")
    assert refused.status == 2
    assert "not lkm's: '/etc/shadow'" in refused.err


def test_without_privilege(on_own: Lkm, monkeypatch: pytest.MonkeyPatch, own_sample: Path) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(own_sample / "var/lib"))

    monkeypatch.setattr("lkm.system.journal.os.makedirs", refused)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    told = on_own("boot", "add", "vfat")
    assert told.status == 1
    assert "permission denied; nothing was changed" in told.err
    assert "would be written: +vfat" in told.err
    assert "hint: do it with privilege: sudo lkm --root" in told.err
    plain = json.loads(on_own("boot", "add", "vfat", "--json").out)
    check_schema(plain, "boot-add")
    assert "+vfat" in plain["error"]["planned"]


def test_programs_get_what_people_get(on_own: Lkm, own_sample: Path) -> None:
    (own_sample / "usr/lib/modules-load.d").mkdir(parents=True)
    (own_sample / "usr/lib/modules-load.d/v.conf").write_text("dummy\nno-such\n")
    for words, schema in (
        (("boot", "add", "vfat", "unix"), "boot-add"),
        (("boot", "list"), "boot-list"),
        (("boot", "remove", "dummy", "vfat", "x"), "boot-remove"),
        (("boot", "remove", "dummy", "--mask"), "boot-remove"),
        (("boot", "list"), "boot-list"),
        (("undo", "-n"), "undo"),
        (("undo",), "undo"),
        (("undo", "--list"), "undo-list"),
        (("undo", "99"), "undo"),
        (("boot", "add", "nope"), "boot-add"),
    ):
        check_schema(json.loads(on_own(*words, "--json").out), schema)


def test_an_old_initramfs_is_told_of(on_own: Lkm, own_sample: Path) -> None:
    from lkm.formats import cpio  # noqa: PLC0415  only here

    image = own_sample / "boot/initrd.img-6.1.0-sample"
    image.write_bytes(cpio.write([cpio.directory("etc/modules-load.d")]))
    (own_sample / "usr/sbin").mkdir()
    (own_sample / "usr/sbin/update-initramfs").touch()
    done = on_own("boot", "add", "vfat")
    assert f"{image} has an old copy: early boot does not know of this" in done.out
    assert f"build it anew: sudo chroot {own_sample} update-initramfs -u -k 6.1.0-sample" in done.out
