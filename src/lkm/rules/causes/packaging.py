"""Causes in what dkms, depmod and the makers of the initramfs print."""

from lkm.rules.causes.rule import CauseRule

__all__ = ["PACKAGING", "WRAPPERS"]

_DKMS = "man 8 dkms"
_DEPMOD = "man 8 depmod"
_DEBIAN = "man 8 update-initramfs"
_DRACUT = "man 8 dracut"

PACKAGING = (
    CauseRule(
        "dkms-older",
        "dkms did not install {file}: its version ({version}) is not newer than the one that the kernel has already",
        _DKMS,
        lines=("Module version {version} for {file}",),
        remedy=("dkms status", "modinfo -F version {file}"),
    ),
    CauseRule(
        "dkms-excluded",
        "{package} says itself that it is not for this kernel (BUILD_EXCLUSIVE in its dkms.conf), so dkms does not"
        " build it; a newer version may be",
        _DKMS,
        lines=("for module {package} includes {what*}BUILD_EXCLUSIVE directive",),
        remedy=("grep -r BUILD_EXCLUSIVE /usr/src --include=dkms.conf", "dkms status"),
    ),
    CauseRule(
        "dkms-depends",
        "dkms did not build {package}: the modules that it depends on ({missing}) are not installed for that kernel",
        _DKMS,
        lines=(
            "Aborting build of module {package} for kernel {release} ({arch}) due to missing BUILD_DEPENDS:{missing*}",
        ),
        remedy=("dkms status",),
    ),
    CauseRule(
        "dkms-broken",
        "the source of {package} is gone, and dkms stumbles over what is left of it: install its package anew, or"
        " remove what is left",
        _DKMS,
        lines=(
            "{package}: Missing the module source directory",
            "{package} is broken! Missing the source directory",
        ),
        remedy=("dkms status", "ls -l /var/lib/dkms /usr/src"),
    ),
    CauseRule(
        "dkms-broken",
        "dkms finds no dkms.conf for a module: its source in /usr/src is gone or incomplete",
        _DKMS,
        lines=(
            "Could not locate dkms.conf file.",
            "Missing the source directory or the symbolic link pointing to it.",
            "Could not find module source directory.",
        ),
        remedy=("dkms status", "ls -l /var/lib/dkms /usr/src"),
    ),
    CauseRule(
        "dkms-added-already",
        "dkms knows {package} already; that is no obstacle to building it",
        _DKMS,
        lines=("DKMS tree already contains: {package}",),
        remedy=("dkms status", "sudo dkms install {package}"),
    ),
    CauseRule(
        "dkms-patch",
        "a patch that the dkms.conf names ({patch}) does not fit the source",
        _DKMS,
        lines=("Application of patch {patch} failed.",),
        remedy=("dkms status",),
    ),
    CauseRule(
        "dkms-unsigned",
        "dkms did not sign what it built ({reason}): under Secure Boot the kernel will refuse it",
        _DKMS,
        lines=("{reason*}, modules won't be signed", "Warning! Failed to sign module '{reason}'!"),
        remedy=("lkm mok status", "ls -l /var/lib/dkms/mok.key /var/lib/dkms/mok.pub"),
    ),
    CauseRule(
        "dangling-link",
        "{file} in the module tree is a link to a file that is gone, as an uninstalled driver or kernel leaves it",
        _DEPMOD,
        lines=("depmod: ERROR: fstatat({descriptor}, {file}): No such file or directory",),
        remedy=("find /lib/modules -xtype l",),
    ),
    CauseRule(
        "dependency-cycle",
        "modules need each other in a circle ({cycle}), so none of them can be loaded first: at least one of them is of"
        " another version",
        _DEPMOD,
        lines=("depmod: ERROR: Cycle detected: {cycle*}",),
        remedy=("lkm index --dry-run",),
    ),
    CauseRule(
        "depmod-unreadable-module",
        "{file} can't be read as a module: it is empty, cut short, or compressed in a way that this depmod can't"
        " unpack",
        _DEPMOD,
        lines=("failed to load symbols from {file}: {error*}",),
        remedy=("file {file}", "ls -l {file}"),
    ),
    CauseRule(
        "depmod-no-tree",
        "there is no module tree {directory}: the release is misspelt, or the kernel's modules are not installed",
        _DEPMOD,
        lines=("depmod: ERROR: could not open directory {directory}: No such file or directory",),
        remedy=("ls /lib/modules",),
    ),
    CauseRule(
        "tree-read-only",
        "the module tree can't be written to ({error}): depmod must run as root, and on a file system that is writable",
        _DEPMOD,
        lines=("depmod: ERROR: openat({directory}, {name}, {flags}, {mode}): {error*}",),
        remedy=("ls -ld /lib/modules", "sudo lkm index"),
    ),
    CauseRule(
        "depmod-symbol-version",
        "{file} was built against another kernel: what it needs ({symbol}{more}) has another version here, and the"
        " kernel will refuse it",
        _DEPMOD,
        lines=("depmod: WARNING: {file} disagrees about version of symbol {symbol}",),
        remedy=("lkm check {file}",),
    ),
    CauseRule(
        "depmod-unknown-symbol",
        "{file} needs {symbol}{more}, which neither this kernel nor its modules offer: it was built for another kernel,"
        " and will not load",
        _DEPMOD,
        lines=("depmod: WARNING: {file} needs unknown symbol {symbol}",),
        remedy=("lkm check {file}", "lkm find --symbol {symbol}"),
    ),
    CauseRule(
        "boot-full",
        "the file system of the initramfs is full: remove kernels that are no longer used",
        _DEBIAN,
        lines=(
            "write error: No space left on device",
            "stdout: No space left on device",
            "cannot write compressed block",
            "cannot write block : No space left on device",
        ),
        remedy=("df -h /boot", "sudo apt autoremove --purge"),
    ),
    CauseRule(
        "boot-read-only",
        "/boot is mounted read-only, so no initramfs can be written",
        _DEBIAN,
        lines=("W: /boot is ro mounted.",),
        remedy=("sudo mount -o remount,rw /boot",),
    ),
    CauseRule(
        "initramfs-no-modules",
        "an initramfs was made for a kernel whose modules ({directory}) are not installed: it can't find a disk that"
        " needs a module",
        _DEBIAN,
        lines=(
            "W: missing {directory}",
            "Cannot find module directory {directory}",
        ),
        remedy=("ls /lib/modules", "uname -r"),
    ),
    CauseRule(
        "index-missing",
        "{directory} has no index of its modules: depmod did not run there",
        _DRACUT,
        lines=("{directory}/modules.dep is missing. Did you run depmod?",),
        remedy=("sudo lkm index",),
    ),
    CauseRule(
        "initramfs-compression",
        "the kernel's configuration in /boot does not offer {option}, or is missing: the initramfs could not be"
        " unpacked by it",
        _DEBIAN,
        lines=("E: gzip compression ({option}) not supported by kernel",),
        remedy=("ls -l /boot",),
    ),
    CauseRule(
        "initramfs-module-missing",
        "the initramfs was to hold the module {module}, which this kernel's tree does not have: a configuration file or"
        " a hook names it",
        _DRACUT,
        lines=(
            "dracut-install: Failed to find module '{module}'",
            "==> ERROR: module not found: '{module}'",
        ),
        remedy=("lkm find {module}", "grep -rn {module} /etc/dracut.conf.d /etc/mkinitcpio.conf /etc/initramfs-tools"),
    ),
    CauseRule(
        "initramfs-exists",
        "there is an initramfs {file} already, and dracut replaces it only when told to",
        _DRACUT,
        lines=("Will not override existing initramfs ({file}) without --force",),
        remedy=("sudo dracut --force {file}",),
    ),
    CauseRule(
        "firmware-possible",
        "{module} may ask for the firmware file {firmware}, which is not installed: only a machine with that device"
        " needs it",
        _DEBIAN,
        lines=(
            "W: Possible missing firmware {firmware} for module {module}",
            "Possible missing firmware {firmware} for kernel module {module}",
        ),
        harmless=True,
    ),
    CauseRule(
        "firmware-possible",
        "{module} may ask for firmware that is not installed: only a machine with that device needs it",
        _DEBIAN,
        lines=("==> WARNING: Possibly missing firmware for module: '{module}'",),
        harmless=True,
    ),
)

