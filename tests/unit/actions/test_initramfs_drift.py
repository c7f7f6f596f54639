"""Whether an initramfs has an old copy of the configuration."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lkm.actions.initramfs_drift import DriftKind, drift
from lkm.actions.session import Session, Target
from lkm.formats import cpio
from lkm.formats.compression import Compression, compress

RELEASE = "6.1.0-sample"
Image = Callable[..., Path]


@pytest.fixture
def image(own_sample: Path) -> Image:
    """Write an image of the release."""

    def written(*entries: cpio.Entry, name: str = f"initrd.img-{RELEASE}") -> Path:
        path = own_sample / "boot" / name
        path.write_bytes(compress(cpio.write(entries), Compression.ZSTD))
        return path

    return written


@pytest.fixture
def session(own_sample: Path) -> Session:
    return Session(Target(str(own_sample)))


def _quiet(root: Path) -> bytes:
    return (root / "etc/modprobe.d/quiet.conf").read_bytes()


def test_without_an_image(session: Session) -> None:
    found = drift(session)
    assert (found.image, found.is_stale) == (None, False)


def test_a_current_image(session: Session, own_sample: Path, image: Image) -> None:
    image(cpio.directory("etc/modprobe.d"), cpio.file("etc/modprobe.d/quiet.conf", _quiet(own_sample)))
    found = drift(session, ["vfat"])
    assert (found.is_stale, found.compared, found.holds) == (False, True, ())


def test_each_kind_of_difference(session: Session, own_sample: Path, image: Image) -> None:
    (own_sample / "usr/lib/modprobe.d").mkdir()
    (own_sample / "usr/lib/modprobe.d/v.conf").write_text("blacklist b\n")
    (own_sample / "etc/modprobe.d/new.conf").write_text("blacklist c\n")
    (own_sample / "etc/modprobe.d/masked.conf").symlink_to("/dev/null")
    image(
        cpio.directory("etc/modprobe.d"),
        cpio.file("etc/modprobe.d/quiet.conf", b"old\n"),
        cpio.file("etc/modprobe.d/gone.conf", b"old\n"),
        cpio.file("etc/modprobe.d/masked.conf", b"old\n"),
        cpio.directory("lib/modprobe.d"),
        cpio.file("lib/modprobe.d/v.conf", b"blacklist b\n"),
        cpio.file("usr/lib/modules/6/kernel/vfat.ko.xz", b""),
    )
    found = drift(session, ["vfat", "dummy"])
    assert {file.path: file.kind for file in found.files} == {
        "/etc/modprobe.d/quiet.conf": DriftKind.DIFFERS,
        "/etc/modprobe.d/new.conf": DriftKind.MISSING,
        "/etc/modprobe.d/masked.conf": DriftKind.DIFFERS,
        "/etc/modprobe.d/gone.conf": DriftKind.GONE,
    }
    assert found.holds == ("vfat",)


def test_a_directory_that_the_image_has_not_is_none_of_its_business(session: Session, image: Image) -> None:
    image(cpio.directory("usr/lib/modprobe.d"))
    assert not drift(session).is_stale


def test_an_image_that_can_not_be_read_is_judged_by_its_time(session: Session, own_sample: Path) -> None:
    path = own_sample / f"boot/initrd.img-{RELEASE}"
    path.write_bytes(b"packed in an unknown way")
    assert not drift(session).is_stale
    os.utime(path, (1, 1))
    found = drift(session)
    assert [(file.path, file.kind) for file in found.files] == [("/etc/modprobe.d/quiet.conf", DriftKind.NEWER)]
    assert "does not read" in found.problem
    assert found.holds is None


@pytest.mark.parametrize(
    ("tool", "name", "command"),
    [
        ("usr/sbin/update-initramfs", f"initrd.img-{RELEASE}", f"update-initramfs -u -k {RELEASE}"),
        ("usr/bin/dracut", f"initramfs-{RELEASE}.img", f"dracut --force /boot/initramfs-{RELEASE}.img {RELEASE}"),
        ("usr/bin/mkinitcpio", f"initrd-{RELEASE}", "mkinitcpio -P"),
        ("usr/bin/none", f"initrd-{RELEASE}", ""),
    ],
)
def test_the_command_that_builds_it_anew(
    session: Session, own_sample: Path, image: Image, tool: str, name: str, command: str
) -> None:
    (own_sample / tool).parent.mkdir(parents=True, exist_ok=True)
    (own_sample / tool).touch()
    image(cpio.directory("etc/modprobe.d"), name=name)
    assert drift(session).rebuild == (f"chroot {own_sample} {command}" if command else "")


def test_without_a_module_tree(tmp_path: Path) -> None:
    assert drift(Session(Target(str(tmp_path)))).image is None
