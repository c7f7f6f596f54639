"""One tree of exceptions, below every floor: catch types, not texts.

Every error says what happened, where (a file and line, an offset, a stage) and what to do about it (``hint``).
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

__all__ = [
    "Blocked",
    "BuiltIn",
    "Cause",
    "ChangedMeanwhile",
    "CommandFailed",
    "CompressionError",
    "ElfError",
    "FormatError",
    "InUse",
    "IndexMissing",
    "KernelRefused",
    "KeyMismatch",
    "LkmError",
    "LoadRefused",
    "Loop",
    "MachineError",
    "MachineLost",
    "MachineTimeout",
    "ModuleNotFound",
    "ModuleSupportMissing",
    "NotLoaded",
    "PrivilegeMissing",
    "ReadOnlyFiles",
    "RootError",
    "StateError",
    "TreeMissing",
    "UnloadRefused",
    "Unreadable",
    "UsageError",
]


class LkmError(Exception):
    """The root of the tree.

    :param what: what happened, a clause without a full stop
    :param where: the file, file:line or stage it happened at
    :param hint: what to do next, a sentence without a full stop
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class UsageError(LkmError):
    """The words of the call are off."""


class KeyMismatch(UsageError):
    """A private key and a certificate that were named do not belong together."""


# --- input that can't be read -----------------------------------------------------------------------------------------


class Unreadable(LkmError):
    """A file is missing, can't be opened, or does not hold what it should."""


class FormatError(Unreadable):
    """Bytes do not have the format they should.

    :param reason: what is wrong
    :param offset: where in the input, in bytes from its start, when known
    """

    def __init__(
        self,
        reason: str,
        *,
        offset: int | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(reason if offset is None else f"{reason} (at offset {offset:#x})", where=where, hint=hint)
        self.reason = reason
        self.causes: tuple[Cause, ...] = ()
        self.offset = offset


class ElfError(FormatError):
    """Not an ELF file, or one whose parts lie outside of it or contradict each other."""


class CompressionError(FormatError):
    """A compressed file is damaged, of an unknown kind, or larger than the limit when unpacked."""


class RootError(Unreadable):
    """A path can't be followed inside a root: a loop of links, or a part that is not a directory."""


class StateError(Unreadable):
    """The state of an emulated kernel can't be read or written."""


class TreeMissing(Unreadable):
    """There is no module tree for this release."""


class IndexMissing(Unreadable):
    """The module tree lacks an index that depmod writes."""


# --- what a plan can't do ---------------------------------------------------------------------------------------------


class ModuleNotFound(LkmError):
    """No module, alias or built-in of this tree has this name."""


class Blocked(LkmError):
    """modprobe.d or the kernel command line forbids this module."""


class BuiltIn(LkmError):
    """The module is part of the kernel image: it can be neither loaded nor removed."""


class InUse(LkmError):
    """The module can't be removed while others, or open files, use it."""


class NotLoaded(LkmError):
    """The module is not in the kernel."""


class Loop(LkmError):
    """Dependencies or soft dependencies lead back to where they started."""


class CommandFailed(LkmError):
    """An install or remove command of modprobe.d ended with an error.

    :param status: the command's exit status, or minus the signal that ended it
    """

    def __init__(self, what: str, *, status: int, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status


# --- the kernel's own answers -----------------------------------------------------------------------------------------


class Cause(NamedTuple):  # dataclasses are dear at start-up, and everything imports this file
    """A named reason why something failed, with a remedy.

    :param id: a short stable name, as in ``unknown-symbol``
    :param summary: one sentence: why
    :param remedy: commands that can be pasted, in order; may be empty
    :param reference: where the fact comes from: a kernel file and function, or a manual page
    """

    id: str
    summary: str
    remedy: tuple[str, ...] = ()
    reference: str = ""


class KernelRefused(LkmError):
    """The kernel refused a system call.

    :param module: the module's name
    :param errno: the system call's errno, positive
    :param log: the lines that the kernel printed meanwhile, oldest first, without time stamps
    :param reason: what is known beyond errno, a clause
    :ivar causes: the named causes that the evidence shows, most telling first; empty until somebody has looked
    """

    verb = "handle"

    def __init__(
        self,
        module: str,
        errno: int,
        log: Sequence[str] = (),
        *,
        where: str | None = None,
        hint: str | None = None,
        reason: str | None = None,
    ) -> None:
        self.module = module
        self.errno = errno
        self.log = tuple(log)
        self.reason = reason
        self.causes: tuple[Cause, ...] = ()
        text = f"the kernel refused to {self.verb} {module}: {os.strerror(errno)} (errno {errno})"
        super().__init__(f"{text}: {reason}" if reason else text, where=where, hint=hint)


class LoadRefused(KernelRefused):
    """The kernel did not load a module."""

    verb = "load"


class UnloadRefused(KernelRefused):
    """The kernel did not remove a module."""

    verb = "remove"


class PrivilegeMissing(LkmError):
    """The caller lacks the privilege that this needs.

    :ivar planned: what would have been written, as a unified diff; may be empty
    """

    planned = ""


class ReadOnlyFiles(LkmError):
    """A file that is to be changed is on a file system that can't be written.

    :ivar planned: as for :class:`PrivilegeMissing`
    """

    planned = ""


class ChangedMeanwhile(LkmError):
    """A file is no longer what it was when a change was planned: nothing was written."""


class ModuleSupportMissing(LkmError):
    """The kernel can't load modules at all: built without them, or told not to."""


# --- virtual machines -------------------------------------------------------------------------------------------------


class MachineError(LkmError):
    """A virtual machine could not be prepared or started."""


class MachineLost(MachineError):
    """A virtual machine ended before it answered.

    :param console: the last lines of its console, oldest first
    """

    def __init__(self, what: str, *, console: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(what, hint=hint)
        self.console = tuple(console)


class MachineTimeout(MachineLost):
    """A virtual machine did not answer in time, and was ended."""
