"""Causes why a module stays (kernel/module/main.c ``delete_module``; kmod 30, tools/rmmod.c, tools/modprobe.c)."""

import errno

from lkm.rules.causes.rule import CauseRule

__all__ = ["BY_ERRNO", "BY_TEXT"]

_REFERENCE = "kernel/module/main.c delete_module"
_IN_USE = (errno.EAGAIN, errno.EBUSY)

BY_TEXT = (
    CauseRule(
        "used-by-modules",
        "{module} is in use by other modules ({users}): they must go first",
        _REFERENCE,
        lines=("Module {module} is in use by: {users*}",),
        errnos=_IN_USE,
        remedy=("lkm unload --holders {module}",),
    ),
    CauseRule(
        "in-use",
        "{module} is in use, by open files, mounts, devices or other modules",
        _REFERENCE,
        lines=("Module {module} is in use", "module {module} is in use", "the kernel refused to remove {module}: Reso"),
        errnos=_IN_USE,
        remedy=("lkm show {module}", "lkm unload --holders {module}"),
    ),
    CauseRule(
        "built-in",
        "{module} is part of the kernel (built in): it can be neither loaded nor removed",
        "man 5 modules.builtin",
        lines=("Module {module} is builtin.", "{module} is built into the kernel"),
        remedy=("lkm show {module}",),
    ),
    CauseRule(
        "not-loaded",
        "{module} is not loaded",
        _REFERENCE,
        lines=(
            "Module {module} is not currently loaded",
            "Module {module} is not in kernel.",
            "Module {module} does not exist in /proc/modules",
            "{module} is not loaded",
        ),
        errnos=(errno.ENOENT,),
        remedy=("lkm list",),
    ),
    CauseRule(
        "unloading-unsupported",
        "this kernel was built without the means to remove modules (CONFIG_MODULE_UNLOAD)",
        _REFERENCE,
        lines=("Module unloading is not supported",),
        errnos=(errno.ENOSYS, errno.ENOENT),
        remedy=("grep CONFIG_MODULE_UNLOAD /boot/config-$(uname -r)",),
    ),
    CauseRule(
        "network-device-held",
        "the network device {device} is still in use, which keeps its driver from going",
        "net/core/dev.c netdev_wait_allrefs_any",
        lines=("unregister_netdevice: waiting for {device} to become free.",),
        remedy=("ip link show {device}",),
    ),
)

BY_ERRNO = (
    CauseRule(
        "in-use",
        "{module} is in use: by other modules, or by open files, mounts or devices",
        _REFERENCE,
        errnos=(errno.EAGAIN,),
        remedy=("lkm show {module}", "lkm unload --holders {module}"),
    ),
    CauseRule(
        "not-loaded",
        "{module} is not loaded",
        _REFERENCE,
        errnos=(errno.ENOENT,),
        remedy=("lkm list",),
    ),
    CauseRule(
        "permanent",
        "{module} has no exit function, or is still starting or going: it stays until the next boot",
        _REFERENCE,
        errnos=(errno.EBUSY,),
        remedy=("lkm show {module}",),
    ),
    CauseRule(
        "permission",
        "removing a module needs the capability CAP_SYS_MODULE, and a kernel on which modules are not disabled: run as"
        " root, outside of an unprivileged container",
        _REFERENCE,
        errnos=(errno.EPERM,),
        remedy=("sudo lkm unload {module}", "sysctl kernel.modules_disabled"),
    ),
    CauseRule(
        "unloading-unsupported",
        "this kernel was built without the means to remove modules (CONFIG_MODULE_UNLOAD)",
        _REFERENCE,
        errnos=(errno.ENOSYS,),
        remedy=("grep CONFIG_MODULE_UNLOAD /boot/config-$(uname -r)",),
    ),
    CauseRule(
        "interrupted",
        "a signal came before {module} was removed: try again",
        _REFERENCE,
        errnos=(errno.EINTR,),
        remedy=("lkm unload {module}",),
    ),
)
