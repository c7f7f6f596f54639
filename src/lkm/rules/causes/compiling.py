"""Causes in the log of a module's build: headers, compiler, a source that does not fit the kernel, modpost."""

from lkm.rules.causes.rule import CauseRule

__all__ = ["COMPILING"]

_GCC = "man 1 gcc"
_MODPOST = "scripts/mod/modpost.c check_exports"
_KBUILD = "Documentation/kbuild/modules.rst"
_VERSIONS = ("grep -o 'gcc[^)]*' /proc/version", "gcc --version")


def _quoted(*lines: str) -> tuple[str, ...]:
    """Give each line with the quotation marks of both kinds that compilers print, by the locale."""
    marks = (("\u2018", "\u2019"), ("'", "'"))
    return tuple(line.replace("<", left).replace(">", right) for left, right in marks for line in lines)


_OTHER_KERNEL = "the source was written for a kernel with other interfaces; get a version of it that names this kernel"

COMPILING = (
    CauseRule(
        "headers-missing",
        "the headers of the kernel {release} are not installed: nothing can be built for it",
        _KBUILD,
        lines=(
            "*** /lib/modules/{release}/build: No such file or directory.",
            "*** /usr/src/linux-headers-{release}: No such file or directory.",
            "kernel headers for kernel {release} cannot be found",
            "please install the linux-headers-{release} package",
        ),
        remedy=("sudo apt install linux-headers-{release}", "sudo dnf install kernel-devel-{release}"),
    ),
    CauseRule(
        "headers-missing",
        "the headers of a kernel are not installed: nothing can be built for it",
        _KBUILD,
        lines=(
            "kernel headers for this kernel do not seem to be installed",
            "Linux headers are missing, which may explain the above failures",
            "No kernel headers were found, skipping module build",
        ),
        remedy=("sudo apt install linux-headers-$(uname -r)", "sudo dnf install kernel-devel-$(uname -r)"),
    ),
    CauseRule(
        "headers-unprepared",
        "the kernel tree that the module was to be built against was never configured and prepared; headers of a"
        " distribution's package are",
        "scripts/Makefile.modpost",
        lines=("ERROR: Kernel configuration is invalid.",),
        remedy=("ls -l /lib/modules/$(uname -r)/build",),
    ),
    CauseRule(
        "not-a-kernel-tree",
        "make was run in a directory without the kernel's makefiles, or one that is empty: -C must name the kernel's"
        " build directory, M= the module's",
        _KBUILD,
        lines=(
            "*** No rule to make target 'modules'.  Stop.",
            "*** No targets specified and no makefile found.  Stop.",
            "*** No rule to make target 'scripts/Makefile.build'",
        ),
        remedy=("make -C /lib/modules/$(uname -r)/build M=$PWD modules",),
    ),
    CauseRule(
        "source-not-clean",
        "the kernel's source tree was built in before, so nothing can be built beside it",
        "man 1 make",
        lines=("*** The source tree is not clean, please run 'make",),
        remedy=("make mrproper",),
    ),
    CauseRule(
        "compiler-missing",
        "the compiler {compiler} is not installed; the kernel's makefiles ask for the one that the kernel was built"
        " with",
        _KBUILD,
        lines=(
            "sh: {line}: {compiler}: not found",
            "sh: line {line}: {compiler}: command not found",
            "make[{depth}]: {compiler}: No such file or directory",
            "make: {compiler}: No such file or directory",
        ),
        remedy=("sudo apt install build-essential", "sudo apt install {compiler}"),
    ),
    CauseRule(
        "compiler-options",
        "the compiler does not know the option {option}: the kernel was built with another compiler, or a newer one",
        _GCC,
        lines=(
            *_quoted(
                "error: unrecognized command-line option <{option}>",
                "error: unrecognized command line option <{option}>",
            ),
            "error: unknown argument: '{option}'",
        ),
        remedy=_VERSIONS,
    ),
    CauseRule(
        "compiler-plugins",
        "the kernel's compiler plugins were built for another version of the compiler than the one that runs",
        "scripts/gcc-plugins/gcc-common.h",
        lines=(
            "error: incompatible gcc/plugin versions",
            "error: cannot load plugin ./scripts/gcc-plugins/{plugin}",
            "error: cannot load plugin scripts/gcc-plugins/{plugin}",
        ),
        remedy=_VERSIONS,
    ),
    CauseRule(
        "objtool-missing",
        "the kernel tree lacks a program that checks what was compiled (objtool), or the library that it needs"
        " (libelf)",
        "tools/objtool/elf.c",
        lines=(
            "please install libelf-dev, libelf-devel or elfutils-libelf-devel",
            "tools/objtool/objtool: not found",
            "tools/objtool/objtool: No such file or directory",
            "fatal error: libelf.h: No such file or directory",
            "fatal error: gelf.h: No such file or directory",
        ),
        remedy=("sudo apt install libelf-dev", "sudo dnf install elfutils-libelf-devel"),
    ),
    CauseRule(
        "api-changed",
        f"this kernel's headers offer no function {{function}}{{more}}: {_OTHER_KERNEL}",
        _GCC,
        lines=(
            *_quoted("error: implicit declaration of function <{function}>"),
            "error: call to undeclared function '{function}'",
            "error: use of undeclared identifier '{function}'",
        ),
        remedy=("uname -r",),
    ),
    CauseRule(
        "api-changed",
        f"in this kernel's headers {{type}} has no member {{member}}: {_OTHER_KERNEL}",
        _GCC,
        lines=(
            *_quoted("error: <{type*}> has no member named <{member}>"),
            "error: no member named '{member}' in '{type*}'",
        ),
        remedy=("uname -r",),
    ),
    CauseRule(
        "api-changed",
        f"this kernel's function {{function}} takes other arguments than the source gives: {_OTHER_KERNEL}",
        _GCC,
        lines=_quoted(
            "error: too few arguments to function <{function}>",
            "error: too many arguments to function <{function}>",
            "error: incompatible type for argument {number} of <{function}>",
            "of <{function}> from incompatible pointer type",
        ),
        remedy=("uname -r",),
    ),
    CauseRule(
        "api-changed",
        f"functions of the source have another form than this kernel asks for: {_OTHER_KERNEL}",
        _GCC,
        lines=(
            "from incompatible pointer type [-Werror=incompatible-pointer-types]",
            "from incompatible pointer type [-Wincompatible-pointer-types]",
            "error: incompatible function pointer types",
        ),
        remedy=("uname -r",),
    ),
    CauseRule(
        "header-missing",
        "this kernel has no header {header}, or the package that holds it is not installed: the source was written for"
        " another kernel, or is incomplete",
        _GCC,
        lines=(
            "fatal error: {header}: No such file or directory",
            "fatal error: '{header}' file not found",
        ),
        remedy=("find /usr/src -path '*'{header}",),
    ),
    CauseRule(
        "warnings-as-errors",
        "the build stops at what are warnings only, as this compiler is stricter than the source expects",
        _GCC,
        lines=("all warnings being treated as errors",),
        remedy=("make -C /lib/modules/$(uname -r)/build M=$PWD KCFLAGS=-Wno-error modules",),
    ),
    CauseRule(
        "build-memory",
        "the compiler was ended for want of memory: build with fewer jobs (-j1), or with more memory or swap",
        _GCC,
        lines=(
            "Killed signal terminated program cc1",
            "internal compiler error: Killed (program cc1",
            "virtual memory exhausted: Cannot allocate memory",
        ),
        remedy=("free -h", "sudo dmesg | grep -i 'out of memory'"),
    ),
    CauseRule(
        "gpl-only-symbol",
        "{target} is not under the GPL, and {symbol} is for modules under the GPL only",
        _MODPOST,
        lines=("GPL-incompatible module {target} uses GPL-only symbol '{symbol}'",),
        remedy=("modinfo -F license {target}",),
    ),
    CauseRule(
        "namespace",
        "{module} uses {symbol} of the symbol namespace {namespace}, which its source must import:"
        ' MODULE_IMPORT_NS("{namespace}"), before 6.13 without the quotation marks',
        _MODPOST,
        lines=("module {module} uses symbol {symbol} from namespace {namespace}, but does not import it.",),
    ),
    CauseRule(
        "licence-missing",
        '{target} does not name its licence: a line MODULE_LICENSE("GPL") (or what applies) must stand in the source',
        "scripts/mod/modpost.c read_symbols",
        lines=("missing MODULE_LICENSE() in {target}",),
    ),
    CauseRule(
        "symbol-undefined",
        "{target}.ko uses {symbol}{more}, which this kernel does not offer to modules: the source is for another"
        " kernel, the option that offers it is off, or it comes from another module's Module.symvers"
        " (KBUILD_EXTRA_SYMBOLS)",
        _MODPOST,
        lines=('"{symbol}" [{target}.ko] undefined!',),
        remedy=("lkm find --symbol {symbol}",),
    ),
    CauseRule(
        "symvers-missing",
        "the kernel tree has no Module.symvers: what is built against it carries no symbol versions, and a kernel that"
        " asks for them refuses it",
        "scripts/Makefile.modpost",
        lines=(
            "WARNING: Module.symvers is missing.",
            'WARNING: Symbol version dump "{file}" is missing.',
            "Symbol info of vmlinux is missing. Unresolved symbol check will be entirely skipped.",
        ),
        remedy=("ls -l /lib/modules/$(uname -r)/build/Module.symvers",),
    ),
    CauseRule(
        "signing-key-missing",
        "the kernel's own signing key is not there, and never is with a distribution's headers: the module was"
        " installed without a signature",
        "scripts/Makefile.modinst",
        lines=("sign-file: certs/signing_key.pem", "sign-file: ./certs/signing_key.pem"),
        remedy=("sysctl kernel.tainted", "modinfo -F signer MODULE"),
    ),
    CauseRule(
        "compiler-differs",
        "the module is built with another compiler than the kernel; that is most often harmless",
        "man 1 make",
        lines=("warning: the compiler differs from the one used to build the kernel",),
        harmless=True,
    ),
    CauseRule(
        "type-information-missing",
        "{target} was built without type information for BPF (BTF), as the kernel's vmlinux is not there: harmless",
        "scripts/Makefile.modfinal",
        lines=("Skipping BTF generation for {target} due to unavailability of vmlinux",),
        harmless=True,
    ),
)
