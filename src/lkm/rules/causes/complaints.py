"""What the kernel complains of without stopping anything: shown for pasted text that shows nothing worse."""

from lkm.rules.causes.rule import CauseRule

__all__ = ["COMPLAINTS"]

_SHOW = ("lkm show {module}",)
_TAINTS = "kernel/module/main.c module_augment_kernel_taints; Documentation/admin-guide/tainted-kernels.rst"

COMPLAINTS = (
    CauseRule(
        "parameter-ignored",
        "{module} has no parameter {parameter}, so it was ignored, and the module loaded without it",
        "kernel/module/main.c unknown_module_param_cb",
        lines=("{module}: unknown parameter '{parameter*}' ignored",),
        remedy=("lkm show --parameters {subject}",),
        harmless=True,
    ),
    CauseRule(
        "parameters-after-dashes",
        "what stood behind -- was not given to {module} ({ignored})",
        "kernel/module/main.c load_module",
        lines=("{module}: parameters '{ignored*}' after `--' ignored",),
        remedy=("lkm show --parameters {subject}",),
        harmless=True,
    ),
    CauseRule(
        "suspicious-init",
        "{module} has a mistake in its init function, which returned {code} where 0 or a negative errno is due; it is"
        " loaded all the same",
        "kernel/module/main.c do_init_module",
        lines=(
            "'{module}'->init suspiciously returned {code}, it should follow",
            "{module}: init suspiciously returned {code}, it should follow",
        ),
        remedy=_SHOW,
        harmless=True,
    ),
    CauseRule(
        "retpoline",
        "{module} was compiled without retpolines, so that this system is open to Spectre v2 while it is loaded: build"
        " it with the kernel's own compiler options",
        "arch/x86/kernel/cpu/bugs.c retpoline_module_ok",
        lines=("{module}: loading module not compiled with retpoline compiler.",),
        remedy=("make -C {build} M=$PWD clean modules", "cat /sys/devices/system/cpu/vulnerabilities/spectre_v2"),
        harmless=True,
    ),
    CauseRule(
        "taint-forced",
        "{module} was loaded by force although it does not say that it fits this kernel, which now is tainted (F)",
        "kernel/module/main.c try_to_force_load",
        lines=(
            "{module}: bad vermagic: kernel tainted.",
            "{module}: no versions for exported symbols: kernel tainted.",
        ),
        remedy=("lkm list --tainting",),
        harmless=True,
    ),
    CauseRule(
        "taint-unsigned",
        "{module} has no signature by a key that this kernel trusts; it was loaded, and the kernel is tainted (E)",
        "kernel/module/main.c load_module",
        lines=(
            "{module}: module verification failed: signature and/or required key missing - tainting kernel",
            "{module}: module verification failed: signature and/or  required key missing - tainting kernel",
        ),
        remedy=("lkm list --tainting",),
        harmless=True,
    ),
    CauseRule(
        "taint-proprietary",
        "{module} is proprietary ({licence}); it was loaded, and the kernel is tainted (P)",
        _TAINTS,
        lines=("{module}: module license '{licence*}' taints kernel.",),
        remedy=("lkm list --tainting",),
        harmless=True,
    ),
    CauseRule(
        "taint-proprietary",
        "{module} counts as proprietary; it was loaded, and the kernel is tainted (P)",
        _TAINTS,
        lines=("{module}: module license taints kernel.", "from proprietary module {owner}, inheriting taint."),
        remedy=("lkm list --tainting",),
        harmless=True,
    ),
    CauseRule(
        "taint-out-of-tree",
        "{module} is not part of the kernel's own source; it was loaded, and the kernel is tainted (O)",
        _TAINTS,
        lines=("{module}: loading out-of-tree module taints kernel.",),
        remedy=("lkm list --tainting",),
        harmless=True,
    ),
    CauseRule(
        "taint-staging",
        "{module} is from the kernel's staging directory, of unproven quality; the kernel is tainted (C)",
        _TAINTS,
        lines=("{module}: module is from the staging directory, the quality is unknown, you have been warned.",),
        remedy=("lkm list --tainting",),
        harmless=True,
    ),
    CauseRule(
        "taint-test",
        "{module} is a test of the kernel's; the kernel is tainted (N)",
        _TAINTS,
        lines=("{module}: loading test module taints kernel.",),
        remedy=("lkm list --tainting",),
        harmless=True,
    ),
    CauseRule(
        "taint-livepatch",
        "{module} is a live patch; the kernel is tainted (K)",
        _TAINTS,
        lines=("{module}: tainting kernel with TAINT_LIVEPATCH",),
        remedy=("lkm list --tainting",),
        harmless=True,
    ),
    CauseRule(
        "taint-dangerous-parameter",
        "the parameter {parameter}, which its module marks as dangerous, was set; the kernel is tainted (U)",
        "kernel/params.c param_check_unsafe",
        lines=("Setting dangerous option {parameter} - tainting kernel",),
        remedy=("cat /proc/cmdline", "grep -rn {parameter} /etc/modprobe.d"),
        harmless=True,
    ),
    CauseRule(
        "debugging-unsupported",
        "dyndbg was given, and this kernel was built without CONFIG_DYNAMIC_DEBUG",
        "include/linux/dynamic_debug.h ddebug_dyndbg_module_param_cb",
        lines=("dyndbg param is supported only in CONFIG_DYNAMIC_DEBUG builds",),
        remedy=("grep CONFIG_DYNAMIC_DEBUG /boot/config-$(uname -r)",),
        harmless=True,
    ),
    CauseRule(
        "memory-left-behind",
        "{module} was removed, and memory that it had reserved is still in use: a mistake of the module's",
        "kernel/module/main.c free_mod_mem (6.12)",
        lines=("{module}: memory allocation(s) from the module still alive, cannot unload cleanly",),
        harmless=True,
    ),
)