WRAPPERS = (
    CauseRule(
        "dkms-build-failed",
        "a build by dkms failed; why stands in its log, {log}make.log",
        _DKMS,
        lines=("Consult {log}make.log for more information.",),
        remedy=("lkm diagnose {log}make.log",),
    ),
    CauseRule(
        "dkms-build-failed",
        "a build by dkms for the kernel {release} failed; why stands in the file make.log of its build",
        _DKMS,
        lines=("Bad return status for module build on kernel: {release}",),
        facts=("no make.log named",),
        remedy=("find /var/lib/dkms -name make.log", "dkms status"),
    ),
    CauseRule(
        "dkms-build-failed",
        "dkms could not build or install some module for the new kernel, which has it no longer; its log says why",
        _DKMS,
        lines=(
            "One or more modules failed to install during autoinstall.",
            "/etc/kernel/postinst.d/dkms exited with return code",
        ),
        facts=("no make.log named",),
        remedy=("dkms status", "find /var/lib/dkms -name make.log"),
    ),
    CauseRule(
        "dkms-depmod",
        "depmod failed behind an installation by dkms, which took the module back",
        _DKMS,
        lines=("Problems with depmod detected.",),
        remedy=("lkm index --dry-run",),
    ),
    CauseRule(
        "initramfs-failed",
        "the initramfs {image} was not made; the lines before say why, and the old one is still there",
        _DEBIAN,
        lines=("update-initramfs: failed for {image} with {status}.",),
        remedy=("sudo update-initramfs -u -v", "df -h /boot"),
    ),
    CauseRule(
        "modules-load-failed",
        "a module that a file of modules-load.d names was not loaded at boot; its service says which",
        "man 8 systemd-modules-load",
        lines=(
            "Failed to start systemd-modules-load.service",
            "Failed to start Load Kernel Modules",
            "systemd-modules-load.service: Failed with result",
        ),
        remedy=("journalctl -b -u systemd-modules-load",),
    ),
)
