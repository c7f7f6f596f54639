"""Values that are to be set, checked against what the module declares before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from lkm.actions.parameter_words import quoted
from lkm.actions.parameters.facts import ParameterFacts, release_of, require_parameter
from lkm.actions.parameters.subject import Subject
from lkm.actions.session import Session
from lkm.errors import UsageError
from lkm.rules.parameter_values import judge

__all__ = ["Wanted", "wanted_from"]

_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value that is to be set.

    :param facts: of the parameter, as they are before
    :param value: as the user gives it; None for the name alone
    :param text: as a parameter string has it
    :param shown: what the kernel makes of it; None where only the module's code knows
    """

    facts: ParameterFacts
    value: str | None
    text: str
    shown: str | None


def wanted_from(session: Session, subject: Subject, words: Sequence[str]) -> tuple[Wanted, ...]:
    """Check ``NAME=VALUE`` words against what the module declares.

    :raises UsageError: the kernel would refuse a value, or a parameter is given twice
    :raises LkmError: the module has no such parameter
    """
    found: dict[str, Wanted] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name:
            raise UsageError(f"{word!r} names no parameter", hint="write it as NAME=VALUE")
        facts = require_parameter(session, subject, name)
        if facts.name in found:
            raise UsageError(f"{facts.name} is given twice")
        found[facts.name] = _checked(session, subject, facts, _unquoted(value) if equals else None)
    return tuple(found.values())


def _unquoted(value: str) -> str:
    """Take the quotes off that somebody wrote as modprobe.d has them."""
    inner = value[1:-1]
    return inner if len(value) > 1 and value == f'"{inner}"' and '"' not in inner else value


def _checked(session: Session, subject: Subject, facts: ParameterFacts, value: str | None) -> Wanted:
    text = facts.name if value is None else quoted(f"{facts.name}={value}")
    if value is not None and ("\0" in value or "\n" in value or ('"' in value and any(c.isspace() for c in value))):
        raise UsageError(
            f"the value {value[:_LONGEST_SHOWN]!r} of {facts.name} can't be written",
            hint="the kernel knows no way to quote a quote, and no newline",
        )
    judged = judge(facts.parameter, text, subject.profile(release_of(session)))
    if judged.errno:
        shown = "without a value" if value is None else repr(value[:_LONGEST_SHOWN])
        raise UsageError(
            f"{facts.name} of {subject.name} can't be {shown}: {judged.reason}", hint=facts.parameter.description
        )
    return Wanted(facts, value, text, judged.shown if judged.is_certain else None)
