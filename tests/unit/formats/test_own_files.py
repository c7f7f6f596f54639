"""Which files are lkm's to write."""

import pytest

from lkm.formats.own_files import MODPROBE, MODULES_LOAD, is_marked, is_mask_path, is_own_path, mark_for, own_path


def test_own_paths() -> None:
    assert own_path(MODPROBE, "parameters") == "/etc/modprobe.d/lkm-parameters.conf"
    assert is_own_path(own_path(MODPROBE, "parameters", prefix="zz-"))
    assert is_own_path(own_path(MODULES_LOAD, "boot"))


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/modprobe.d/nvidia.conf", "/lib/modprobe.d/lkm-x.conf", "/etc/modprobe.d/../lkm-x.conf", "lkm-x.conf"),
        *("/etc/modprobe.d/lkm-x.conf/", "/etc/modprobe.d/lkm-x", "/etc/modprobe.d/lkm-X.conf\n", "/etc/passwd", ""),
        *("/etc/modprobe.d/lkm-.conf", "/etc/modprobe.d/lkm-x.conf\n", "/etc/modprobe.d/xlkm-x.conf"),
    ],
)
def test_paths_of_others(path: str) -> None:
    assert not is_own_path(path)


def test_masks_are_plain_names_in_the_two_directories() -> None:
    assert is_mask_path("/etc/modules-load.d/cups-filters.conf")
    assert not is_mask_path("/etc/modules-load.d/.hidden.conf")
    assert not is_mask_path("/etc/shadow.conf")


def test_the_mark_is_in_the_first_line() -> None:
    assert is_marked(mark_for("lkm boot") + b"x\n")
    assert not is_marked(b"\n" + mark_for("lkm boot"))
    assert not is_marked(b"")
