"""What an errno alone says of a refused load, where nothing better is known."""

import errno
from dataclasses import replace

from lkm.rules.causes.rule import CauseRule
from lkm.rules.causes.signature import DISABLED

__all__ = ["GENERIC"]

_LOG = "sudo dmesg | tail -n 30"
_INIT = "kernel/module/main.c do_init_module"
_BY_INIT = (
    errno.EIO,
    errno.ENXIO,
    errno.ETIMEDOUT,
    errno.EADDRINUSE,
    errno.ENOTTY,
    errno.EPROTO,
    errno.ENODATA,
    errno.EPROTONOSUPPORT,
    errno.EAFNOSUPPORT,
    errno.EFAULT,
    errno.ENOSPC,
    errno.EACCES,
    errno.EROFS,
    errno.EAGAIN,
)

GENERIC = (
    CauseRule(
        "unresolved",
        "{module} needs something that is not there, most often a symbol of a module that is not loaded: the kernel's"
        " log names it",
        "kernel/module/main.c simplify_symbols",
        errnos=(errno.ENOENT,),
        remedy=(_LOG, "lkm load {subject}"),
    ),
    CauseRule(
        "compressed",
        "{file} is compressed: it was handed to the kernel as it is, or what is in it was not built for this kernel",
        "kernel/module/main.c load_module",
        errnos=(errno.ENOEXEC,),
        facts=("compressed",),
        remedy=("lkm load {subject}", _LOG),
    ),
    CauseRule(
        "not-this-kernel",
        "{module} is not in a form that {kernel} accepts: it was built for another kernel, or its file is damaged; the"
        " kernel's log says which",
        "kernel/module/main.c load_module",
        errnos=(errno.ENOEXEC,),
        remedy=(_LOG, "modinfo -F vermagic {file}", "uname -r"),
    ),
    CauseRule(
        "bad-signature",
        "{module} was changed after it was signed: its signature does not fit its contents, or its key is revoked; of a"
        " signature that is missing, or by a strange key, the kernel's log would say so",
        "kernel/module/signing.c module_sig_check",
        errnos=(errno.EKEYREJECTED,),
        facts=("asked here",),
        remedy=("lkm verify {file}", _LOG),
    ),
    CauseRule(
        "signature-refused",
        "{kernel} refused the signature of {module}: it has none by a key that the kernel trusts where that is"
        " demanded, or the file was changed after signing",
        "kernel/module/signing.c module_sig_check",
        errnos=(errno.EKEYREJECTED, errno.ENOKEY),
        remedy=(_LOG, "lkm verify {file}", "lkm mok status"),
    ),
    CauseRule(
        "malformed-signature",
        "the signature at the end of {file} is damaged: install or sign the module again",
        "kernel/module/signing.c mod_verify_sig",
        errnos=(errno.EBADMSG,),
        remedy=("tail -c 28 {file}",),
    ),
    *(replace(rule, stages=()) for rule in DISABLED),  # where the stage is not known
    CauseRule(
        "permission",
        "loading a module needs the capability CAP_SYS_MODULE, and a kernel on which modules are not disabled: run as"
        " root, outside of an unprivileged container; see sysctl kernel.modules_disabled, and lockdown",
        "kernel/module/main.c may_init_module",
        errnos=(errno.EPERM,),
        remedy=("sudo lkm load {subject}", "sysctl kernel.modules_disabled", "cat /sys/kernel/security/lockdown"),
    ),
    CauseRule(
        "invalid",
        "{kernel} can't take {module}, or a value of one of its parameters: the kernel's log says why",
        "kernel/module/main.c load_module",
        errnos=(errno.EINVAL,),
        remedy=(_LOG, "lkm show --parameters {subject}"),
    ),
    CauseRule(
        "parameter-out-of-range",
        "a value of one of {module}'s parameters is out of the range of its type: the kernel's log says which",
        "kernel/params.c parse_args",
        errnos=(errno.ERANGE,),
        remedy=(_LOG, "lkm show --parameters {subject}"),
    ),
    CauseRule(
        "already-loaded",
        "a module of the name {module} is loaded already, or is built in: remove that first to load this one",
        "kernel/module/main.c add_unformed_module",
        errnos=(errno.EEXIST,),
        remedy=("lkm show {module}", "lkm unload {module}"),
    ),
    CauseRule(
        "no-device",
        "{module} found no hardware that it could drive: the device is not in this machine, is turned off in the"
        " firmware's settings, or another driver has it; the module itself is fine",
        _INIT,
        errnos=(errno.ENODEV,),
        remedy=(_LOG, "lspci -nnk", "modinfo -F alias {file}"),
    ),
    CauseRule(
        "device-busy",
        "something that {module} needs is held by another driver, or a module of this name is still starting or going",
        _INIT,
        errnos=(errno.EBUSY,),
        remedy=(_LOG, "lkm show {module}", "lspci -nnk"),
    ),
    CauseRule(
        "no-memory",
        "the kernel has no memory left for {module}, or for its init function",
        "kernel/module/main.c layout_and_allocate",
        errnos=(errno.ENOMEM,),
        remedy=("free -m", "grep -i vmalloc /proc/meminfo", _LOG),
    ),
    CauseRule(
        "compression-unsupported",
        "{kernel} can't unpack {file} itself, or {module} found that this machine lacks what it needs",
        "kernel/module/internal.h module_decompress",
        errnos=(errno.EOPNOTSUPP,),
        remedy=(_LOG, "lkm load {subject}"),
    ),
    CauseRule(
        "no-module-support",
        "{kernel} was built without support for modules (CONFIG_MODULES): what it can do is built in",
        "kernel/sys_ni.c",
        errnos=(errno.ENOSYS,),
        remedy=("grep CONFIG_MODULES= /boot/config-$(uname -r)", "lkm find --config CONFIG_MODULES"),
    ),
    CauseRule(
        "file-being-written",
        "{file} is open for writing: wait until the program that writes it is done",
        "fs/kernel_read_file.c kernel_read_file",
        errnos=(errno.ETXTBSY,),
        remedy=("fuser -v {file}",),
    ),
    CauseRule(
        "file-too-large",
        "{file} is larger than the kernel reads (2 GiB)",
        "fs/kernel_read_file.c kernel_read_file",
        errnos=(errno.EFBIG,),
        remedy=("ls -l {file}", "strip --strip-debug {file}"),
    ),
    CauseRule(
        "symbol-version",
        "{module} was built against another kernel, in which a symbol that it uses has another type",
        "man 2 init_module",
        errnos=(errno.ESRCH,),
        remedy=("make -C {build} M=$PWD clean modules",),
    ),
    CauseRule(
        "interrupted",
        "a signal came before {module} was loaded: try again",
        "kernel/module/main.c add_unformed_module",
        errnos=(errno.EINTR,),
        remedy=("lkm load {subject}",),
    ),
    CauseRule(
        "init-failed",
        "the init function of {module} failed, which no check of the loader can foresee: its own lines in the kernel's"
        " log say why",
        _INIT,
        errnos=_BY_INIT,
        remedy=(_LOG,),
    ),
)
