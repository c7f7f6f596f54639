"""Causes at resolving symbols: who exports them, to whom, in which version (kernel/module/main.c, version.c)."""

import errno

from lkm.rules.causes.rule import CauseRule

__all__ = ["SYMBOLS"]

_FAILURES = (errno.ENOENT, errno.EINVAL, errno.ENOEXEC)  # the last symbol that fails decides which it is
_NOT_FOUND = ("{module}: Unknown symbol {symbol} (err -2)", "{module}: Unknown symbol {symbol} (err 0)")
_BUILD = "make -C {build} M=$PWD clean modules"

SYMBOLS = (
    CauseRule(
        "mixed-licences",
        "{module} uses symbols that are for GPL modules only, and {symbol} of {owner}, which is proprietary:"
        " no module may use both",
        "kernel/module/main.c inherit_taint",
        lines=("{module}: module using GPL-only symbols uses symbols {symbol} from proprietary module {owner}.",),
        errnos=_FAILURES,
        remedy=("lkm show {owner}",),
    ),
    CauseRule(
        "mixed-licences",
        "{module} uses symbols that are for GPL modules only, and symbols of {owner}, which is proprietary:"
        " no module may use both",
        "kernel/module.c inherit_taint (5.10)",
        lines=("{module}: module using GPL-only symbols uses symbols from proprietary module {owner}.",),
        errnos=_FAILURES,
        remedy=("lkm show {owner}",),
    ),
    CauseRule(
        "mixed-licences",
        "{symbol} is there, and was refused to {module} because of its licence",
        "kernel/module/main.c inherit_taint",
        lines=_NOT_FOUND,
        facts=("refused {symbol}",),
        harmless=True,  # the line before says it better
    ),
    CauseRule(
        "proprietary",
        "the licence that {module} declares is not compatible with the GPL, and {symbol}{more} is exported to GPL"
        " modules only: for this module it does not exist",
        "kernel/module/main.c find_exported_symbol_in_section",
        lines=_NOT_FOUND,
        errnos=_FAILURES,
        facts=("gpl-only {symbol}",),
        remedy=("lkm show {subject}",),
    ),
    CauseRule(
        "proprietary",
        "the licence that {module} declares is not compatible with the GPL, and {symbol}{more} is exported to GPL"
        " modules only, or not at all: for this module it does not exist",
        "kernel/module/main.c find_exported_symbol_in_section",
        lines=_NOT_FOUND,
        errnos=_FAILURES,
        facts=("closed {module}",),
        remedy=("lkm show {subject}", "lkm find --symbol {symbol}"),
    ),
    CauseRule(
        "unknown-symbol",
        "{module} needs the symbol {symbol}{more}, which the module {exporter} exports, and that is not loaded:"
        " load it first, which insmod alone does not do",
        "kernel/module/main.c simplify_symbols",
        lines=_NOT_FOUND,
        errnos=_FAILURES,
        facts=("exported {symbol}",),
        remedy=("lkm load {exporter}", "lkm load {subject}"),
    ),
    CauseRule(
        "unknown-symbol",
        "{module} needs the symbol {symbol}{more}, which neither {kernel} nor a module of its tree exports: it was"
        " written or built for another kernel, or a module that belongs to it is not installed",
        "kernel/module/main.c simplify_symbols",
        lines=_NOT_FOUND,
        errnos=_FAILURES,
        facts=("nowhere {symbol}",),
        remedy=("lkm find --symbol {symbol}", "lkm deps {module}"),
    ),
    CauseRule(
        "unknown-symbol",
        "{module} needs the symbol {symbol}{more}, which neither {kernel} nor a loaded module exports: load the module"
        " that does first, as insmod alone does not; if none does, {module} was built for another kernel",
        "kernel/module/main.c simplify_symbols",
        lines=_NOT_FOUND,
        errnos=_FAILURES,
        remedy=("lkm find --symbol {symbol}", "lkm load {subject}"),
    ),
    CauseRule(
        "symbol-owner-starting",
        "{module} uses a symbol of {owner}, which was still starting after 30 seconds: it hangs in its init function",
        "kernel/module/main.c resolve_symbol_wait",
        lines=("{module}: gave up waiting for init of module {owner}.",),
        remedy=("lkm show {owner}", "sudo dmesg | tail -n 50"),
    ),
    CauseRule(
        "symbol-version",
        "{module} was built against another kernel, in which {symbol}{more} has another type: build it for {kernel}",
        "kernel/module/version.c check_version",
        lines=("{module}: disagrees about version of symbol {symbol}",),
        errnos=(errno.EINVAL, errno.ENOENT, errno.ENOEXEC),
        remedy=(_BUILD,),
    ),
    CauseRule(
        "symbol-version-missing",
        "{module} carries no version for {symbol}{more}, without which the kernel can't tell whether they fit: it was"
        " built without the Module.symvers of the module that exports it",
        "kernel/module/version.c check_version",
        lines=("{module}: no symbol version for {symbol}",),
        errnos=(errno.EINVAL, errno.ENOENT, errno.ENOEXEC),
        remedy=("make -C {build} M=$PWD KBUILD_EXTRA_SYMBOLS=/path/to/Module.symvers clean modules",),
    ),
    CauseRule(
        "namespace",
        "{module} uses {symbol}{more}, which is exported in the namespace {namespace}, and does not import that: its"
        ' source lacks MODULE_IMPORT_NS({namespace}), from Linux 6.13 on written MODULE_IMPORT_NS("{namespace}")',
        "Documentation/core-api/symbol-namespaces.rst",
        lines=("{module}: module uses symbol ({symbol}) from namespace {namespace}, but does not import it.",),
        errnos=(errno.EINVAL, errno.ENOENT, errno.ENOEXEC),
        remedy=("make -C {build} M=$PWD nsdeps", _BUILD),
    ),
    CauseRule(
        "module-namespace",
        "{module} imports the symbol namespace {namespace}: such namespaces name the modules that may use a symbol,"
        " and none can import them",
        "kernel/module/main.c setup_modinfo (7.x)",
        lines=("{module}: module tries to import module namespace: {namespace*}",),
        errnos=(errno.EPERM,),
        remedy=("lkm show {subject}",),
    ),
    CauseRule(
        "kernel-export",
        "{module} exports {symbol}, which {kernel} exports itself: what the module does is built in",
        "kernel/module/main.c verify_exported_symbols",
        lines=("{module}: exports duplicate symbol {symbol} (owned by kernel)",),
        errnos=(errno.ENOEXEC,),
        remedy=("lkm find --symbol {symbol}",),
    ),
    CauseRule(
        "duplicate-export",
        "{module} exports {symbol}, which {owner} exports already: only one of the two can be loaded",
        "kernel/module/main.c verify_exported_symbols",
        lines=("{module}: exports duplicate symbol {symbol} (owned by {owner})",),
        errnos=(errno.ENOEXEC,),
        remedy=("lkm unload {owner}", "lkm load {subject}"),
    ),
    CauseRule(
        "common-symbol",
        "{module} was compiled with -fcommon, which leaves variables without a place: compile it with -fno-common",
        "kernel/module/main.c simplify_symbols",
        lines=("{module}: please compile with -fno-common",),
        errnos=(errno.ENOEXEC, errno.ENOENT, errno.EINVAL),
        remedy=("make -C {build} M=$PWD KCFLAGS=-fno-common clean modules",),
    ),
    CauseRule(
        "export-flags-missing",
        "{module} exports symbols without saying to whom: it was built for a kernel before 7.1, or by a broken build",
        "kernel/module/main.c check_export_symbol_sections (7.x)",
        lines=("{module}: no flags for exported symbols",),
        stages=("export flags",),
        errnos=(errno.ENOEXEC,),
        remedy=(_BUILD,),
    ),
    CauseRule(
        "symbol-version-missing",
        "{module} exports symbols without versions, which {kernel} demands: it was built without CONFIG_MODVERSIONS",
        "kernel/module/main.c try_to_force_load",
        errnos=(errno.ENOEXEC,),
        stages=("export versions",),
        remedy=(_BUILD,),
    ),
    CauseRule(
        "symbol-version-missing",
        "{module} carries no symbol versions at all, which {kernel} demands: it was built without CONFIG_MODVERSIONS",
        "kernel/module/version.c check_version",
        lines=("{module}: Unknown symbol {symbol} (err -22)",),
        errnos=(errno.EINVAL,),
        facts=("no reason for -22",),
        remedy=(_BUILD,),
    ),
)
