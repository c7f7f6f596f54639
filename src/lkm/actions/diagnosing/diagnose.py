"""From error messages to causes: what a text shows, and what this system adds to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lkm.actions.diagnosing.details import details_of
from lkm.errors import Cause, LkmError
from lkm.rules.causes.pasted import Diagnosis, diagnoses, of_error_text

if TYPE_CHECKING:
    from lkm.actions.session import Session

__all__ = ["Diagnosed", "DiagnosisReport", "diagnose"]

_SIGNS = ("error", "fail", "fatal", "refus", "denied", "cannot ", "can't ", "could not ", "unable", "invalid", "warn")
_MOST_UNKNOWN = 5
_LONGEST = 300
_MOST_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """A cause, with what shows it.

    :param line: of the text; empty where an error text is all that shows it
    :param words: what stands in that line: ``module``, ``parameter``, ``symbol`` and others
    :param details: what this system adds, clauses
    """

    cause: Cause
    line: str
    words: Mapping[str, str]
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiagnosisReport:
    """What a text shows.

    :param found: the most telling first
    :param unknown: some lines that look like errors, where nothing was found
    :param lines: how many lines the text has
    """

    found: tuple[Diagnosed, ...]
    unknown: tuple[str, ...]
    lines: int


def diagnose(text: str, session: "Session | None" = None) -> DiagnosisReport:
    """Name the causes that a text shows; the lines of all tools and of the kernel are seen together.

    :param text: error messages, the kernel's log, the log of a build, in any mixture
    :param session: the system that the text is from; it makes causes concrete
    """
    found = diagnoses(text) or of_error_text(text)
    told = tuple(Diagnosed(one.cause, one.line, one.words, _details(one, session)) for one in found)
    return DiagnosisReport(
        told, () if told else _unknown(text), text.count("\n") + (not text.endswith("\n") and text != "")
    )


def _details(diagnosis: Diagnosis, session: "Session | None") -> tuple[str, ...]:
    if session is None:
        return ()
    try:
        return details_of(session, diagnosis.cause.id, diagnosis.words, diagnosis.subjects)
    except (LkmError, OSError):
        return ()  # what can't be read here adds nothing; the cause stands without it


def _unknown(text: str) -> tuple[str, ...]:
    """Give the last lines that speak of an error, each once."""
    found: dict[str, None] = {}
    for line in reversed(text[-_MOST_CHARACTERS:].splitlines()):
        plain = line.casefold()
        if any(sign in plain for sign in _SIGNS):
            found.setdefault(line.strip()[:_LONGEST])
            if len(found) == _MOST_UNKNOWN:
                break
    return tuple(found)[::-1]
