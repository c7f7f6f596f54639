"""Kernels that can be booted."""

from pathlib import Path

import pytest

from lkm.errors import MachineError
from lkm.kernels.vm import images


def install(root: Path, release: str, kernel: str | None = None, home: str = "lib/modules") -> None:
    (root / home / release).mkdir(parents=True)
    path = root / (kernel or f"boot/vmlinuz-{release}")
    path.parent.mkdir(exist_ok=True, parents=True)
    path.touch()


def test_the_newest_release_comes_first(tmp_path: Path) -> None:
    for release in ("6.1.0-9-amd64", "5.10.0-28-amd64", "6.1.0-56-amd64", "6.12.1+deb13-amd64"):
        install(tmp_path, release)
    found = [image.release for image in images.installed(tmp_path)]
    assert found == ["6.12.1+deb13-amd64", "6.1.0-56-amd64", "6.1.0-9-amd64", "5.10.0-28-amd64"]
    assert images.find(root=tmp_path).release == "6.12.1+deb13-amd64"
    assert images.find("6.1.0-9-amd64", tmp_path) == images.Image(
        "6.1.0-9-amd64", tmp_path / "boot/vmlinuz-6.1.0-9-amd64", tmp_path / "lib/modules/6.1.0-9-amd64"
    )


def test_a_kernel_beside_its_modules_is_found(tmp_path: Path) -> None:
    install(tmp_path, "6.9.7-200.fc40.x86_64", "lib/modules/6.9.7-200.fc40.x86_64/vmlinuz")
    assert images.find(root=tmp_path).kernel == tmp_path / "lib/modules/6.9.7-200.fc40.x86_64/vmlinuz"


def test_a_merged_usr_is_searched_and_counted_once(tmp_path: Path) -> None:
    install(tmp_path, "6.12", home="usr/lib/modules")
    assert images.find("6.12", tmp_path).modules == tmp_path / "usr/lib/modules/6.12"
    (tmp_path / "lib").symlink_to("usr/lib")
    assert [image.modules for image in images.installed(tmp_path)] == [tmp_path / "lib/modules/6.12"]


def test_halves_are_left_out(tmp_path: Path) -> None:
    install(tmp_path, "1.0", "boot/other")
    install(tmp_path, "2.0", home="elsewhere")
    assert images.installed(tmp_path) == ()
    with pytest.raises(MachineError, match=r"^.*boot: no kernel to boot$") as caught:
        images.find(root=tmp_path)
    assert caught.value.hint


def test_a_wrong_release_is_answered_with_what_there_is(tmp_path: Path) -> None:
    install(tmp_path, "1.0")
    with pytest.raises(MachineError, match=r"no kernel 2\.0") as caught:
        images.find("2.0", tmp_path)
    assert caught.value.hint == "there is: 1.0"
