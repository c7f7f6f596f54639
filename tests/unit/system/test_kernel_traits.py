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


DEBIANS_BUILD = "Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org) (gcc-12) #1 SMP Debian 6.1.192-2"


@pytest.mark.parametrize(
    ("release", "build", "debians"),
    [
        ("6.1.0-56-amd64", "", True),
        ("6.12.107+deb13-cloud-amd64", "", True),
        ("6.8.0-31-generic", "", False),
        ("6.9.7-200.fc40.x86_64", "", False),
        ("6.1.0-56-amd64", "Linux version 6.1.0-56-amd64 (me@home) (gcc) #1 SMP", False),
        ("6.1.99-mine", DEBIANS_BUILD, True),
    ],
)
def test_what_debian_patched(release: str, build: str, debians: bool) -> None:  # noqa: FBT001  a parameter of the test
    assert traits_of(release, build).trusts_all_owner_keys is debians


def test_what_debian_no_longer_patches() -> None:
    assert not traits_of("7.2.13-1-amd64").trusts_all_owner_keys
    assert not traits_of("5.10.0-32-amd64").trusts_all_owner_keys
    assert traits_of("5.10.0-32-amd64").checks_efi_attributes
    assert not traits_of("6.1.0-56-amd64").checks_efi_attributes
    assert [traits_of(release).hashes_tbs_by_own_digest for release in ("6.12", "7.2")] == [True, False]


def test_what_debians_patches_do_to_signatures() -> None:
    debians = [
        traits_of(each) for each in ("5.10.0-32-amd64", "6.1.0-56-amd64", "6.12.107+deb13-amd64", "7.2.13+deb14-amd64")
    ]
    assert [traits.asks_platform_keyring for traits in debians] == [True] * 4
    assert [traits.looks_for_revoked_modules for traits in debians] == [True, True, True, False]
    assert [traits.revokes_for_all_keyrings for traits in debians] == [False, False, True, True]
    upstream = traits_of("6.12.107")
    assert not upstream.asks_platform_keyring
    assert not upstream.looks_for_revoked_modules
