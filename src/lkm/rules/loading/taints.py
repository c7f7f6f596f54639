"""Taints that a module brings, with the lines that announce them (kernel/module/main.c ``check_modinfo``, 6.1)."""

import errno

from lkm.rules.loading.attempt import Attempt, Refusal
from lkm.rules.loading.signature import signature_seen
from lkm.rules.signature_policy import SignatureState
from lkm.rules.taint import Taint

__all__ = ["GPL_LICENSES", "taint_by_modinfo", "taint_by_name", "taint_by_signature"]

GPL_LICENSES = frozenset({"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"})
"""The licences that the kernel takes as compatible with its own (include/linux/license.h)."""


def taint_by_modinfo(attempt: Attempt) -> Refusal | None:
    """Out of tree, staging, licence, test: what .modinfo says, in the kernel's order."""
    info = attempt.image.modinfo
    name = attempt.name
    if info.first("intree") is None:
        if not attempt.state.taint & Taint.OOT_MODULE:
            attempt.say(f"{name}: loading out-of-tree module taints kernel.")
        attempt.add_taint(Taint.OOT_MODULE)
    if info.first("staging") is not None:
        attempt.add_taint(Taint.CRAP)
        attempt.say(f"{name}: module is from the staging directory, the quality is unknown, you have been warned.")
    refusal = _livepatch(attempt)
    if refusal:
        return refusal
    license_name = info.first("license")
    if license_name is None:
        license_name = "unspecified"
    if license_name not in GPL_LICENSES:
        if not attempt.state.taint & Taint.PROPRIETARY_MODULE:
            attempt.say(f"{name}: module license '{license_name}' taints kernel.")
        attempt.add_taint(Taint.PROPRIETARY_MODULE)
    if info.first("test") is not None:
        if not attempt.state.taint & Taint.TEST:
            attempt.say(f"{name}: loading test module taints kernel.")
        attempt.add_taint(Taint.TEST)
    return None


def _livepatch(attempt: Attempt) -> Refusal | None:
    if attempt.image.modinfo.first("livepatch") is None:
        return None
    name = attempt.name
    if not attempt.profile.has("LIVEPATCH"):
        attempt.say(f"{name}: module is marked as livepatch module, but livepatch support is disabled")
        return Refusal(errno.ENOEXEC)
    attempt.add_taint(Taint.LIVEPATCH)
    attempt.say_once("livepatch", f"{name}: tainting kernel with TAINT_LIVEPATCH")
    return None


def taint_by_signature(attempt: Attempt) -> Refusal | None:
    """Taint for a module without a good signature, on a kernel that looks at signatures (``load_module``)."""
    if attempt.profile.has("MODULE_SIG") and signature_seen(attempt) is not SignatureState.TRUSTED:
        attempt.say_once(
            "unsigned",
            f"{attempt.name}: module verification failed: signature and/or required key missing - tainting kernel",
        )
        attempt.add_taint(Taint.UNSIGNED_MODULE)
    return None


def taint_by_name(attempt: Attempt) -> Refusal | None:
    """Modules that are known to lie about their licence (``check_module_license_and_versions``)."""
    before = attempt.state.taint
    if attempt.name == "ndiswrapper":
        attempt.add_taint(Taint.PROPRIETARY_MODULE, kernel_only=True)
    if attempt.name in {"driverloader", "lve"}:
        attempt.add_taint(Taint.PROPRIETARY_MODULE)
    if attempt.state.taint & ~before & Taint.PROPRIETARY_MODULE:
        attempt.say(f"{attempt.name}: module license taints kernel.")
    return None
