"""How Secure Boot stands to the kernel, and what a kernel makes of it."""

import pytest
from tests.support.loader import PROFILE, configured

from lkm.rules.signatures.policy import Lockdown
from lkm.rules.signatures.secure_boot import SecureBoot, effect_of, says_secure_boot, secure_boot_stand
from lkm.system.firmware import FirmwareState


@pytest.mark.parametrize(
    ("firmware", "stand", "counts"),
    [
        (FirmwareState(), SecureBoot.NO_EFI, False),
        (FirmwareState(is_efi=True), SecureBoot.UNKNOWN, None),
        (FirmwareState(is_efi=True, secure_boot=False), SecureBoot.OFF, False),
        (FirmwareState(is_efi=True, secure_boot=True), SecureBoot.ON, True),
        (FirmwareState(is_efi=True, secure_boot=True, setup_mode=False), SecureBoot.ON, True),
        (FirmwareState(is_efi=True, secure_boot=True, setup_mode=True), SecureBoot.SETUP, False),
        (FirmwareState(is_efi=True, secure_boot=True, mok_validation_disabled=True), SecureBoot.UNVALIDATED, False),
        (FirmwareState(is_efi=True, secure_boot=False, mok_validation_disabled=True), SecureBoot.OFF, False),
    ],
)
def test_how_it_stands(firmware: FirmwareState, stand: SecureBoot, *, counts: bool | None) -> None:
    assert secure_boot_stand(firmware) is stand
    assert stand.counts is counts
    assert stand.words


def test_it_counts_where_the_kernel_takes_it_as_on() -> None:
    """The firmware's own question has the same answer."""
    for secure in (True, False):
        for setup in (True, False, None):
            for disabled in (True, False, None):
                state = FirmwareState(
                    is_efi=True, secure_boot=secure, setup_mode=setup, mok_validation_disabled=disabled
                )
                assert secure_boot_stand(state).counts is state.enforces


def test_what_a_kernel_makes_of_it() -> None:
    assert effect_of(PROFILE) == (Lockdown.NONE, False)
    options = {"LOCK_DOWN_IN_EFI_SECURE_BOOT": True, "SECURITY_LOCKDOWN_LSM": True}
    assert effect_of(configured(PROFILE, **options)) == (Lockdown.INTEGRITY, False)
    ima = {"IMA_ARCH_POLICY": True, "IMA_SECURE_AND_OR_TRUSTED_BOOT": True}
    assert effect_of(configured(PROFILE, **options, **ima)) == (Lockdown.INTEGRITY, True)


def test_the_log_may_say_it() -> None:
    assert says_secure_boot(("a", "Kernel is locked down from EFI Secure Boot; see man kernel_lockdown.7"))
    assert not says_secure_boot(("Kernel is locked down from command line; see man kernel_lockdown.7",))
