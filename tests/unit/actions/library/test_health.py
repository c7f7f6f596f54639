"""How a system stands, as a program asks; what is found is tested with the actions."""

from pathlib import Path

import pytest
from tests.support.next_kernel import NEXT_RELEASE, add_next_kernel

import lkm

_OLD = "old: version magic '5.10.0-8 SMP mod_unload modversions ' should be '6.1.0-sample SMP mod_unload modversions '"


@pytest.fixture
def system(sample: Path) -> lkm.System:
    return lkm.System(str(sample), kernel="emulated")


def test_status(system: lkm.System, own_sample: Path) -> None:
    status = system.health.status()
    assert isinstance(status, lkm.Status)
    assert (status.release, status.is_running, status.has_problems) == ("6.1.0-sample", False, False)
    (own_sample / "etc/modules-load.d").mkdir()
    (own_sample / "etc/modules-load.d/mine.conf").write_text("vfta\n")
    found = lkm.System(str(own_sample), kernel="emulated").health.status().attention
    assert [one.level for one in found] == [lkm.Level.PROBLEM]
    assert all(isinstance(one, lkm.Attention) and "vfta" in one.text for one in found)


def test_taint(system: lkm.System, sample: Path) -> None:
    assert (system.health.taint().mask, system.health.taint().source) == (0, "kernel")
    system.load(f"{sample}/home/you/hello.ko")
    taint = system.health.taint()
    assert (taint.letters, [module.name for module in taint.modules]) == ("OE", ["hello"])
    assert lkm.taint_of_mask(4097).letters == "PO"
    assert lkm.taint_of_text("CPU: 0 PID: 1 Comm: x Tainted: G           OE      6.1.0").letters == "OE"
    with pytest.raises(lkm.UsageError):
        lkm.taint_of_text("nothing of the sort")


def test_diagnosis(system: lkm.System, own_sample: Path) -> None:
    report = system.health.diagnose(_OLD)
    assert [found.cause.id for found in report.found] == ["vermagic"]
    assert system.health.diagnose("all is well").found == ()
    (own_sample / "etc/modprobe.d/mine.conf").write_text("options dummy numdummies=many\n")
    text = "dummy: `many' invalid for parameter `numdummies'"
    own = lkm.System(str(own_sample), kernel="emulated").health
    (here,), (elsewhere,) = own.diagnose(text).found, own.diagnose(text, of_this_system=False).found
    assert any("mine.conf:1" in detail for detail in here.details)
    assert elsewhere.details == ()


def test_an_upgrade(own_sample: Path) -> None:
    add_next_kernel(own_sample)
    system = lkm.System(str(own_sample), release="6.1.0-sample", kernel="emulated")
    system.load("dummy")
    assert system.health.preflight(NEXT_RELEASE).release == NEXT_RELEASE
    with pytest.raises(lkm.TreeMissing):
        system.health.preflight("9.9.9")
    with pytest.raises(lkm.UsageError):
        system.health.preflight("")


def test_the_initramfs(system: lkm.System, own_sample: Path) -> None:
    assert (system.health.initramfs("vfat").image, system.health.initramfs().is_stale) == (None, False)
    (own_sample / "boot/initrd.img-6.1.0-sample").write_bytes(b"")
    found = lkm.System(str(own_sample), kernel="emulated").health.initramfs("vfat")
    assert found.image == f"{own_sample}/boot/initrd.img-6.1.0-sample"
