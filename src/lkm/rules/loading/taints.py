"""Taints that a module brings, with the lines that announce them (kernel/module/main.c ``check_modinfo``, 6.1)."""

import errno

from lkm.rules.loading.attempt import Attempt, Refusal
from lkm.rules.loading.signature import signature_seen
from lkm.rules.signatures.policy import SignatureState
from lkm.rules.taint import Taint

__all__ = ["GPL_LICENSES", "check_livepatch", "taint_by_modinfo", "taint_by_name", "taint_by_signature"]

GPL_LICENSES = frozenset({"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"})
"""The licences that the kernel takes as compatible with its own (include/linux/license.h)."""


def check_livepatch(attempt: Attempt) -> Refusal | None:
    """Refuse a live patch where the kernel can't be patched (``check_modinfo_livepatch``)."""
    if attempt.modinfo.first("livepatch") is None or attempt.profile.has("LIVEPATCH"):
        return None
    attempt.say(f"{attempt.name}: module is marked as livepatch module, but livepatch support is disabled")
    return Refusal(errno.ENOEXEC)


def taint_by_modinfo(attempt: Attempt) -> Refusal | None:
    """Out of tree, retpolines, staging, live patch, licence, test: what .modinfo says, in the kernel's order."""
    info = attempt.modinfo
    name = attempt.name
    if info.first("intree") is None:
        _taint(attempt, Taint.OOT_MODULE, f"{name}: loading out-of-tree module taints kernel.")
    if info.first("retpoline") is None and _has_retpolines(attempt):
        attempt.say("Spectre V2 : System may be vulnerable to spectre v2")
        attempt.say(f"{name}: loading module not compiled with retpoline compiler.")
    if info.first("staging") is not None:
        attempt.add_taint(Taint.CRAP)
        attempt.say(f"{name}: module is from the staging directory, the quality is unknown, you have been warned.")
    refusal = _taint_by_livepatch(attempt)
    if refusal:
        return refusal
    licence = info.first("license")
    if licence not in GPL_LICENSES:
        shown = "unspecified" if licence is None else licence
        _taint(attempt, Taint.PROPRIETARY_MODULE, f"{name}: module license '{shown}' taints kernel.")
    if info.first("test") is not None and attempt.traits.knows_test_taint:
        _taint(attempt, Taint.TEST, f"{name}: loading test module taints kernel.")
    return None


def _has_retpolines(attempt: Attempt) -> bool:
    """``retpoline_module_ok`` (arch/x86/kernel/cpu/bugs.c), for a processor that needs them, as nearly all do."""
    profile, cmdline = attempt.profile, attempt.cmdline
    built = profile.has("RETPOLINE") or profile.has("MITIGATION_RETPOLINE")
    off = cmdline.has("nospectre_v2") or cmdline.value("spectre_v2") == "off" or cmdline.value("mitigations") == "off"
    return built and not off


def _taint(attempt: Attempt, flag: Taint, line: str) -> None:
    """Taint, and say so if the kernel did not have this taint yet."""
    if not attempt.state.taint & flag:
        attempt.say(line)
    attempt.add_taint(flag)


def _taint_by_livepatch(attempt: Attempt) -> Refusal | None:
    if attempt.modinfo.first("livepatch") is None:
        return None
    refusal = check_livepatch(attempt)  # no news on a kernel that checks before it taints
    if refusal is None:
        attempt.add_taint(Taint.LIVEPATCH)
        attempt.say_once("livepatch", f"{attempt.name}: tainting kernel with TAINT_LIVEPATCH")
    return refusal


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
    before = attempt.taint_before if attempt.traits.repeats_license_taint_line else attempt.state.taint
    if attempt.name == "ndiswrapper":
        attempt.add_taint(Taint.PROPRIETARY_MODULE, kernel_only=True)
    if attempt.name in {"driverloader", "lve"}:
        attempt.add_taint(Taint.PROPRIETARY_MODULE)
    if attempt.state.taint & ~before & Taint.PROPRIETARY_MODULE:
        attempt.say(f"{attempt.name}: module license taints kernel.")
    return None
