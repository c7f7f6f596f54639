"""A cause in the table: what shows it, one sentence why, the remedy, the reference."""

from dataclasses import dataclass

__all__ = ["CauseRule"]


@dataclass(frozen=True, slots=True)
class CauseRule:
    """A named cause and its evidence: a line, a stage of the loader, or an errno.

    Lines are written as the kernel or the tool prints them (``templates.py``). A rule with neither lines nor stages
    rests on the errno alone; it is used only where no other rule says more. ``summary`` and ``remedy`` may name what
    stands in the line, and ``{module}``, ``{file}``, ``{kernel}``, ``{build}``, ``{enforcer}``, ``{locker}``
    (``words.py``); in remedies all is quoted for the shell.

    :param id: short and stable; several rules may share it
    :param errnos: those that the evidence goes with, its own first; empty where any does
    :param stages: stages of ``rules/loading/stages.py`` that refuse without a line of their own
    :param facts: what must be known besides, as in ``gpl-only {symbol}``
    :param harmless: a complaint that stops nothing
    :param reference: a kernel file and function, or a manual page
    """

    id: str
    summary: str
    reference: str
    lines: tuple[str, ...] = ()
    errnos: tuple[int, ...] = ()
    stages: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    remedy: tuple[str, ...] = ()
    harmless: bool = False

    def fits(self, errno: int | None) -> bool:
        """Tell whether the rule goes with an errno; None is one that is not known."""
        return errno is None or not self.errnos or errno in self.errnos

    @property
    def is_generic(self) -> bool:
        """Whether an errno is all the evidence."""
        return not self.lines and not self.stages
