"""What a kernel upgrade does to the modules in use."""

from pathlib import Path

import pytest
from tests.support.fake_sysfs import make_devices
from tests.support.next_kernel import NEXT_RELEASE, add_next_kernel

from lkm.actions.preflight import Preflight, preflight
from lkm.actions.sample_tree import RELEASE
from lkm.actions.session import Session, Target
from lkm.errors import TreeMissing


@pytest.fixture
def root(own_sample: Path) -> Path:
    """The sample tree with a kernel to come, and nothing forbidden."""
    add_next_kernel(own_sample)
    (own_sample / "etc/modprobe.d/quiet.conf").unlink()
    return own_sample


def _session(root: Path) -> Session:
    return Session(Target(str(root), RELEASE, f"emulated:{root}/kernel"))


def _told(found: Preflight) -> list[tuple[str, str, bool]]:
    return [(finding.change.value, finding.subject, finding.is_problem) for finding in found.findings]


def test_nothing_in_use(root: Path) -> None:
    found = preflight(_session(root), NEXT_RELEASE)
    assert (found.current, found.release, found.wanted, found.findings) == (RELEASE, NEXT_RELEASE, (), ())


def test_what_is_loaded(root: Path) -> None:
    session = _session(root)
    for name in ("fat", "vfat"):
        module = session.tree.module(name)
        assert module is not None
        session.kernel.load(module, "")
    found = preflight(_session(root), NEXT_RELEASE)
    assert [(wanted.name, wanted.reasons) for wanted in found.wanted] == [
        ("vfat", ["loaded now"]),
        ("fat", ["loaded now"]),
    ]
    assert _told(found) == [("new-dependency", "nls", False), ("becomes-built-in", "fat", False)]


def test_what_is_loaded_at_boot_and_for_devices(root: Path) -> None:
    make_devices(root)
    (root / "etc/modules-load.d").mkdir()
    (root / "etc/modules-load.d/a.conf").write_text("rtnl-link-dummy\nnobody\nunix\n")
    (root / "etc/modprobe.d/a.conf").write_text("options dummy label=x\nblacklist pcspkr\n")
    found = preflight(_session(root), NEXT_RELEASE)
    assert [wanted.name for wanted in found.wanted] == ["dummy", "unix"]  # pcspkr is blacklisted
    assert _told(found) == [
        ("parameter-gone", "dummy", True),
        ("line-without-object", "pcspkr", True),
        ("becomes-module", "unix", False),
    ]
    assert f"loaded at boot by {root}/etc/modules-load.d/a.conf:1" in found.problems[0].text


def test_a_device_whose_module_another_replaces(root: Path) -> None:
    make_devices(root)
    found = preflight(_session(root), NEXT_RELEASE)
    assert ("replaced", "pcspkr", False) in _told(found)


def test_a_module_that_the_kernel_to_come_refuses(root: Path) -> None:
    dummy = root / f"usr/lib/modules/{NEXT_RELEASE}/kernel/dummy.ko"
    dummy.write_bytes((root / f"usr/lib/modules/{RELEASE}/kernel/drivers/net/dummy.ko").read_bytes())
    (root / "etc/modules-load.d").mkdir()
    (root / "etc/modules-load.d/a.conf").write_text("dummy\n")
    (finding,) = preflight(_session(root), NEXT_RELEASE).problems
    assert (finding.change.value, finding.subject) == ("refused", "dummy")
    assert finding.text.startswith(f"dummy does not load on {NEXT_RELEASE}: ")


@pytest.mark.parametrize(("built", "told"), [(False, "is not built"), (True, "is built and not installed")])
def test_a_dkms_package_that_is_not_there_yet(root: Path, *, built: bool, told: str) -> None:
    home = root / "var/lib/dkms/foo/1.0"
    for release in (RELEASE, NEXT_RELEASE) if built else (RELEASE,):
        (home / release / "x86_64/module").mkdir(parents=True)
        (home / release / "x86_64/module/foo.ko").touch()
    (home / "source").mkdir()
    (root / f"var/lib/dkms/foo/kernel-{RELEASE}-x86_64").symlink_to(f"1.0/{RELEASE}/x86_64")
    found = preflight(_session(root), NEXT_RELEASE)
    assert _told(found) == [("not-built", "foo", True)]
    assert told in found.problems[0].text
    assert found.problems[0].remedy == (f"chroot {root} dkms install foo/1.0 -k {NEXT_RELEASE}",)


def test_commands_can_be_pasted_whatever_a_package_is_called(root: Path) -> None:
    (root / "var/lib/dkms/a; reboot/1.0/source").mkdir(parents=True)
    (finding,) = preflight(_session(root), NEXT_RELEASE).problems
    assert finding.remedy == (f"chroot {root} dkms install 'a; reboot/1.0' -k {NEXT_RELEASE}",)


def test_a_kernel_that_is_not_installed(root: Path) -> None:
    with pytest.raises(TreeMissing):
        preflight(_session(root), "9.9")


def test_a_file_that_can_not_be_read_is_told(root: Path) -> None:
    (root / "etc/modules-load.d/odd.conf").mkdir(parents=True)
    (finding,) = preflight(_session(root), NEXT_RELEASE).findings
    assert (finding.change.value, finding.is_problem) == ("unread", False)
    assert "odd.conf: is a directory" in finding.text
