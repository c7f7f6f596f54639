"""The options of a kernel's configuration that decide about signatures and lockdown, in words."""

from typing import NamedTuple

from lkm.system.kernel_profile import KernelProfile

__all__ = ["OptionFact", "option_facts"]


class OptionFact(NamedTuple):
    """One option.

    :param value: ``y``, a text, or None where it is not set
    :param words: what that means
    """

    option: str
    value: str | None
    words: str


# Option, what it means where it is set, what where it is not. Source: kernel/module/Kconfig, security/lockdown/Kconfig,
# certs/Kconfig, security/integrity/Kconfig (6.1), and Debian's patches for the one of Secure Boot.
_MEANINGS = (
    ("MODULE_SIG", "signatures of modules are checked", "signatures of modules are not looked at"),
    ("MODULE_SIG_FORCE", "only modules with a good signature load", "others load, too, unless something else forbids"),
    ("MODULE_SIG_ALL", "the build signs all its modules", "the build signs nothing: whoever packages it may"),
    ("MODULE_SIG_HASH", "the digest for signatures of this kernel's modules", "no digest is set"),
    ("SECURITY_LOCKDOWN_LSM", "the kernel can be locked down", "the kernel can't be locked down"),
    ("LOCK_DOWN_KERNEL_FORCE_INTEGRITY", "lockdown=integrity from the start", ""),
    ("LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY", "lockdown=confidentiality from the start", ""),
    (
        "LOCK_DOWN_IN_EFI_SECURE_BOOT",
        "Secure Boot turns lockdown=integrity on (a patch of distributions)",
        "Secure Boot alone does not lock the kernel down",
    ),
    ("IMA_ARCH_POLICY", "Secure Boot makes good signatures a must", "Secure Boot alone does not enforce signatures"),
    (
        "SECONDARY_TRUSTED_KEYRING",
        "keys can be added to the built-in ones (.secondary_trusted_keys)",
        "only built-in keys count, machine owner keys (MOK) never",
    ),
    ("INTEGRITY_MACHINE_KEYRING", "machine owner keys (MOK) go to .machine", "machine owner keys go to .platform"),
    ("INTEGRITY_PLATFORM_KEYRING", "the firmware's keys (db) go to .platform", "the firmware's keys are not read"),
    ("SYSTEM_REVOCATION_LIST", "revoked certificates are heeded", "revoked certificates are not heeded"),
)

_ABOUT_SIGNATURES = frozenset(option for option, *_ in _MEANINGS) - {
    "MODULE_SIG",
    "SECURITY_LOCKDOWN_LSM",
    "LOCK_DOWN_KERNEL_FORCE_INTEGRITY",
    "LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY",
    "LOCK_DOWN_IN_EFI_SECURE_BOOT",
}


def option_facts(profile: KernelProfile) -> tuple[OptionFact, ...]:
    """Say what the configuration decides; nothing where it is not known."""
    if not profile.config:
        return ()
    signed = profile.has("MODULE_SIG")
    return tuple(
        OptionFact(f"CONFIG_{option}", value, unset if value is None else words)
        for option, words, unset in _MEANINGS
        for value in (profile.config.get(option),)
        if (value is not None or unset) and (signed or option not in _ABOUT_SIGNATURES)
    )
