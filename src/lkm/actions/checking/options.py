"""What can be asked of a check, and the values that users write for it."""

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lkm.errors import UsageError
from lkm.kernels.base import LoadFlags
from lkm.rules.taint import letters

if TYPE_CHECKING:
    from lkm.rules.signatures.policy import Lockdown

__all__ = ["FORCE", "CheckOptions", "mask_of", "number", "taint_mask"]

FORCE = int(LoadFlags.IGNORE_MODVERSIONS | LoadFlags.IGNORE_VERMAGIC)
"""The flags that modprobe hands over with each module of a plan."""

_BITS = 64  # of the kernel's tainted_mask, an unsigned long
_LONGEST_NAME = 15  # bytes: include/linux/sched.h TASK_COMM_LEN, less the NUL
_NOT_TAINTED = "G"  # stands in a kernel's reports where P would


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """How to ask.

    :param parameters: the parameter string for each module that is asked about, behind what modprobe.d sets
    :param flags: of finit_module; the low two bits for dependencies, too, as modprobe does
    :param raw: one finit_module of the file's bytes: no dependencies, no modprobe.d, nothing unpacked beforehand
    :param together: what loads stays loaded for the subjects after it; by default each is asked about on its own
    :param command: the name of the process that asks, for log lines; None is ``insmod`` with ``raw``, else ``modprobe``
    :param profile_file: a saved profile of the kernel, of the host
    :param kernel_image: a vmlinuz or vmlinux to take the facts from, of the host
    :param use_cache: keep the profile for the next time, or take the kept one
    :param sig_enforce: only modules with a good signature load; None: what the kernel itself does
    :param lockdown: the lockdown mode; None likewise
    :param cmdline: the kernel command line; None is the running kernel's, of another what its profile says
    :param loaded: paths of module files, or names, that are taken as loaded before, in order
    :param tainted: the kernel's taint mask; None is the running kernel's, and 0 for another kernel
    :param trust: certificates that the kernel trusts beyond its own, DER
    """

    parameters: str = ""
    flags: int = 0
    raw: bool = False
    together: bool = False
    command: str | None = None
    profile_file: str | None = None
    kernel_image: str | None = None
    use_cache: bool = True
    sig_enforce: bool | None = None
    lockdown: "Lockdown | None" = None
    cmdline: str | None = None
    loaded: tuple[str, ...] = ()
    tainted: int | None = None
    trust: tuple[bytes, ...] = ()

    @property
    def is_forced(self) -> bool:
        """Whether version magic or symbol versions are to be ignored."""
        return bool(self.flags & FORCE)

    @property
    def caller(self) -> str:
        """The name of the process that asks, as the kernel keeps it."""
        name = self.command or ("insmod" if self.raw else "modprobe")
        return name.encode("utf-8", "surrogateescape")[:_LONGEST_NAME].decode("utf-8", "surrogateescape")


def number(text: str) -> int:
    """Read a number as users write it: decimal, or hexadecimal behind ``0x``.

    :raises ValueError: it is none, or negative
    """
    if not text.isascii() or not text[:1].isdigit() or "_" in text:
        raise ValueError(text)
    return int(text, 0) if text[:2] in {"0x", "0X"} else int(text)


def taint_mask(text: str) -> int:
    """Read a taint mask: a number as in /proc/sys/kernel/tainted, or letters as in the kernel's reports.

    :param text: ``4097``, ``0x1001`` or ``PO``; ``G`` and spaces between letters stand for nothing
    :raises UsageError: it is neither
    """
    with contextlib.suppress(ValueError):
        mask = number(text)
        if mask < 1 << _BITS:
            return mask
    wanted = text.replace(" ", "").replace(_NOT_TAINTED, "")
    mask = mask_of(wanted)
    if not text.strip() or set(letters(mask)) != set(wanted):
        raise UsageError(
            f"{text[:64]!r} is no taint mask",
            hint=f"write a number as in /proc/sys/kernel/tainted, or letters of {letters((1 << _BITS) - 1)}",
        )
    return mask


def mask_of(wanted: str) -> int:
    """Give the flags of taint letters; what is no such letter counts for nothing."""
    return sum(1 << bit for bit in range(_BITS) if letters(1 << bit) and letters(1 << bit) in wanted)
