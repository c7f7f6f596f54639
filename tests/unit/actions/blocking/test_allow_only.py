"""Allowing only what is needed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.next_kernel import NEXT_RELEASE, add_next_kernel

from lkm.actions.blocking.allow_only import end_allow_only, plan_allow_only, write_allow_only
from lkm.actions.blocking.listing import blocked_modules
from lkm.actions.sample_tree import RELEASE
from lkm.actions.session import Session, Target
from lkm.errors import ModuleNotFound

_OWN = "etc/modprobe.d/00-lkm-allow-only.conf"


@pytest.fixture
def open_root(own_sample: Path) -> Callable[[], Session]:
    (own_sample / "etc/modprobe.d/quiet.conf").unlink()
    return lambda: Session(Target(str(own_sample), RELEASE, f"emulated:{own_sample}/kernel"))


def test_what_is_loaded_and_what_it_needs(open_root: Callable[[], Session]) -> None:
    session = open_root()
    for name in ("fat", "vfat"):
        module = session.tree.module(name)
        assert module
        session.kernel.load(module, "")
    plan = plan_allow_only(session)
    assert (plan.releases, plan.allowed) == ((RELEASE,), {"fat": "loaded now", "vfat": "loaded now"})
    assert plan.refused == plan.newly_refused == ("dummy", "pcspkr")


def test_what_is_named_brings_its_dependencies_of_every_kernel(
    open_root: Callable[[], Session], own_sample: Path
) -> None:
    add_next_kernel(own_sample)
    (own_sample / "etc/modprobe.d/a.conf").write_text("softdep vfat post: rtnl-link-dummy\n")
    plan = plan_allow_only(open_root(), ["vfat"])
    assert set(plan.releases) == {RELEASE, NEXT_RELEASE}
    assert plan.allowed["fat"] == f"vfat needs it, on {RELEASE}"
    assert plan.allowed["nls"] == f"vfat needs it, on {NEXT_RELEASE}"
    assert plan.allowed["dummy"] == f"vfat needs it, on {RELEASE}"
    assert "pcspkr" in plan.refused


def test_what_boots_is_allowed(open_root: Callable[[], Session], own_sample: Path) -> None:
    (own_sample / "etc/modules-load.d").mkdir()
    (own_sample / "etc/modules-load.d/x.conf").write_text("dummy\n")
    (own_sample / "etc/fstab").write_text("/dev/sda1 /boot vfat defaults 0 1\n")
    assert set(plan_allow_only(open_root()).allowed) == {"dummy", "vfat", "fat"}


def test_it_holds(open_root: Callable[[], Session], own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/a.conf").write_text("softdep pcspkr pre: dummy\n")
    plan = plan_allow_only(open_root(), ["dummy"])
    done = write_allow_only(open_root(), plan, "lkm allow-only dummy")
    assert done.number == 1
    found = {module.name: module.holds for module in blocked_modules(open_root())}
    assert found == {"fat": True, "pcspkr": True, "vfat": True}
    text = (own_sample / _OWN).read_text()
    assert "lkm allow-only --end" in text
    assert [line for line in text.splitlines() if line.startswith("softdep")] == ["softdep pcspkr pre:"]


def test_again_and_the_end(open_root: Callable[[], Session], own_sample: Path) -> None:
    write_allow_only(open_root(), plan_allow_only(open_root()), "x")
    plan = plan_allow_only(open_root(), ["dummy"])
    assert plan.newly_refused == ()
    assert write_allow_only(open_root(), plan, "x").changes
    assert not write_allow_only(open_root(), plan_allow_only(open_root(), ["dummy"]), "x").changes
    assert end_allow_only(open_root(), "x").changes
    assert not (own_sample / _OWN).exists()
    assert not end_allow_only(open_root(), "x").changes


def test_an_unknown_name(open_root: Callable[[], Session]) -> None:
    with pytest.raises(ModuleNotFound):
        plan_allow_only(open_root(), ["vfta"])
