"""Named causes: the evidence that shows each, one sentence why, and the remedy."""

import errno
import re
from dataclasses import dataclass

from lkm.errors import Cause, KernelRefused

__all__ = ["causes_of_load", "causes_of_unload"]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A cause and its evidence: the errno, and a pattern that a line of the kernel's log must match.

    Summary and remedy may name the pattern's groups, ``{module}`` and ``{file}``.
    """

    id: str
    errno: int
    line: str | None
    summary: str
    remedy: tuple[str, ...]
    reference: str


_LOADING = (
    _Rule(
        "unknown-symbol",
        errno.ENOENT,
        r"Unknown symbol (?P<symbol>\S+) \(err -2\)",
        "{module} needs the symbol {symbol}, which neither the kernel nor a loaded module offers it:"
        " load the module that exports it first, which insmod alone does not do",
        ("lkm find --symbol {symbol}", "lkm load {module}"),
        "kernel/module/main.c simplify_symbols",
    ),
    _Rule(
        "symbol-version",
        errno.EINVAL,
        r"disagrees about version of symbol (?P<symbol>\S+)",
        "{module} was built against another kernel in which {symbol} has another type: build it for this one",
        ("make -C /lib/modules/$(uname -r)/build M=$PWD clean modules",),
        "kernel/module/version.c check_version",
    ),
    _Rule(
        "symbol-version-missing",
        errno.EINVAL,
        r"no symbol version for (?P<symbol>\S+)",
        "{module} carries no version for {symbol}: it was built without the Module.symvers of what exports it",
        ("make -C /lib/modules/$(uname -r)/build M=$PWD KBUILD_EXTRA_SYMBOLS=/path/to/Module.symvers",),
        "kernel/module/version.c check_version",
    ),
    _Rule(
        "namespace",
        errno.EINVAL,
        r"uses symbol \((?P<symbol>\S+)\) from namespace (?P<namespace>[^,]+), but does not import it",
        "{module} uses {symbol}, which is exported in the namespace {namespace}, and does not import that",
        ("echo 'MODULE_IMPORT_NS(\"{namespace}\");' >> {module}.c",),
        "Documentation/core-api/symbol-namespaces.rst",
    ),
    _Rule(
        "vermagic",
        errno.ENOEXEC,
        r"version magic '(?P<module_magic>[^']*)' should be '(?P<kernel_magic>[^']*)'",
        "{module} was built for another kernel ({module_magic}) than this one ({kernel_magic}): build or install it for"
        " this kernel",
        ("make -C /lib/modules/$(uname -r)/build M=$PWD clean modules",),
        "kernel/module/main.c check_modinfo",
    ),
    _Rule(
        "struct-module-version",
        errno.ENOEXEC,
        r"disagrees about version of symbol module_layout",
        "{module} was built against a kernel whose struct module differs: build it for this kernel",
        ("make -C /lib/modules/$(uname -r)/build M=$PWD clean modules",),
        "kernel/module/version.c check_modstruct_version",
    ),
    _Rule(
        "duplicate-export",
        errno.ENOEXEC,
        r"exports duplicate symbol (?P<symbol>\S+) \(owned by (?P<owner>\S+)\)",
        "{module} exports {symbol}, which {owner} exports already: only one of them can be loaded",
        ("lkm unload {owner}",),
        "kernel/module/main.c verify_exported_symbols",
    ),
    _Rule(
        "stripped",
        errno.ENOEXEC,
        r"module has no symbols \(stripped\?\)",
        "{module} has no symbol table, which strip without options removes: use strip --strip-debug",
        ("strip --strip-debug {file}",),
        "kernel/module/main.c setup_load_info",
    ),
    _Rule(
        "not-elf",
        errno.ENOEXEC,
        r"Invalid ELF header magic",
        "{file} is no ELF file, or a compressed one that this kernel does not unpack",
        ("file {file}",),
        "kernel/module/main.c elf_validity_check",
    ),
    _Rule(
        "damaged-elf",
        errno.ENOEXEC,
        r"Invalid ELF|ELF Spec violation|empty section name table|invalid section index",
        "{file} is damaged: build or install it again",
        (),
        "kernel/module/main.c elf_validity_check",
    ),
    _Rule(
        "not-this-kernel",
        errno.ENOEXEC,
        None,
        "{module} is not in a form that this kernel accepts: it was built for another kernel, or is damaged",
        ("lkm show {file}",),
        "kernel/module/main.c load_module",
    ),
    _Rule(
        "unsigned-enforced",
        errno.EKEYREJECTED,
        r"Loading of unsigned module is rejected",
        "{module} carries no signature and this kernel loads only modules signed by a key that it trusts:"
        " sign the module with such a key",
        ("/usr/src/linux-kbuild-*/scripts/sign-file sha256 KEY CERTIFICATE {file}",),
        "kernel/module/signing.c module_sig_check",
    ),
    _Rule(
        "unavailable-key",
        errno.EKEYREJECTED,
        r"Loading of module with unavailable key is rejected",
        "{module} is signed by a key that this kernel does not trust: enrol its certificate, or sign with one that it"
        " trusts",
        ("mokutil --import CERTIFICATE.der",),
        "kernel/module/signing.c module_sig_check",
    ),
    _Rule(
        "bad-signature",
        errno.EKEYREJECTED,
        None,
        "the signature of {module} does not fit its contents (the file was changed after signing), or its key is"
        " revoked",
        (),
        "kernel/module/signing.c mod_verify_sig",
    ),
    _Rule(
        "malformed-signature",
        errno.EBADMSG,
        None,
        "the signature of {module} is damaged: install or sign the module again",
        (),
        "kernel/module/signing.c mod_verify_sig",
    ),
    _Rule(
        "lockdown",
        errno.EPERM,
        r"Lockdown: .*unsigned module loading is restricted",
        "{module} carries no signature that this kernel trusts, and the kernel is locked down (Secure Boot does that):"
        " sign the module with a key that is enrolled",
        ("mokutil --import CERTIFICATE.der",),
        "man 7 kernel_lockdown",
    ),
    _Rule(
        "kernel-blacklist",
        errno.EPERM,
        r"Module (?P<name>\S+) is blacklisted",
        "the kernel command line forbids {name} (module_blacklist=): take it out there and boot again",
        ("cat /proc/cmdline",),
        "kernel/module/main.c blacklisted",
    ),
    _Rule(
        "permission",
        errno.EPERM,
        None,
        "loading needs the capability CAP_SYS_MODULE, and a kernel on which modules are not disabled:"
        " run as root, outside of an unprivileged container; see sysctl kernel.modules_disabled",
        ("sudo lkm load {module}", "sysctl kernel.modules_disabled"),
        "kernel/module/main.c may_init_module",
    ),
    _Rule(
        "bad-parameter",
        errno.EINVAL,
        r"`(?P<value>[^']*)' invalid for parameter `(?P<parameter>[^']*)'",
        "{module} can't take the value '{value}' for its parameter {parameter}: see which type it has",
        ("lkm show --parameters {module}",),
        "kernel/params.c parse_args",
    ),
    _Rule(
        "bad-parameter",
        errno.ERANGE,
        r"`(?P<value>[^']*)' invalid for parameter `(?P<parameter>[^']*)'",
        "the value '{value}' is out of the range of {module}'s parameter {parameter}: see which type it has",
        ("lkm show --parameters {module}",),
        "kernel/params.c parse_args",
    ),
    _Rule(
        "parameter-too-large",
        errno.ENOSPC,
        r"too large for parameter `(?P<parameter>[^']*)'",
        "the value for {module}'s parameter {parameter} is too long",
        ("lkm show --parameters {module}",),
        "kernel/params.c parse_args",
    ),
    _Rule(
        "built-in-name",
        errno.EINVAL,
        r"module is already loaded",
        "the kernel has a built-in of the name {module}, so a module can't be called so",
        ("lkm show {module}",),
        "kernel/module/sysfs.c mod_sysfs_init",
    ),
    _Rule(
        "already-loaded",
        errno.EEXIST,
        None,
        "{module} is loaded already: remove it first to load it anew",
        ("lkm unload {module}",),
        "kernel/module/main.c add_unformed_module",
    ),
    _Rule(
        "no-device",
        errno.ENODEV,
        None,
        "{module} found no hardware or firmware that it could drive",
        ("dmesg | tail",),
        "the module's own init function",
    ),
    _Rule(
        "no-memory",
        errno.ENOMEM,
        None,
        "the kernel has no memory left for {module}",
        (),
        "kernel/module/main.c layout_and_allocate",
    ),
)

_UNLOADING = (
    _Rule(
        "in-use",
        errno.EAGAIN,
        None,
        "{module} is in use: by other modules, or by open files, mounts or devices",
        ("lkm show {module}", "lkm unload --holders {module}"),
        "kernel/module/main.c delete_module",
    ),
    _Rule(
        "not-loaded",
        errno.ENOENT,
        None,
        "{module} is not loaded",
        ("lkm list",),
        "kernel/module/main.c delete_module",
    ),
    _Rule(
        "permanent",
        errno.EBUSY,
        None,
        "{module} has no exit function, or is still starting or going: it stays until the next boot",
        (),
        "kernel/module/main.c delete_module",
    ),
    _Rule(
        "permission",
        errno.EPERM,
        None,
        "removing needs the capability CAP_SYS_MODULE, and a kernel on which modules are not disabled: run as root",
        ("sudo lkm unload {module}", "sysctl kernel.modules_disabled"),
        "kernel/module/main.c delete_module",
    ),
)


def causes_of_load(error: KernelRefused, name: str) -> tuple[Cause, ...]:
    """Name the causes that a refusal's errno and log lines show, most telling first.

    :param name: the module's name
    """
    return _found(_LOADING, error, name)


def causes_of_unload(error: KernelRefused) -> tuple[Cause, ...]:
    """Name the causes of a refused removal."""
    return _found(_UNLOADING, error, error.module)


def _found(rules: tuple[_Rule, ...], error: KernelRefused, name: str) -> tuple[Cause, ...]:
    words = {"module": name, "file": error.where or name}
    found: list[Cause] = []
    for rule in rules:
        if rule.errno != error.errno or (rule.line is None and found):
            continue
        groups = _evidence(rule, error.log)
        if groups is not None:
            found.append(_filled(rule, {**words, **groups}))
    return tuple(found)


def _evidence(rule: _Rule, log: tuple[str, ...]) -> dict[str, str] | None:
    """Give the named groups of the last line that shows the rule's cause; the last failure decides the errno."""
    if rule.line is None:
        return {}
    for line in reversed(log):
        match = re.search(rule.line, line)
        if match:
            return {name: text.strip() for name, text in match.groupdict().items()}
    return None


def _filled(rule: _Rule, words: dict[str, str]) -> Cause:
    remedy = tuple(command.format_map(words) for command in rule.remedy)
    return Cause(rule.id, rule.summary.format_map(words), remedy, rule.reference)
