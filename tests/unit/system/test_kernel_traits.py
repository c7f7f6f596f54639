"""Which kernel has which trait."""

import pytest

from lkm.system.kernel_traits import ElfValidation, traits_of


@pytest.mark.parametrize(
    ("release", "validation", "true_letters"),
    [
        ("5.10.0-8-amd64", ElfValidation.TERSE, "y1"),
        ("5.17.1", ElfValidation.TALKATIVE, "y1"),
        ("5.19.0", ElfValidation.TALKATIVE, "y1t"),
        ("6.1.0-56-amd64", ElfValidation.TALKATIVE, "y1t"),
        ("6.1", ElfValidation.TALKATIVE, "y1t"),
        ("6.1-rc3", ElfValidation.TALKATIVE, "y1t"),
        ("6.1+deb", ElfValidation.TALKATIVE, "y1t"),
        ("6.4.0", ElfValidation.JOINT, "y1t"),
        ("6.12.107+deb13-amd64", ElfValidation.JOINT, "y1t"),
        ("6.13.0", ElfValidation.STEPWISE, "y1t"),
        ("7.3-rc7", ElfValidation.STEPWISE, "y1te"),
        ("10.0.1", ElfValidation.STEPWISE, "y1te"),
    ],
)
def test_by_version(release: str, validation: ElfValidation, true_letters: str) -> None:
    traits = traits_of(release)
    assert traits.elf_validation is validation
    assert traits.true_letters == true_letters
    assert len(traits.false_letters) == len(true_letters)
    late = validation.finds_sections_by_name
    assert traits.repeats_license_taint_line is traits.separates_memory is late
    assert traits.taints_before_duplicate_check is not late


def test_what_came_late() -> None:
    assert not traits_of("6.13.9").reads_extended_versions
    assert traits_of("6.14").reads_extended_versions
    assert not traits_of("7.0.9").keeps_export_flags
    assert traits_of("7.1").keeps_export_flags
    assert [traits_of(release).oid_edition for release in ("5.10", "6.1.192", "6.12.1", "7.2")] == [0, 1, 2, 3]
    assert [traits_of(release).knows_module_namespaces for release in ("6.12", "6.18")] == [False, True]


def test_what_went() -> None:
    assert [traits_of(release).cuts_long_names for release in ("5.10", "6.1")] == [True, False]
    assert [traits_of(release).skips_used_targets for release in ("6.1", "6.12")] == [True, False]


@pytest.mark.parametrize("release", ["", "linux", "x.y", "6", "6.x", "\0", "6..1"])
def test_a_release_that_says_nothing_counts_as_old(release: str) -> None:
    assert traits_of(release) == traits_of("6.1")
