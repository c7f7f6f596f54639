"""Secure Boot as the kernel sees it, and what a kernel makes of it for modules."""

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from lkm.rules.loading.state import KernelState
from lkm.rules.signatures.policy import Lockdown
from lkm.rules.signatures.trust import under_secure_boot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lkm.system.firmware import FirmwareState
    from lkm.system.kernel_profile import KernelProfile

__all__ = ["SecureBoot", "SecureBootEffect", "effect_of", "says_secure_boot", "secure_boot_stand"]

_LINE = "Kernel is locked down from EFI Secure Boot"


class SecureBoot(Enum):
    """How it stands, as ``efi_get_secureboot_mode`` has it (include/linux/efi.h, 6.1), told apart further.

    ON: the firmware starts only what is signed, and the kernel knows
    UNVALIDATED: on in the firmware, but shim lets everything pass, and so the kernel counts it as off
    SETUP: the firmware has no owner's key (PK) yet, and checks nothing
    OFF: it is turned off in the firmware
    NO_EFI: the machine was not started by UEFI firmware, which alone has it
    UNKNOWN: the firmware's variables can't be read
    """

    ON = "on"
    UNVALIDATED = "unvalidated"
    SETUP = "setup"
    OFF = "off"
    NO_EFI = "no-efi"
    UNKNOWN = "unknown"

    @property
    def counts(self) -> bool | None:
        """Whether it is on to the kernel; None where that is not known."""
        return None if self is SecureBoot.UNKNOWN else self is SecureBoot.ON

    @property
    def words(self) -> str:
        """On or off, and why."""
        return _WORDS[self]


_WORDS = {
    SecureBoot.ON: "on",
    SecureBoot.UNVALIDATED: (
        "on in the firmware, but shim's validation is off (MokSBState), and so the kernel takes it as off"
    ),
    SecureBoot.SETUP: "off: the firmware is in setup mode, it has no platform key (PK) and checks nothing",
    SecureBoot.OFF: "off in the firmware",
    SecureBoot.NO_EFI: "none: this system was not started by UEFI firmware",
    SecureBoot.UNKNOWN: "unknown: there are no firmware's variables to read",
}


def secure_boot_stand(firmware: "FirmwareState") -> SecureBoot:
    """Tell how Secure Boot stands.

    Setup mode goes before what SecureBoot says, and shim's state counts only where Secure Boot is on
    (include/linux/efi.h ``efi_get_secureboot_mode``, drivers/firmware/efi/libstub/secureboot.c, 6.1).
    """
    if not firmware.is_efi:
        return SecureBoot.NO_EFI
    if firmware.setup_mode:
        return SecureBoot.SETUP
    if firmware.secure_boot is None:
        return SecureBoot.UNKNOWN
    if not firmware.secure_boot:
        return SecureBoot.OFF
    return SecureBoot.UNVALIDATED if firmware.mok_validation_disabled else SecureBoot.ON


def says_secure_boot(log: "Iterable[str]") -> bool:
    """Tell whether the kernel's log says that Secure Boot is on: where it made the kernel lock itself down."""
    return any(_LINE in line for line in log)


class SecureBootEffect(NamedTuple):
    """What a kernel does about modules because Secure Boot is on.

    :param lockdown: the mode it goes into
    :param enforced: it loads only modules with a good signature
    """

    lockdown: Lockdown
    enforced: bool


def effect_of(profile: "KernelProfile") -> SecureBootEffect:
    """Tell what Secure Boot turns on in a kernel that nothing else makes stricter."""
    after = under_secure_boot(KernelState(), profile)
    return SecureBootEffect(after.lockdown or Lockdown.NONE, bool(after.sig_enforce))
