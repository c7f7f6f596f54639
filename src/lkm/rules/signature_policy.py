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
    MALFORMED = errno.EBADMSG
    REJECTED = errno.EKEYREJECTED

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


def parse_boolean(text: str | None, *, wide: bool = True) -> bool | None:
    """Read a boolean as ``kstrtobool`` does (lib/kstrtox.c): by its first character, or two for on and off.

    :param text: None is a parameter without a value: true
    :param wide: ``t`` and ``f`` count too (5.19)
    :returns: None for what is no boolean
    """
    if text is None:
        return True
    first, second = text[:1].lower(), text[1:2].lower()
    if first in {"y", "1"} or (wide and first == "t"):
        return True
    if first in {"n", "0"} or (wide and first == "f"):
        return False
    if first == "o":
        return {"n": True, "f": False}.get(second)
    return None


def enforced(cmdline: Cmdline, profile: KernelProfile) -> bool:
    """Tell whether only modules with a good signature load: CONFIG_MODULE_SIG_FORCE or ``module.sig_enforce``.

    ``module.sig_enforce`` is ``bool_enable_only``: it can be turned on, never off.
    """
    if profile.has("MODULE_SIG_FORCE"):
        return True
    return any(parse_boolean(value) is True for value in cmdline.values("module.sig_enforce"))
