"""What a check found out."""

from dataclasses import dataclass

from lkm.errors import Cause, LkmError

__all__ = ["CheckReport", "CheckResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What the kernel will do with one module.

    :param subject: the name or path that was asked about
    :param file: the module's file, as it was given or as the tree has it; None where there is none, as for a built-in
    :param module: the name by which the kernel knows it, as far as it can be told
    :param loads: the module is in the kernel afterwards; so is one that is built in or was loaded before
    :param errno: 0 where it loads, else the kernel's answer, or what modprobe ends with; None where the kernel is not
        even asked
    :param stage: the check that refused it; ``built in`` or ``loaded`` where nothing is to be done; ``dependency``,
        ``unpacking``, ``modprobe.d`` and ``not found`` where the kernel is never asked about the module itself
    :param log: the lines that the kernel prints because of this module, without time stamps
    :param taints: the module's own taint mask
    :param taint_before: the kernel's taint mask when it was the module's turn
    :param kernel_taint: the kernel's taint mask afterwards
    :param undecidable: what can't be known without loading it
    :param causes: why it does not load, the most telling first
    :param before: the modules that are loaded first
    :param notes: what else a person may want to know
    """

    subject: str
    file: str | None
    module: str
    loads: bool
    errno: int | None = 0
    stage: str = ""
    log: tuple[str, ...] = ()
    taints: int = 0
    taint_before: int = 0
    kernel_taint: int = 0
    undecidable: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    before: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the kernel will do with each module that was asked about.

    :param release: the kernel's
    :param results: in the order of the subjects; an alias can lead to several
    :param unreadable: the errors of files that can't be read, which have no result
    :param notes: what holds for all results
    """

    release: str
    results: tuple[CheckResult, ...]
    unreadable: tuple[LkmError, ...] = ()
    notes: tuple[str, ...] = ()
