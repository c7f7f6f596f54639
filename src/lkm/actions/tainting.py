"""What tainted a kernel: decoded from its mask, from a number, or from the text of a report, with who brought what."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lkm.errors import ModuleSupportMissing, UsageError
from lkm.rules.taint import letters
from lkm.rules.taint_flags import flags_of, unknown_bits
from lkm.rules.taint_reading import TaintEvent, read_taint, taint_events

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.rules.taint_flags import TaintFlag

__all__ = ["TaintReport", "TaintedModule", "taint_of_kernel", "taint_of_mask", "taint_of_text", "taint_of_word"]


@dataclass(frozen=True, slots=True)
class TaintedModule:
    """A module that brought taints.

    :param letters: of the taints
    :param loaded: whether it is, or was at the time of the report
    """

    name: str
    letters: str
    loaded: bool


@dataclass(frozen=True, slots=True)
class TaintReport:
    """The taint of a kernel.

    :param mask: as in /proc/sys/kernel/tainted
    :param source: where it was found: ``kernel``, ``number`` or ``text``
    :param release: of the kernel that was asked; None for numbers and texts
    :param modules: those that brought taints, as far as is known
    :param events: the lines of the log that tell of it
    :param notes: what could not be found out, and why
    """

    mask: int
    source: str
    release: str | None = None
    modules: tuple[TaintedModule, ...] = ()
    events: tuple[TaintEvent, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def letters(self) -> str:
        """The letters of the flags, in the order of their bits."""
        return letters(self.mask)

    @property
    def flags(self) -> "tuple[TaintFlag, ...]":
        """The flags."""
        return flags_of(self.mask)

    @property
    def unknown(self) -> tuple[int, ...]:
        """The bits that have no name here."""
        return unknown_bits(self.mask)

    def modules_with(self, letter: str) -> tuple[TaintedModule, ...]:
        """Give the modules that brought a flag."""
        return tuple(module for module in self.modules if letter in module.letters)

    def events_of(self, letter: str) -> tuple[TaintEvent, ...]:
        """Give the lines that tell of a flag."""
        return tuple(event for event in self.events if event.letter == letter)


def taint_of_kernel(session: "Session") -> TaintReport:
    """Ask the session's kernel, the modules in it, and its log.

    :raises Unreadable: the kernel's mask can't be read
    """
    kernel = session.kernel
    mask = kernel.taint()
    notes = (
        [] if session.kernel_is_of_root else [f"{session.root.path} has no kernel that runs: this is the machine's own"]
    )
    modules: list[TaintedModule] = []
    try:
        modules = [
            TaintedModule(module.name, module.taints, loaded=True) for module in kernel.loaded() if module.taints
        ]
    except ModuleSupportMissing as error:
        notes += [f"{error.what}, so none is named"] if mask else []
    log = kernel.log()
    if mask and not log:
        notes.append(_why_no_log(session))
    events = taint_events(log)
    modules += _gone(events, {module.name for module in modules})
    return TaintReport(mask, "kernel", kernel.release, tuple(modules), events, tuple(notes))


def _why_no_log(session: "Session") -> str:
    if session.kernel_kind == "live" and os.geteuid() != 0:
        return "the kernel's log, which tells when each began, can be read by root only: sudo lkm taint"
    return "the kernel's log, which tells when each began, is empty or can't be read"


def _gone(events: tuple[TaintEvent, ...], known: set[str]) -> list[TaintedModule]:
    """Name the modules that only the log knows: they were removed since, or did not load in the end."""
    found: dict[str, str] = {}
    for event in events:
        if event.module and event.module not in known:
            found[event.module] = found.get(event.module, "") + event.letter
    return [TaintedModule(name, marks, loaded=False) for name, marks in found.items()]


def taint_of_word(word: str) -> TaintReport | None:
    """Decode what stands on the command line: a number, letters, or a piece of a report; None: it is none of these.

    :raises UsageError: it looks like a number, and is none that can be a mask
    """
    from lkm.actions.checking.options import taint_mask  # noqa: PLC0415  only where a word is given

    if "ainted" in word and not os.path.lexists(word):
        return taint_of_text(word)
    try:
        return taint_of_mask(taint_mask(word))
    except UsageError:
        if word[:1].isdecimal() and not os.path.lexists(word):
            raise
        return None


def taint_of_mask(mask: int) -> TaintReport:
    """Decode a mask."""
    return TaintReport(mask, "number")


def taint_of_text(text: str) -> TaintReport:
    """Decode an oops, a log, a mask in a file, or what sysctl prints.

    :raises UsageError: it says nothing of taint
    """
    found = taint_of_word(text.strip()) if len(text) < 64 and "ainted" not in text else None
    if found:
        return found
    read = read_taint(text)
    modules = [TaintedModule(name, marks, name not in read.unloaded) for name, marks in read.modules.items()]
    modules += _gone(read.events, set(read.modules))
    mask = read.mask
    notes: tuple[str, ...] = ()
    if mask is None:
        if not modules and not read.events:
            raise UsageError(
                "the text says nothing of taint",
                hint="give a number as in /proc/sys/kernel/tainted, letters, or a report with a line 'Tainted: …'",
            )
        marks = {letter for module in modules for letter in module.letters} | {event.letter for event in read.events}
        mask = sum(flag.mask for flag in flags_of((1 << 64) - 1) if flag.letter in marks)
        notes = ("no line says 'Tainted:', so these are only the flags that modules and lines tell of",)
    return TaintReport(mask, "text", None, tuple(modules), read.events, notes)
