"""What there is to say about each taint flag: since when there is one, and what a bug report should mention."""

from typing import NamedTuple

from lkm.rules.taint import Taint, describe

__all__ = ["TaintFlag", "flags_of", "unknown_bits"]

_BITS = 64  # of the kernel's tainted_mask, an unsigned long

_OF_MODULES = (  # which /sys/module/X/taint shows (kernel/panic.c taint_flags before 6.14; set by add_taint_module)
    Taint.PROPRIETARY_MODULE
    | Taint.FORCED_MODULE
    | Taint.CRAP
    | Taint.OOT_MODULE
    | Taint.UNSIGNED_MODULE
    | Taint.LIVEPATCH
    | Taint.TEST
)

_SINCE = {Taint.TEST: "6.0", Taint.FWCTL: "6.15"}  # those that not every kernel in use has (include/linux/panic.h)

_ADVICE = {
    Taint.PROPRIETARY_MODULE: "show the fault without the proprietary module, or report it to its vendor: the kernel's"
    " developers can't look into it",
    Taint.FORCED_MODULE: "use a module that was built for this kernel: one loaded by force makes a report worthless",
    Taint.CPU_OUT_OF_SPEC: "name the machine, and undo over-clocking and writes to the processor's registers (wrmsr)",
    Taint.FORCED_RMMOD: "show the fault after a boot in which nothing was removed by force",
    Taint.MACHINE_CHECK: "the hardware reported a fault: look for [Hardware Error] in the log, test memory and cooling"
    " before you suspect the kernel",
    Taint.BAD_PAGE: "memory was corrupt: send the first 'BUG: Bad page' of the log, and test the memory",
    Taint.USER: "say which parameter was set (look for 'Setting dangerous option' in the log), or which program asked"
    " for it",
    Taint.DIE: "send the first oops of this boot: those after it may be its consequences",
    Taint.OVERRIDDEN_ACPI_TABLE: "show the fault with the firmware's own ACPI tables",
    Taint.WARN: "send the first warning of this boot, with the lines around it",
    Taint.CRAP: "name the staging driver; report to its maintainers",
    Taint.FIRMWARE_WORKAROUND: "name the machine and the version of its firmware, and update that first",
    Taint.OOT_MODULE: "name the module with its version and where it is from; show the fault without it, or report to"
    " those who make it",
    Taint.UNSIGNED_MODULE: "say where the module is from: it may not be what the distribution built",
    Taint.SOFTLOCKUP: "send the first 'soft lockup' of the log with its call trace, and say what else the machine did;"
    " on a guest the host may have been busy",
    Taint.LIVEPATCH: "name the live patches (ls /sys/kernel/livepatch): the code that runs is not that of the release",
    Taint.AUX: "ask the distribution what it marks so",
    Taint.RANDSTRUCT: "nothing is wrong; dumps are read with the kernel's own debug information only",
    Taint.TEST: "show the fault on a kernel on which no test ran",
    Taint.FWCTL: "say which firmware tool was used: it may have changed what the device does",
}


class TaintFlag(NamedTuple):
    """One flag.

    :param letter: as in the kernel's reports
    :param bit: of /proc/sys/kernel/tainted
    :param name: the kernel's, without TAINT_
    :param meaning: a clause
    :param advice: what a bug report should mention, a clause
    :param of_modules: a module can have it
    :param since: the kernel that first had it, for flags that not all kernels in use have
    """

    letter: str
    bit: int
    name: str
    meaning: str
    advice: str
    of_modules: bool
    since: str | None

    @property
    def mask(self) -> int:
        """The mask with this flag only."""
        return 1 << self.bit


def flags_of(mask: int) -> tuple[TaintFlag, ...]:
    """Give the set flags that are known, in the order of their bits."""
    return tuple(_flag(flag) for flag in Taint if mask & flag)


def _flag(flag: Taint) -> TaintFlag:
    ((letter, meaning),) = describe(flag)
    bit = flag.bit_length() - 1
    return TaintFlag(letter, bit, flag.name or "", meaning, _ADVICE[flag], bool(flag & _OF_MODULES), _SINCE.get(flag))


def unknown_bits(mask: int) -> tuple[int, ...]:
    """Give the numbers of the set bits that no kernel known here has a name for."""
    known = sum(Taint)
    return tuple(bit for bit in range(_BITS) if mask >> bit & 1 and not known >> bit & 1)
