"""Causes of a module that was built for another kernel: vermagic, struct module, machine, relocations."""

import errno

from lkm.rules.causes.rule import CauseRule

__all__ = ["BUILDING"]

_BUILD = "make -C {build} M=$PWD clean modules"
_ENOEXEC = (errno.ENOEXEC,)

_MAGIC = "{module}: version magic '{built} {flags*}' should be '{wanted} {wanted_flags*}'"

BUILDING = (
    CauseRule(
        "old-copy-in-initramfs",
        "{module} in the initramfs was built for another kernel ({built}) than the one that starts ({wanted}): the"
        " initramfs holds an old copy and must be made anew",
        "man 8 update-initramfs",
        lines=(_MAGIC,),
        errnos=_ENOEXEC,
        facts=("phase {phase}",),
        remedy=("lsinitramfs /boot/initrd.img-$(uname -r) | grep {module}", "sudo update-initramfs -u -k all"),
    ),
    CauseRule(
        "old-copy-in-initramfs",
        "{module} in the initramfs does not fit the kernel that starts, in which {symbol} has another type: the"
        " initramfs holds an old copy and must be made anew",
        "man 8 update-initramfs",
        lines=("{module}: disagrees about version of symbol {symbol}",),
        facts=("phase {phase}",),
        remedy=("lsinitramfs /boot/initrd.img-$(uname -r) | grep {module}", "sudo update-initramfs -u -k all"),
    ),
    CauseRule(
        "vermagic-flags",
        "{module} was built for the release {wanted}, but with another configuration: it says '{flags}' where"
        " {kernel} says '{wanted_flags}'",
        "kernel/module/main.c check_modinfo",
        lines=("{module}: version magic '{wanted} {flags*}' should be '{wanted} {wanted_flags*}'",),
        errnos=_ENOEXEC,
        remedy=("make -C /lib/modules/{wanted}/build M=$PWD clean modules",),
    ),
    CauseRule(
        "vermagic",
        "{module} was built for the kernel {built}, not for {wanted}: build or install it for that one",
        "kernel/module/main.c check_modinfo",
        lines=("{module}: version magic '{built} {flags*}' should be '{wanted} {flags*}'",),
        errnos=_ENOEXEC,
        remedy=("make -C /lib/modules/{wanted}/build M=$PWD clean modules",),
    ),
    CauseRule(
        "vermagic",
        "{module} was built for another kernel ({built} {flags}) than this one ({wanted} {wanted_flags}): build or"
        " install it for this kernel",
        "kernel/module/main.c check_modinfo",
        lines=(_MAGIC,),
        errnos=_ENOEXEC,
        remedy=(_BUILD,),
    ),
    CauseRule(
        "vermagic",
        "{module} was built for another kernel: it says '{built}' where {kernel} says '{wanted}'",
        "kernel/module/main.c check_modinfo",
        lines=("{module}: version magic '{built*}' should be '{wanted*}'",),
        errnos=_ENOEXEC,
        remedy=(_BUILD,),
    ),
    CauseRule(
        "vermagic-missing",
        "{module} does not say which kernel it was built for (it has no vermagic, or that was to be ignored), and"
        " {kernel} takes no such modules",
        "kernel/module/main.c try_to_force_load",
        errnos=_ENOEXEC,
        stages=("vermagic",),
        remedy=("modinfo -F vermagic {file}", _BUILD),
    ),
    CauseRule(
        "struct-module-version",
        "{module} was built against another kernel, or one of another configuration: its struct module has another"
        " layout than that of {kernel}",
        "kernel/module/version.c check_modstruct_version",
        lines=(
            "{module}: disagrees about version of symbol module_layout",
            "{module}: no symbol version for module_layout",
        ),
        errnos=_ENOEXEC,
        remedy=(_BUILD,),
    ),
    CauseRule(
        "struct-module-version",
        "{module} carries no symbol versions, which {kernel} demands: it was built without CONFIG_MODVERSIONS, or they"
        " were to be ignored",
        "kernel/module/version.c check_modstruct_version",
        errnos=_ENOEXEC,
        stages=("struct version",),
        remedy=(_BUILD,),
    ),
    CauseRule(
        "struct-module-size",
        "{module} was built against another kernel, or one of another configuration: its struct module has another"
        " size than that of {kernel}",
        "kernel/module/main.c elf_validity_cache_index_mod",
        lines=(
            "module {module}: .gnu.linkonce.this_module section size must match the kernel's built struct module size",
        ),
        errnos=_ENOEXEC,
        remedy=(_BUILD,),
    ),
    CauseRule(
        "architecture",
        "{file} was built for another processor ({processor}) than that of {kernel}",
        "kernel/module/main.c elf_validity_check",
        lines=(
            "Invalid architecture in ELF header: {machine}",
            "Invalid module architecture in ELF header: {machine}",
        ),
        errnos=_ENOEXEC,
        remedy=("file {file}", "uname -m"),
    ),
    CauseRule(
        "unknown-relocation",
        "{module} has a relocation (type {type}) that kernels of this processor do not know: it was compiled with"
        " options that are not for kernel modules, or its toolchain is newer than the kernel",
        "arch/x86/kernel/module.c, arch/arm64/kernel/module.c apply_relocate_add",
        lines=(
            "{module}: Unknown rela relocation: {type}",
            "{module}: Unknown relocation: {type}",
            "module {module}: unsupported RELA relocation: {type}",
        ),
        errnos=_ENOEXEC,
        remedy=(_BUILD,),
    ),
    CauseRule(
        "unknown-relocation",
        "{module} has relocations of the kind REL, which kernels of this processor do not take: it was linked by a"
        " broken build",
        "include/linux/moduleloader.h apply_relocate",
        lines=("module {module}: REL relocation unsupported", "{module}: REL relocation unsupported"),
        errnos=_ENOEXEC,
        remedy=("readelf -Wr {file}", _BUILD),
    ),
    CauseRule(
        "relocation-overflow",
        "{module} was not compiled as a kernel module: an address does not fit where it must go (no -mcmodel=kernel)",
        "arch/x86/kernel/module.c apply_relocate_add",
        lines=("`{module}' likely not compiled with -mcmodel=kernel",),
        errnos=_ENOEXEC,
        remedy=(_BUILD,),
    ),
    CauseRule(
        "relocation-overflow",
        "an address in {module} does not fit where it must go: it was not compiled as a kernel module, or is too far"
        " from what it uses",
        "arch/x86/kernel/module.c, arch/arm64/kernel/module.c apply_relocate_add",
        lines=(
            "module {module}: overflow in relocation type {type} val {value*}",
            "overflow in relocation type {type} val {value*}",
        ),
        errnos=_ENOEXEC,
        remedy=(_BUILD,),
    ),
    CauseRule(
        "relocated-before",
        "{file} is not as the linker leaves it: where the kernel puts addresses something stands already",
        "arch/x86/kernel/module.c __write_relocate_add",
        lines=(
            "Invalid relocation target, existing value is nonzero for",
            "Skipping invalid relocation target, existing value is nonzero for",
        ),
        errnos=_ENOEXEC,
        remedy=(_BUILD,),
    ),
    CauseRule(
        "no-linker-script",
        "{module} was linked without the kernel's linker script: it lacks the sections that this processor needs",
        "arch/arm64/kernel/module-plts.c module_frob_arch_sections",
        lines=("{module}: module PLT section(s) missing", "{module}: module symtab section missing"),
        errnos=_ENOEXEC,
        stages=("architecture",),
        remedy=(_BUILD,),
    ),
    CauseRule(
        "live-patch",
        "{module} is a live patch, and {kernel} was built without support for them (CONFIG_LIVEPATCH)",
        "kernel/module/main.c check_modinfo_livepatch",
        lines=("{module}: module is marked as livepatch module, but livepatch support is disabled",),
        errnos=_ENOEXEC,
        remedy=("lkm show {subject}",),
    ),
    CauseRule(
        "two-constructors",
        "{module} has both .ctors and .init_array: objects of different compilers, or for other programs, were linked"
        " into it",
        "kernel/module/main.c find_module_sections",
        lines=("{module}: has both .ctors and .init_array.",),
        errnos=(errno.EINVAL,),
        remedy=(_BUILD,),
    ),
)
