"""What of the configuration could not be read, so that nobody can say what it does to modules."""

from lkm.formats.modprobe_conf import Problem, ProblemKind
from lkm.system.configuration import Configuration

__all__ = ["UNREAD", "gaps"]

UNREAD = frozenset({ProblemKind.UNREADABLE, ProblemKind.UNREADABLE_DIRECTORY})
"""The kinds of problems that leave something unknown; the others are lines that nobody heeds."""


def gaps(configuration: Configuration) -> tuple[str, ...]:
    """Give a sentence about each file and directory of modprobe.d that is there and could not be read."""
    return tuple(_told(problem) for problem in configuration.problems if problem.kind in UNREAD)


def _told(problem: Problem) -> str:
    reason = problem.text.rpartition(": ")[2]
    it = "it " if reason.startswith("is ") else ""
    return f"what {problem.file} says of modules is not known: {it}{reason[:1].lower()}{reason[1:]}"
