"""Taint: what the kernel remembers of modules and events that make its reports less trustworthy."""

from enum import IntFlag

__all__ = ["Taint", "describe", "letters"]


class Taint(IntFlag):
    """The kernel's taint flags; the value is the bit of ``/proc/sys/kernel/tainted``.

    Source: kernel/panic.c ``taint_flags``, include/linux/panic.h (6.1; bit 19 from 7.2).
    """

    PROPRIETARY_MODULE = 1 << 0
    FORCED_MODULE = 1 << 1
    CPU_OUT_OF_SPEC = 1 << 2
    FORCED_RMMOD = 1 << 3
    MACHINE_CHECK = 1 << 4
    BAD_PAGE = 1 << 5
    USER = 1 << 6
    DIE = 1 << 7
    OVERRIDDEN_ACPI_TABLE = 1 << 8
    WARN = 1 << 9
    CRAP = 1 << 10
    FIRMWARE_WORKAROUND = 1 << 11
    OOT_MODULE = 1 << 12
    UNSIGNED_MODULE = 1 << 13
    SOFTLOCKUP = 1 << 14
    LIVEPATCH = 1 << 15
    AUX = 1 << 16
    RANDSTRUCT = 1 << 17
    TEST = 1 << 18
    FWCTL = 1 << 19


_LETTERS = "PFSRMBUDAWCIOELKXTNJ"

_MEANINGS = (
    "a proprietary module was loaded",
    "a module was loaded by force",
    "the machine or CPU is out of specification",
    "a module was removed by force",
    "the processor reported a machine check",
    "a bad page was met",
    "user space asked for it, or set an unsafe parameter",
    "the kernel died recently (oops or BUG)",
    "an ACPI table was overridden",
    "a kernel warning was printed",
    "a module of the staging directory was loaded",
    "a workaround for a firmware bug is applied",
    "an out-of-tree module was loaded",
    "an unsigned module was loaded",
    "a soft lock-up happened",
    "the kernel was live-patched",
    "the distribution marks its kernel so",
    "the kernel was built with randomised structures",
    "a test module was loaded, or a test was run",
    "a firmware control mutated the device",
)


def letters(mask: int) -> str:
    """Give the letters of the set flags in the order of their bits, as ``/sys/module/X/taint`` shows them."""
    return "".join(letter for bit, letter in enumerate(_LETTERS) if mask >> bit & 1)


def describe(mask: int) -> tuple[tuple[str, str], ...]:
    """Give letter and meaning of each set flag, in the order of the bits."""
    return tuple((_LETTERS[bit], _MEANINGS[bit]) for bit in range(len(_LETTERS)) if mask >> bit & 1)
