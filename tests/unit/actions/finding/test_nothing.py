"""Hints where nothing was found, on the sample tree."""

from pathlib import Path

import pytest

from lkm.actions.finding.find import find
from lkm.actions.finding.nothing import why_nothing
from lkm.actions.sample_tree import RELEASE
from lkm.actions.session import Session, Target


@pytest.fixture
def session(own_sample: Path) -> Session:
    (own_sample / "boot").mkdir(exist_ok=True)
    (own_sample / f"boot/config-{RELEASE}").write_text("CONFIG_NET=y\nCONFIG_ODD=m\nCONFIG_HZ=250\n")
    return Session(Target(root=str(own_sample), kernel="emulated"))


@pytest.mark.parametrize(
    ("text", "kinds", "part"),
    [
        ("vfta", (), "did you mean vfat?"),
        ("vfta", ("name",), "did you mean vfat?"),
        ("unxi", (), "did you mean unix?"),
        ("vfat", ("alias",), "vfat is a module's name: lkm show vfat"),
        ("unix", ("symbol", "alias"), "unix is a module's name: lkm show unix"),
        ("printk", ("symbol",), "the symbols of the kernel image itself are in no index"),
        ("CONFIG_NET", (), "CONFIG_NET=y: what it builds is part of the kernel image"),
        ("NET", (), "CONFIG_NET=y: what it builds is part of the kernel image"),
        ("odd", ("config",), "CONFIG_ODD=m: no module here is called like it"),
        ("HZ", ("config",), "CONFIG_HZ=250"),
        ("nosuch", ("config",), f"boot/config-{RELEASE} does not set CONFIG_NOSUCH"),
    ],
)
def test_reasons(session: Session, text: str, kinds: tuple[str, ...], part: str) -> None:
    assert find(session, text, kinds) == ()
    assert any(reason.endswith(part) for reason in why_nothing(session, text, kinds))


def test_nothing_is_made_up(session: Session) -> None:
    assert why_nothing(session, "qqqqqq", ()) == ()
    assert why_nothing(session, "qqqqqq", ("filesystem",)) == ()


def test_no_configuration_is_no_reason(own_sample: Path) -> None:
    for path in (own_sample / "boot").glob("config-*"):
        path.unlink()
    for path in own_sample.glob("lib/modules/*/config"):
        path.unlink()
    assert why_nothing(Session(Target(root=str(own_sample), kernel="emulated")), "CONFIG_NET", ()) == ()
