"""The whole story of a module."""

from pathlib import Path

import pytest
from tests.support.fake_sysfs import make_devices

from lkm.actions.explaining.story import Story, explain
from lkm.actions.sample_tree import RELEASE
from lkm.actions.session import Session, Target
from lkm.errors import ModuleNotFound, UsageError


def _session(root: Path, kernel: str = "emulated") -> Session:
    return Session(Target(str(root), kernel=kernel))


def _story(root: Path, subject: str, kernel: str = "emulated") -> Story:
    (story,) = explain(_session(root, kernel), subject).stories
    return story


def test_a_module_of_the_tree(sample: Path) -> None:
    story = _story(sample, "vfat")
    assert (story.name, story.alias, story.summary) == ("vfat", None, "VFAT file systems: FAT with long names")
    path = f"{sample}/lib/modules/{RELEASE}/kernel/fs/fat/vfat.ko"
    assert (story.place.kind, story.place.path, story.place.package) == ("file", path, None)
    assert (story.pulls, story.lines, story.loaded) == ((), (), None)
    assert story.requests == ("a file system of type vfat is mounted",)
    assert story.outcome is not None
    assert (story.outcome.loads, story.outcome.before) == (True, ("fat",))


def test_what_needs_it(sample: Path) -> None:
    assert [(pull.kind, pull.module) for pull in _story(sample, "fat").pulls] == [("dependency", "vfat")]


def test_what_asks_for_it(own_sample: Path) -> None:
    make_devices(own_sample)
    (own_sample / "etc/modprobe.d/quiet.conf").write_text("softdep dummy pre: platform:pcspkr\n")
    (own_sample / "etc/modules-load.d").mkdir()
    (own_sample / "etc/modules-load.d/x.conf").write_text("# all\n\npcspkr\n")
    (own_sample / "etc/fstab").write_text("# none\nUUID=1 /boot/my\\040efi vfat umask=0077 0 1\n")
    found = [(pull.kind, pull.text.replace(str(own_sample), "")) for pull in _story(own_sample, "pcspkr").pulls]
    assert found == [
        ("device", "for the device /sys/devices/platform/pcspkr"),
        ("boot", "loaded at boot by /etc/modules-load.d/x.conf:3"),
        ("softdep", "dummy has it loaded before itself, by a softdep line (/etc/modprobe.d/quiet.conf:1)"),
    ]
    (mount, needed) = _story(own_sample, "fat").pulls
    assert (mount.kind, mount.module, mount.alias) == ("mount", "vfat", "fs-vfat")
    assert mount.text == f"for /boot/my efi, which {own_sample}/etc/fstab:2 mounts"
    assert needed.text == "vfat uses its symbols"


def test_a_loaded_module(own_sample: Path) -> None:
    kernel = f"emulated:{own_sample}/kernel"
    session = _session(own_sample, kernel)
    for name in ("fat", "vfat"):
        module = session.tree.module(name)
        assert module is not None
        session.kernel.load(module, "")
    story = _story(own_sample, "fat", kernel)
    assert story.loaded is not None
    assert story.loaded.used_by == ("vfat",)
    assert story.outcome is not None
    assert story.outcome.stage == "loaded"
    assert [pull.text for pull in story.pulls] == ["vfat uses its symbols, which is loaded"]


def test_the_running_kernel_says_nothing_of_another_root(sample: Path) -> None:
    story = _story(sample, "vfat", "live")
    assert (story.asked_kernel, story.loaded, story.since) == (False, None, None)


def test_what_modprobe_d_forbids(sample: Path) -> None:
    story = _story(sample, "platform:pcspkr")
    assert story.outcome is not None
    assert not story.outcome.loads
    assert story.outcome.stage == "modprobe.d"
    assert [line.where for line in story.lines] == [f"{sample}/etc/modprobe.d/quiet.conf:2"]


def test_a_built_in(sample: Path) -> None:
    story = _story(sample, "unix")
    assert story.place.kind == "builtin"
    assert story.outcome is not None
    assert story.outcome.stage == "built in"


def test_a_device(own_sample: Path) -> None:
    make_devices(own_sample)
    found = explain(_session(own_sample), "/sys/devices/platform/pcspkr")
    assert found.asked == (("platform:pcspkr", "the modalias of /sys/devices/platform/pcspkr"),)
    assert [story.name for story in found.stories] == ["pcspkr"]


def test_a_device_that_nobody_claims(own_sample: Path) -> None:
    make_devices(own_sample)
    with pytest.raises(ModuleNotFound, match="no module claims /sys/devices/pci0/nobody") as refused:
        explain(_session(own_sample), "/sys/devices/pci0/nobody")
    assert "pci:v00000000" in (refused.value.hint or "")


def test_an_unknown_name(sample: Path) -> None:
    with pytest.raises(ModuleNotFound) as refused:
        explain(_session(sample), "vfta")
    assert refused.value.hint == "did you mean vfat?"


def test_a_file_is_for_other_verbs(sample: Path) -> None:
    with pytest.raises(UsageError, match="is a file"):
        explain(_session(sample), "./vfat.ko")


def test_an_alias_that_promises_a_module_that_is_not_there(own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/a.conf").write_text("alias promised nowhere\n")
    story = _story(own_sample, "promised")
    assert (story.name, story.place.kind) == ("nowhere", "absent")
    assert [line.where for line in story.lines] == [f"{own_sample}/etc/modprobe.d/a.conf:1"]


def test_a_module_of_dkms(own_sample: Path) -> None:
    build = own_sample / f"var/lib/dkms/net/1.0/{RELEASE}/x86_64/module"
    build.mkdir(parents=True)
    (build / "dummy.ko").touch()
    (own_sample / "var/lib/dkms/net/1.0/source").symlink_to("/usr/src/net-1.0")
    (own_sample / f"var/lib/dkms/net/kernel-{RELEASE}-x86_64").symlink_to(f"1.0/{RELEASE}/x86_64")
    assert _story(own_sample, "dummy").place.package == "net/1.0 (DKMS)"
