"""What a kernel makes of a module's signature, given enforcement and lockdown."""

import errno
from enum import Enum

from lkm.formats.kernel_cmdline import Cmdline
from lkm.system.kernel_profile import KernelProfile

__all__ = ["Lockdown", "SignatureState", "enforced", "lockdown_of", "parse_boolean"]


class SignatureState(Enum):
    """What checking a signature gives; the value is the errno inside the kernel, 0 for a good one.

    Source: kernel/module/signing.c ``module_sig_check`` and ``mod_verify_sig`` (6.1).
    """

    TRUSTED = 0
    UNSIGNED = errno.ENODATA
    UNSUPPORTED = errno.ENOPKG
    UNKNOWN_KEY = errno.ENOKEY
    INVALID = errno.EINVAL
    TOO_LONG = errno.EMSGSIZE
    MALFORMED = errno.EBADMSG
    REJECTED = errno.EKEYREJECTED
    UNAVAILABLE = errno.ENOENT

    @classmethod
    def of_errno(cls, code: int) -> "SignatureState":
        """Give the state that stands for an errno, 0 for a good signature."""
        return next((state for state in cls if state.value == code), cls.INVALID)

    @property
    def is_soft(self) -> bool:
        """Whether a kernel that does not enforce signatures loads the module all the same."""
        return self in SOFT

    @property
    def reason(self) -> str:
        """The words of the kernel's log line for a soft failure."""
        return SOFT[self]


SOFT = {
    SignatureState.UNSIGNED: "unsigned module",
    SignatureState.UNSUPPORTED: "module with unsupported crypto",
    SignatureState.UNKNOWN_KEY: "module with unavailable key",
}


class Lockdown(Enum):
    """The kernel's lockdown mode (security/lockdown/lockdown.c)."""

    NONE = "none"
    INTEGRITY = "integrity"
    CONFIDENTIALITY = "confidentiality"


def lockdown_of(cmdline: Cmdline, profile: KernelProfile) -> Lockdown:
    """Give the mode that the command line or the configuration sets; firmware can set it too, which no file tells."""
    wanted = cmdline.values("lockdown")  # what was locked down once is not let loose by a later word
    for mode in (Lockdown.CONFIDENTIALITY, Lockdown.INTEGRITY):
        if mode.value in wanted:
            return mode
        if profile.has(f"LOCK_DOWN_KERNEL_FORCE_{mode.name}"):
            return mode
    return Lockdown.NONE


def parse_boolean(text: str | None, *, true: str = "yt1", false: str = "nf0") -> bool | None:
    """Read a boolean as ``kstrtobool`` does (lib/kstrtox.c): by its first character, or two for on and off.

    :param text: None is a parameter without a value: true
    :param true: the first letters that stand for true
    :param false: likewise
    :returns: None for what is no boolean
    """
    if text is None:
        return True
    first = text[:1].lower()
    if first and first in true:
        return True
    if first and first in false:
        return False
    return {"on": True, "of": False}.get(text[:2].lower())


def enforced(cmdline: Cmdline, profile: KernelProfile) -> bool:
    """Tell whether only modules with a good signature load: CONFIG_MODULE_SIG_FORCE or ``module.sig_enforce``.

    ``module.sig_enforce`` is ``bool_enable_only``: it can be turned on, never off.
    """
    if profile.has("MODULE_SIG_FORCE"):
        return True
    letters = profile.traits
    return any(
        parse_boolean(value, true=letters.true_letters, false=letters.false_letters) is True
        for value in cmdline.values("module.sig_enforce")
    )
