"""Causes outside of the loader's checks: names, memory, hardware, firmware, the module tree, modprobe.d."""

import errno

from lkm.rules.causes.rule import CauseRule

__all__ = ["SYSTEM"]

SYSTEM = (
    CauseRule(
        "built-in-name",
        "{module} is part of {kernel} (built in), so a module of this name can't be loaded",
        "kernel/module/sysfs.c mod_sysfs_init",
        lines=("{module}: module is already loaded",),
        errnos=(errno.EINVAL,),
        remedy=("lkm show {module}",),
    ),
    CauseRule(
        "already-loaded",
        "a module of the name {module} is loaded already: remove that first to load this one",
        "kernel/module/main.c add_unformed_module",
        errnos=(errno.EEXIST,),
        stages=("duplicate",),
        remedy=("lkm show {module}", "lkm unload {module}"),
    ),
    CauseRule(
        "firmware-missing",
        "the driver of {device} asked for the firmware file {firmware}, which is not under /lib/firmware: install the"
        " package that holds it, then load the module again",
        "drivers/base/firmware_loader/main.c _request_firmware",
        lines=("{device}: Direct firmware load for {firmware} failed with error -2",),
        remedy=("sudo dmesg | grep -i firmware", "find /lib/firmware/ -path '*'{firmware}'*'"),
    ),
    CauseRule(
        "firmware-unreadable",
        "the driver of {device} asked for the firmware file {firmware}, which could not be read (error {code})",
        "drivers/base/firmware_loader/main.c _request_firmware",
        lines=("{device}: Direct firmware load for {firmware} failed with error {code}",),
        remedy=("ls -lL /lib/firmware/{firmware}",),
    ),
    CauseRule(
        "percpu-memory",
        "the per-CPU variables of {module} ({size} bytes) need more room than the kernel keeps for those of modules",
        "kernel/module/main.c percpu_modalloc",
        lines=("{module}: Could not allocate {size} bytes percpu data",),
        errnos=(errno.ENOMEM,),
        remedy=("grep -i percpu /proc/meminfo",),
    ),
    CauseRule(
        "sysfs-missing",
        "the kernel starts still: sysfs, which every module needs, is not there yet",
        "kernel/module/sysfs.c mod_sysfs_init",
        lines=("{module}: module sysfs not initialized",),
        errnos=(errno.EINVAL,),
    ),
    CauseRule(
        "sysfs-name-taken",
        "{module} wants to register {path} in sysfs, where something of this name is: another driver does the same, or"
        " an earlier version of it is still there",
        "fs/sysfs/dir.c sysfs_warn_dup",
        lines=("sysfs: cannot create duplicate filename '{path}'",),
        errnos=(errno.EEXIST, errno.EBUSY),
        remedy=("ls -l /sys{path}",),
    ),
    CauseRule(
        "driver-registered",
        "a driver of the name {driver} is registered already: it is built in, or another module holds it",
        "drivers/base/driver.c driver_register",
        lines=("Error: Driver '{driver}' is already registered, aborting...",),
        errnos=(errno.EBUSY, errno.EEXIST),
        remedy=("lkm show {driver}", "ls -d /sys/bus/*/drivers/{driver}"),
    ),
    CauseRule(
        "resource-busy",
        "{module} needs addresses ({range}) that another driver holds",
        "drivers/pci/pci.c __pci_request_region",
        lines=("{device}: BAR {bar*}: can't reserve [{range*}]",),
        errnos=(errno.EBUSY,),
        remedy=("lspci -k -s {device}", "sudo cat /proc/iomem"),
    ),
    CauseRule(
        "kvm-firmware",
        "the processor's virtualization is turned off in the firmware's settings (BIOS/UEFI)",
        "arch/x86/kvm/vmx/vmx.c, arch/x86/kvm/svm/svm.c",
        lines=("kvm: disabled by bios", "(MSR_IA32_FEAT_CTL) not set", "SVM disabled (by BIOS) in MSR_VM_CR"),
        errnos=(errno.EOPNOTSUPP, errno.ENODEV, errno.EIO),
        remedy=("grep -c -E 'vmx|svm' /proc/cpuinfo", "sudo systemctl reboot --firmware-setup"),
    ),
    CauseRule(
        "kvm-processor",
        "the processor has no virtualization that {module} could use, or a hypervisor hides it from this guest",
        "arch/x86/kvm/x86.c kvm_arch_init",
        lines=("kvm: no hardware support", "VMX not supported by CPU", "SVM not supported by CPU"),
        errnos=(errno.EOPNOTSUPP, errno.ENODEV, errno.EIO),
        remedy=("grep -c -E 'vmx|svm' /proc/cpuinfo", "systemd-detect-virt"),
    ),
    CauseRule(
        "file-missing",
        "there is no file {file}",
        "man 8 insmod",
        lines=(
            "could not load module {file}: No such file or directory",
            "can't insert '{file}': No such file or directory",
            "can't read '{file}': No such file or directory",
        ),
        remedy=("ls -l {file}",),
    ),
    CauseRule(
        "tree-missing",
        "there are no modules for the kernel that runs ({directory}): its package was removed or replaced by an upgrade"
        " after it booted; boot the kernel that is installed now",
        "man 8 modprobe",
        lines=(
            "could not open moddep file '{directory*}/modules.dep.bin'",
            "could not open builtin file '{directory*}/modules.builtin.bin'",
            "modprobe: can't change directory to '{directory*}': No such file or directory",
            "Could not load {directory*}/modules.dep: No such file or directory",
            "no module tree for kernel {directory}",
        ),
        remedy=("uname -r", "ls /lib/modules", "sudo reboot"),
    ),
    CauseRule(
        "not-found",
        "{directory} has no module {module}, nor an alias of this name: the name is misspelt, its package is not"
        " installed for this kernel, the index is old, or an upgrade has replaced its modules since it booted",
        "man 8 modprobe, man 8 depmod",
        lines=("Module {module} not found in directory {directory}",),
        facts=("tree there",),
        remedy=("lkm find {module}", "uname -r; ls /lib/modules", "sudo lkm index"),
    ),
    CauseRule(
        "not-found",
        "there is no module {module}, nor an alias of this name: the name is misspelt, its package is not installed"
        " for this kernel, the index is old, or an upgrade has replaced this kernel's modules since it booted",
        "man 8 modprobe, man 8 depmod",
        lines=(
            "Module {module} not found.",
            "module {module} not found in modules.dep",
            "Failed to find module '{module}'",
            "no module, alias or built-in is called '{module}' in",
        ),
        remedy=("lkm find {module}", "uname -r; ls /lib/modules", "sudo lkm index"),
    ),
    CauseRule(
        "install-command",
        "modprobe.d has a command in place of {module}, and it failed; install /bin/false or /bin/true there is a way"
        " to forbid a module",
        "man 5 modprobe.d",
        lines=(
            "Error running install command '{command*}' for module {module}: retcode {status}",
            "Error running install command for {module}",
        ),
        remedy=("grep -rn {module} /etc/modprobe.d /run/modprobe.d /usr/lib/modprobe.d", "lkm load -n {module}"),
    ),
    CauseRule(
        "remove-command",
        "modprobe.d has a command for the removal of {module}, and it failed",
        "man 5 modprobe.d",
        lines=(
            "Error running remove command '{command*}' for module {module}: retcode {status}",
            "Error running remove command for {module}",
        ),
        remedy=("grep -rn {module} /etc/modprobe.d /run/modprobe.d /usr/lib/modprobe.d",),
    ),
    CauseRule(
        "not-in-initramfs",
        "the system found no root file system at boot: most often the module of its disk, its encryption or its file"
        " system is not in the initramfs",
        "man 8 update-initramfs",
        lines=(
            "VFS: Unable to mount root fs on",
            "VFS: Cannot open root device",
            "Gave up waiting for root file system device",
            "Gave up waiting for root device",
        ),
        remedy=("lsinitramfs /boot/initrd.img-$(uname -r) | grep '\\.ko'", "sudo update-initramfs -u -k all"),
    ),
    CauseRule(
        "loader-busy",
        "the kernel asked for the module {module} while too many others were being loaded, and gave up",
        "kernel/module/kmod.c __request_module",
        lines=(
            "request_module: modprobe {module} cannot be processed, kmod busy with",
            "request_module: kmod_concurrent_max (0) close to 0 (max_modprobes: {most}), for module {module},",
        ),
        remedy=("sudo lkm load {module}",),
    ),
)
