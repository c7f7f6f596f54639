"""Which kernel has which trait."""

import pytest

from lkm.system.kernel_traits import traits_of


@pytest.mark.parametrize(
    ("release", "taints_first", "sizes", "wide"),
    [
        ("5.10.0-8-amd64", True, False, False),
        ("5.19.0", True, False, True),
        ("6.1.0-56-amd64", True, False, True),
        ("6.1", True, False, True),
        ("6.1-rc3", True, False, True),
        ("6.1+deb", True, False, True),
        ("6.4.0", False, True, True),
        ("6.12.117+deb13-amd64", False, True, True),
        ("7.3-rc7", False, True, True),
        ("10.0.1", False, True, True),
    ],
)
def test_by_version(release: str, taints_first: bool, sizes: bool, wide: bool) -> None:  # noqa: FBT001  rows
    traits = traits_of(release)
    assert traits.taints_before_duplicate_check is taints_first
    assert traits.checks_struct_module_size is traits.repeats_license_taint_line is sizes
    assert traits.wide_booleans is wide


def test_what_came_late() -> None:
    assert not traits_of("6.13.9").reads_extended_versions
    assert traits_of("6.14").reads_extended_versions
    assert not traits_of("6.1.192").verifies_sha3
    assert traits_of("6.12.1").verifies_sha3


@pytest.mark.parametrize("release", ["", "linux", "x.y", "6", "6.x", "\0", "6..1"])
def test_a_release_that_says_nothing_counts_as_old(release: str) -> None:
    assert traits_of(release) == traits_of("6.1")
