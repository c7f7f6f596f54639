"""The stages that come first: privilege, the file, the signature (kernel/module/main.c, signing.c)."""

import errno

from lkm.rules.loading.attempt import IGNORE_MODVERSIONS, IGNORE_VERMAGIC, Attempt, Refusal
from lkm.rules.signature_policy import Lockdown, SignatureState, enforced

__all__ = ["check_file", "check_permission", "check_signature", "signature_seen"]


def check_permission(attempt: Attempt) -> Refusal | None:
    """``may_init_module``: CAP_SYS_MODULE, and modules not disabled by sysctl or ``nomodule``."""
    if attempt.state.forbids_modules or not attempt.request.privileged:
        return Refusal(errno.EPERM)
    return None


def check_file(attempt: Attempt) -> Refusal | None:
    """``kernel_read_file`` (fs/kernel_read_file.c): a file must have something in it."""
    return None if attempt.request.contents else Refusal(errno.EINVAL)


def signature_seen(attempt: Attempt) -> SignatureState:
    """Give the signature as the kernel counts it: with an ignore flag the module is taken as unsigned."""
    mangled = attempt.has_flag(IGNORE_MODVERSIONS) or attempt.has_flag(IGNORE_VERMAGIC)
    return SignatureState.UNSIGNED if mangled else attempt.request.signature.state


def check_signature(attempt: Attempt) -> Refusal | None:
    """``module_sig_check``: most failures are fatal everywhere, three only where signatures are enforced."""
    if not attempt.profile.has("MODULE_SIG"):
        return None
    signature = signature_seen(attempt)
    if signature is SignatureState.TRUSTED:
        return None
    if signature is attempt.request.signature.state:
        for line in attempt.request.signature.log:
            attempt.say(line)
    if not signature.is_soft:
        return Refusal(signature.value)
    if enforced(attempt.cmdline, attempt.profile):
        attempt.say(f"Loading of {signature.reason} is rejected")
        return Refusal(errno.EKEYREJECTED)
    if attempt.lockdown is not Lockdown.NONE:
        attempt.say_locked_down("unsigned module loading")
        return Refusal(errno.EPERM)
    return None
