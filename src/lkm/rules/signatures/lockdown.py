"""Lockdown in words: who turned it on, and what of it concerns modules (security/lockdown/lockdown.c, 5.10 to 7.2)."""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.signatures.policy import Lockdown
from lkm.system.kernel_profile import KernelProfile

__all__ = ["Origin", "Restriction", "Setter", "restrictions", "who_locked"]

_LINE = "Kernel is locked down from "
_MODES = frozenset(mode.value for mode in Lockdown if mode is not Lockdown.NONE)


class Origin(Enum):
    """What turned lockdown on; the value is what it says in the kernel's log, in lower case.

    Source: the callers of ``lock_kernel_down``; Secure Boot's is a patch of distributions
    (arch/x86/kernel/setup.c).
    """

    COMMAND_LINE = "command line"
    CONFIGURATION = "kernel configuration"
    SECURITYFS = "securityfs"
    SECURE_BOOT = "efi secure boot"
    UNKNOWN = ""

    @property
    def words(self) -> str:
        """Who it was, as an end of "locked down by …"."""
        return _WORDS[self]


_WORDS = {
    Origin.COMMAND_LINE: "lockdown= on the kernel command line",
    Origin.CONFIGURATION: "the kernel's configuration (CONFIG_LOCK_DOWN_KERNEL_FORCE_…)",
    Origin.SECURITYFS: "somebody who wrote to /sys/kernel/security/lockdown since the boot",
    Origin.SECURE_BOOT: "Secure Boot (CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT)",
    Origin.UNKNOWN: "something that the kernel's log no longer tells",
}


class Setter(NamedTuple):
    """Who turned lockdown on.

    :param evidence: the line of the log, the words of the command line or the option that shows it; empty for a guess
    """

    origin: Origin
    evidence: str


def who_locked(mode: Lockdown, log: Iterable[str], cmdline: Cmdline, profile: KernelProfile, *, secure: bool) -> Setter:
    """Find out who turned lockdown on. The log counts most; of several lines the last one raised it to what it is.

    :param mode: the present one, not NONE
    :param log: lines of the kernel's log
    :param secure: Secure Boot is on, and the kernel saw it so
    """
    lines = [line for line in log if _LINE in line]
    if lines:
        said = lines[-1].partition(_LINE)[2].partition(";")[0].casefold()
        found = next((origin for origin in Origin if origin.value and said.startswith(origin.value)), Origin.UNKNOWN)
        return Setter(found, lines[-1])
    wanted = [value for value in cmdline.values("lockdown") if value in _MODES]
    if wanted:
        return Setter(Origin.COMMAND_LINE, f"lockdown={wanted[-1]}")
    forced = f"LOCK_DOWN_KERNEL_FORCE_{mode.name}"
    if profile.has(forced):
        return Setter(Origin.CONFIGURATION, f"CONFIG_{forced}=y")
    if secure and profile.has("LOCK_DOWN_IN_EFI_SECURE_BOOT"):
        return Setter(Origin.SECURE_BOOT, "CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT=y")
    return Setter(Origin.UNKNOWN, "")


class Restriction(NamedTuple):
    """One thing that lockdown forbids.

    :param reason: the kernel's words for it, as in "Lockdown: NAME: … is restricted" (security/security.c
        ``lockdown_reasons``)
    :param words: what that means for modules
    :param source: where the kernel asks
    :param mode: the mode from which on it is forbidden
    """

    reason: str
    words: str
    source: str
    mode: Lockdown = Lockdown.INTEGRITY


_RESTRICTIONS = (
    Restriction(
        "unsigned module loading",
        "modules without a good signature by a key that the kernel trusts do not load (EPERM)",
        "kernel/module/signing.c module_sig_check",
    ),
    Restriction(
        "unsafe module parameters",
        "parameters that name addresses of hardware, such as io=, irq= and dma=, can't be set (EPERM)",
        "kernel/params.c param_check_unsafe",
    ),
    Restriction("/dev/mem,kmem,port", "/dev/mem and /dev/port can't be opened", "drivers/char/mem.c open_port"),
    Restriction(
        "kexec of unsigned images", "kexec starts no kernel that is not signed", "kernel/kexec.c, kernel/kexec_file.c"
    ),
    Restriction(
        "raw MSR access", "what the module msr offers can be read and not written", "arch/x86/kernel/msr.c msr_write"
    ),
    Restriction("unsafe mmio", "the module testmmiotrace does not load", "arch/x86/mm/testmmiotrace.c init"),
    Restriction(
        "debugfs access",
        "of the files that modules have in debugfs only those can be opened that all may read and none may write",
        "fs/debugfs/file.c debugfs_locked_down",
    ),
    Restriction(
        "use of kprobes",
        "probes can't be put into modules by way of tracefs",
        "kernel/trace/trace_kprobe.c",
        Lockdown.CONFIDENTIALITY,
    ),
    Restriction(
        "use of tracefs", "the events of modules can't be traced", "fs/tracefs/inode.c", Lockdown.CONFIDENTIALITY
    ),
)


def restrictions(mode: Lockdown) -> tuple[Restriction, ...]:
    """List what a mode forbids of what concerns modules."""
    order = list(Lockdown)
    return tuple(found for found in _RESTRICTIONS if order.index(found.mode) <= order.index(mode))
