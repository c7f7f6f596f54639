"""The table of causes: what evidence shows each, one sentence why, and the remedy."""

import errno
from dataclasses import dataclass

__all__ = ["LOADING", "UNLOADING", "CauseRule"]


@dataclass(frozen=True, slots=True)
class CauseRule:
    """A cause and its evidence: the errno, and a pattern that a line of the kernel's log must match.

    Without a pattern the errno is all there is, and it counts only if no other rule has said more. Summary and remedy
    may name the pattern's groups, ``{module}`` and ``{file}``; in remedies they are quoted for the shell.
    """

    id: str
    errno: int
    line: str | None
    summary: str
    remedy: tuple[str, ...]
    reference: str


LOADING = (
    CauseRule(
        "mixed-licences",
        errno.ENOENT,
        r"module using GPL-only symbols uses symbols (?P<symbol>\S+) from proprietary module (?P<owner>\S+)\.",
        "{module} uses GPL-only symbols of the kernel and {symbol} of {owner}, which is proprietary: no module may use"
        " both",
        (),
        "kernel/module/main.c inherit_taint",
    ),
    CauseRule(
        "unknown-symbol",
        errno.ENOENT,
        r"Unknown symbol (?P<symbol>\S+) \(err -2\)",
        "{module} needs the symbol {symbol}, which neither the kernel nor a loaded module offers it:"
        " load the module that exports it first, which insmod alone does not do",
        ("lkm find --symbol {symbol}", "lkm load {module}"),
        "kernel/module/main.c simplify_symbols",
    ),
    CauseRule(
        "proprietary",
        errno.ENOENT,
        r"module license '(?P<licence>[^']*)' taints kernel",
        "the licence of {module} ({licence}) is not compatible with the GPL, and GPL-only symbols do not exist for"
        " such a module",
        (),
        "kernel/module/main.c find_exported_symbol_in_section",
    ),
    CauseRule(
        "unresolved",
        errno.ENOENT,
        None,
        "{module} needs something that is not there, most often a symbol of a module that is not loaded: the kernel's"
        " log names it",
        ("dmesg | tail",),
        "kernel/module/main.c simplify_symbols",
    ),
    CauseRule(
        "symbol-version",
        errno.EINVAL,
        r"disagrees about version of symbol (?P<symbol>\S+)",
        "{module} was built against another kernel in which {symbol} has another type: build it for this one",
        ("make -C /lib/modules/$(uname -r)/build M=$PWD clean modules",),
        "kernel/module/version.c check_version",
    ),
    CauseRule(
        "symbol-version-missing",
        errno.EINVAL,
        r"no symbol version for (?P<symbol>\S+)",
        "{module} carries no version for {symbol}: it was built without the Module.symvers of what exports it",
        ("make -C /lib/modules/$(uname -r)/build M=$PWD KBUILD_EXTRA_SYMBOLS=/path/to/Module.symvers",),
        "kernel/module/version.c check_version",
    ),
    CauseRule(
        "namespace",
        errno.EINVAL,
        r"uses symbol \((?P<symbol>\S+)\) from namespace (?P<namespace>[^,]+), but does not import it",
        "{module} uses {symbol}, which is exported in the namespace {namespace}, and does not import that: its source"
        " needs MODULE_IMPORT_NS({namespace}), from Linux 6.13 on with quotes around {namespace}",
        (),
        "Documentation/core-api/symbol-namespaces.rst",
    ),
    CauseRule(
        "vermagic",
        errno.ENOEXEC,
        r"version magic '(?P<module_magic>[^']*)' should be '(?P<kernel_magic>[^']*)'",
        "{module} was built for another kernel ({module_magic}) than this one ({kernel_magic}): build or install it for"
        " this kernel",
        ("make -C /lib/modules/$(uname -r)/build M=$PWD clean modules",),
        "kernel/module/main.c check_modinfo",
    ),
    CauseRule(
        "struct-module-version",
        errno.ENOEXEC,
        r"disagrees about version of symbol module_layout",
        "{module} was built against a kernel whose struct module differs: build it for this kernel",
        ("make -C /lib/modules/$(uname -r)/build M=$PWD clean modules",),
        "kernel/module/version.c check_modstruct_version",
    ),
    CauseRule(
        "kernel-export",
        errno.ENOEXEC,
        r"exports duplicate symbol (?P<symbol>\S+) \(owned by kernel\)",
        "{module} exports {symbol}, which this kernel exports itself: what the module does is built in",
        (),
        "kernel/module/main.c verify_exported_symbols",
    ),
    CauseRule(
        "duplicate-export",
        errno.ENOEXEC,
        r"exports duplicate symbol (?P<symbol>\S+) \(owned by (?P<owner>(?!kernel\))\S+)\)",
        "{module} exports {symbol}, which {owner} exports already: only one of them can be loaded",
        ("lkm unload {owner}",),
        "kernel/module/main.c verify_exported_symbols",
    ),
    CauseRule(
        "stripped",
        errno.ENOEXEC,
        r"module has no symbols \(stripped\?\)",
        "{module} has no symbol table, which strip without options removes: use strip --strip-debug",
        ("strip --strip-debug {file}",),
        "kernel/module/main.c setup_load_info",
    ),
    CauseRule(
        "not-elf",
        errno.ENOEXEC,
        r"Invalid ELF header magic",
        "{file} is no ELF file, or a compressed one that this kernel does not unpack",
        ("file {file}",),
        "kernel/module/main.c elf_validity_check",
    ),
    CauseRule(
        "architecture",
        errno.ENOEXEC,
        r"Invalid architecture in ELF header: (?P<machine>\d+)",
        "{file} was built for another processor (ELF machine {machine})",
        ("file {file}",),
        "kernel/module/main.c elf_validity_check",
    ),
    CauseRule(
        "no-module",
        errno.ENOEXEC,
        r"No module found in object|Exactly one \.gnu\.linkonce\.this_module section must exist",
        "{file} is an object file but no kernel module",
        ("file {file}",),
        "kernel/module/main.c setup_load_info",
    ),
    CauseRule(
        "live-patch",
        errno.ENOEXEC,
        r"module is marked as livepatch module, but livepatch support is disabled",
        "{module} is a live patch, and this kernel was built without support for them",
        (),
        "kernel/module/main.c check_modinfo_livepatch",
    ),
    CauseRule(
        "damaged-elf",
        errno.ENOEXEC,
        r"Invalid ELF (?!header magic)|ELF Spec violation|empty section name table|invalid section index"
        r"|invalid WRITE\|EXEC flags|Unknown rela relocation|REL relocation unsupported",
        "{file} is damaged: build or install it again",
        (),
        "kernel/module/main.c elf_validity_check",
    ),
    CauseRule(
        "not-this-kernel",
        errno.ENOEXEC,
        None,
        "{module} is not in a form that this kernel accepts: it was built for another kernel, or is damaged",
        ("lkm show {file}",),
        "kernel/module/main.c load_module",
    ),
    CauseRule(
        "unsigned-enforced",
        errno.EKEYREJECTED,
        r"Loading of unsigned module is rejected",
        "{module} carries no signature and this kernel loads only modules signed by a key that it trusts:"
        " sign the module with such a key",
        ("/usr/src/linux-kbuild-*/scripts/sign-file sha256 KEY CERTIFICATE {file}",),
        "kernel/module/signing.c module_sig_check",
    ),
    CauseRule(
        "unavailable-key",
        errno.EKEYREJECTED,
        r"Loading of module with unavailable key is rejected",
        "{module} is signed by a key that this kernel does not trust: enrol its certificate, or sign with one that it"
        " trusts",
        ("mokutil --import CERTIFICATE.der",),
        "kernel/module/signing.c module_sig_check",
    ),
    CauseRule(
        "bad-signature",
        errno.EKEYREJECTED,
        None,
        "the signature of {module} does not fit its contents (the file was changed after signing), or its key is"
        " revoked",
        (),
        "kernel/module/signing.c mod_verify_sig",
    ),
    CauseRule(
        "malformed-signature",
        errno.EBADMSG,
        None,
        "the signature of {module} is damaged: install or sign the module again",
        (),
        "kernel/module/signing.c mod_verify_sig",
    ),
    CauseRule(
        "lockdown",
        errno.EPERM,
        r"Lockdown: .*unsigned module loading is restricted",
        "{module} carries no signature that this kernel trusts, and the kernel is locked down (Secure Boot does that):"
        " sign the module with a key that is enrolled",
        ("mokutil --import CERTIFICATE.der",),
        "man 7 kernel_lockdown",
    ),
    CauseRule(
        "lockdown-parameter",
        errno.EPERM,
        r"Lockdown: .*unsafe module parameters is restricted",
        "the kernel is locked down (Secure Boot does that), and a parameter of {module} that names hardware addresses"
        " can't be set then",
        ("lkm show --parameters {module}",),
        "man 7 kernel_lockdown",
    ),
    CauseRule(
        "kernel-blacklist",
        errno.EPERM,
        r"Module (?P<name>\S+) is blacklisted",
        "the kernel command line forbids {name} (module_blacklist=): take it out there and boot again",
        ("cat /proc/cmdline",),
        "kernel/module/main.c blacklisted",
    ),
    CauseRule(
        "permission",
        errno.EPERM,
        None,
        "loading needs the capability CAP_SYS_MODULE, and a kernel on which modules are not disabled:"
        " run as root, outside of an unprivileged container; see sysctl kernel.modules_disabled",
        ("sudo lkm load {module}", "sysctl kernel.modules_disabled"),
        "kernel/module/main.c may_init_module",
    ),
    CauseRule(
        "bad-parameter",
        errno.EINVAL,
        r"`(?P<value>[^']*)' invalid for parameter `(?P<parameter>[^']*)'",
        "{module} can't take the value '{value}' for its parameter {parameter}: see which type it has",
        ("lkm show --parameters {module}",),
        "kernel/params.c parse_args",
    ),
    CauseRule(
        "bad-parameter",
        errno.ERANGE,
        r"`(?P<value>[^']*)' invalid for parameter `(?P<parameter>[^']*)'",
        "the value '{value}' is out of the range of {module}'s parameter {parameter}: see which type it has",
        ("lkm show --parameters {module}",),
        "kernel/params.c parse_args",
    ),
    CauseRule(
        "parameter-too-large",
        errno.ENOSPC,
        r"too large for parameter `(?P<parameter>[^']*)'",
        "the value for {module}'s parameter {parameter} is too long",
        ("lkm show --parameters {module}",),
        "kernel/params.c parse_args",
    ),
    CauseRule(
        "built-in-name",
        errno.EINVAL,
        r"module is already loaded",
        "the kernel has a built-in of the name {module}, so a module can't be called so",
        ("lkm show {module}",),
        "kernel/module/sysfs.c mod_sysfs_init",
    ),
    CauseRule(
        "invalid",
        errno.EINVAL,
        None,
        "the kernel can't take {module}, or a value of one of its parameters: its log says why",
        ("dmesg | tail", "lkm show --parameters {module}"),
        "kernel/module/main.c load_module",
    ),
    CauseRule(
        "already-loaded",
        errno.EEXIST,
        None,
        "{module} is loaded already: remove it first to load it anew",
        ("lkm unload {module}",),
        "kernel/module/main.c add_unformed_module",
    ),
    CauseRule(
        "no-device",
        errno.ENODEV,
        None,
        "{module} found no hardware or firmware that it could drive",
        ("dmesg | tail",),
        "the module's own init function",
    ),
    CauseRule(
        "no-memory",
        errno.ENOMEM,
        None,
        "the kernel has no memory left for {module}",
        (),
        "kernel/module/main.c layout_and_allocate",
    ),
)

UNLOADING = (
    CauseRule(
        "in-use",
        errno.EAGAIN,
        None,
        "{module} is in use: by other modules, or by open files, mounts or devices",
        ("lkm show {module}", "lkm unload --holders {module}"),
        "kernel/module/main.c delete_module",
    ),
    CauseRule(
        "not-loaded",
        errno.ENOENT,
        None,
        "{module} is not loaded",
        ("lkm list",),
        "kernel/module/main.c delete_module",
    ),
    CauseRule(
        "permanent",
        errno.EBUSY,
        None,
        "{module} has no exit function, or is still starting or going: it stays until the next boot",
        (),
        "kernel/module/main.c delete_module",
    ),
    CauseRule(
        "permission",
        errno.EPERM,
        None,
        "removing needs the capability CAP_SYS_MODULE, and a kernel on which modules are not disabled: run as root",
        ("sudo lkm unload {module}", "sysctl kernel.modules_disabled"),
        "kernel/module/main.c delete_module",
    ),
)
