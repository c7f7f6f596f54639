"""The table of what becomes of modules, and that it says what the rules say of a whole module."""

from dataclasses import replace

import pytest
from tests.support.loader import PROFILE, answer, configured, recipe

from lkm.actions.lockdown.samples import make_samples
from lkm.rules.loading.attempt import KernelState
from lkm.rules.signatures.policy import Lockdown
from lkm.rules.signatures.trust_table import Samples, Setting, Signing, TrustRow, trust_table
from lkm.rules.taint import letters

_OFF = Setting(secure_boot=False, lockdown=Lockdown.NONE, sig_enforce=False)
_DEBIAN = replace(
    configured(
        PROFILE,
        **dict.fromkeys(
            (
                "SECURITY_LOCKDOWN_LSM",
                "LOCK_DOWN_IN_EFI_SECURE_BOOT",
                "IMA_ARCH_POLICY",
                "IMA_SECURE_AND_OR_TRUSTED_BOOT",
                "LOAD_UEFI_KEYS",
                "SYSTEM_BLACKLIST_KEYRING",
                "SECONDARY_TRUSTED_KEYRING",
                "INTEGRITY_MACHINE_KEYRING",
                "INTEGRITY_PLATFORM_KEYRING",
            ),
            True,
        ),
    ),
    release="6.1.0-56-amd64",
    version="Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian 6.1.1",
)


@pytest.fixture(scope="module")
def samples() -> Samples:
    return make_samples()


def _row(table: tuple[TrustRow, ...], setting: Setting) -> dict[Signing, str]:
    row = next(row for row in table if row.setting == setting)
    return {kind: found.errno_name or f"loads {found.taints}".strip() for kind, found in row.outcomes.items()}


def test_without_demands_all_but_bad_signatures_load(samples: Samples) -> None:
    row = _row(trust_table(_DEBIAN, samples, _OFF), _OFF)
    assert row[Signing.UNSIGNED] == row[Signing.UNKNOWN] == "loads E"
    assert row[Signing.BUILTIN] == "loads"
    assert row[Signing.CHANGED] == "EKEYREJECTED"
    assert row[Signing.MOK] == "loads E"  # which count for nothing without Secure Boot


def test_under_secure_boot_owner_and_firmware_are_trusted(samples: Samples) -> None:
    on = Setting(secure_boot=True, lockdown=Lockdown.INTEGRITY, sig_enforce=True)
    row = _row(trust_table(_DEBIAN, samples, on), on)
    assert row[Signing.UNSIGNED] == row[Signing.UNKNOWN] == row[Signing.CHANGED] == "EKEYREJECTED"
    assert row[Signing.BUILTIN] == row[Signing.MOK] == "loads"


def test_a_key_that_is_denied(samples: Samples) -> None:
    on = Setting(secure_boot=True, lockdown=Lockdown.INTEGRITY, sig_enforce=True)
    modern = replace(_DEBIAN, release="6.12.0-test")
    assert _row(trust_table(modern, samples, on), on)[Signing.REVOKED] == "loads"
    heeding = configured(modern, SYSTEM_REVOCATION_LIST=True)
    assert _row(trust_table(heeding, samples, on), on)[Signing.REVOKED] == "EKEYREJECTED"


def test_lockdown_alone_refuses_otherwise(samples: Samples) -> None:
    locked = Setting(secure_boot=False, lockdown=Lockdown.INTEGRITY, sig_enforce=False)
    table = trust_table(_DEBIAN, samples, locked)
    assert _row(table, locked)[Signing.UNSIGNED] == "EPERM"
    row = next(row for row in table if row.is_here)
    assert row.setting == locked
    assert "unsigned module loading is restricted" in row.outcomes[Signing.UNSIGNED].log


def test_an_unusual_kernel_gets_its_own_row(samples: Samples) -> None:
    odd = Setting(secure_boot=False, lockdown=Lockdown.CONFIDENTIALITY, sig_enforce=True)
    table = trust_table(_DEBIAN, samples, odd)
    assert [row.setting for row in table if row.is_here] == [odd]
    usual = trust_table(_DEBIAN, samples, _OFF)
    assert len(table) == len(usual) + 1
    assert [row.setting for row in usual if row.is_here] == [_OFF]


def test_where_secure_boot_is_not_known_the_demands_tell(samples: Samples) -> None:
    table = trust_table(_DEBIAN, samples, Setting(None, Lockdown.NONE, sig_enforce=False))
    assert [row.setting for row in table if row.is_here] == [_OFF]


def test_where_secure_boot_is_not_known_the_owners_keys_are_not_counted_on(samples: Samples) -> None:
    unknown = Setting(None, Lockdown.INTEGRITY, sig_enforce=True)
    table = trust_table(_DEBIAN, samples, unknown)
    assert [row.setting for row in table if row.is_here] == [unknown]
    assert _row(table, unknown)[Signing.MOK] == "EKEYREJECTED"


def test_a_kernel_that_looks_at_no_signatures(samples: Samples) -> None:
    table = trust_table(configured(PROFILE, MODULE_SIG=False), samples, _OFF)
    assert all(found.loads and not found.taints for row in table for found in row.outcomes.values())


@pytest.mark.parametrize("release", ["5.10.0-test", "6.1.0-test", "6.12.0-test", "7.2.0-test"])
def test_it_agrees_with_the_verdict_on_a_whole_module(samples: Samples, release: str) -> None:
    profile = replace(_DEBIAN, release=release)
    for row in trust_table(profile, samples, _OFF):
        setting = row.setting
        state = KernelState(lockdown=setting.lockdown, sig_enforce=setting.sig_enforce)
        verdict = answer(recipe(), profile=profile, state=state, signature=None)
        found = row.outcomes[Signing.UNSIGNED]
        assert verdict.errno == found.errno
        if verdict.record:
            assert letters(verdict.record.taints) == found.taints
