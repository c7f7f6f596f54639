"""The causes that pasted text shows: lines of the kernel's log and of tools, of several modules, in any mixture."""

from collections.abc import Mapping
from typing import NamedTuple

from lkm.errors import Cause
from lkm.formats.module_name import canonical
from lkm.rules.causes.explaining import Case, Finding, Shown, chosen, read, shown_by
from lkm.rules.causes.policy import facts_of_file, facts_of_lines, words_of_lines
from lkm.rules.causes.table import LOADING, PASTED, UNLOADING
from lkm.rules.causes.templates import anchor
from lkm.rules.causes.tool_texts import Incident, errno_of_text, incidents, is_error_text
from lkm.rules.causes.words import Shell, named, usual

__all__ = ["Diagnosis", "diagnoses", "in_text", "of_error_text"]

_MOST_CHARACTERS = 4 << 20
_MOST_LINES = 20_000
_LONGEST_LINE = 2000
_LONGEST_ERROR = 80
_MOST_TELLING = 3000  # lines that can show a cause

_INIT_STARTS = "Run /init as init process"
_INITRAMFS_ENDS = ("Switching root", "running in system mode")
_TOOLS = ("could not ", "inserting", "can't ", "Failed to insert", "the kernel refused", "_module(", "Removing ")


class Diagnosis(NamedTuple):
    """A cause that a text shows.

    :param words: what stands in the line that shows it, ``module`` and ``file`` of a tool's line among them
    :param subjects: the symbols or parameters that such lines are about
    :param line: the line, without blanks around it; empty where a tool's error text is all that shows it
    """

    cause: Cause
    words: Mapping[str, str]
    subjects: tuple[str, ...]
    line: str


def in_text(text: str) -> tuple[Cause, ...]:
    """Name the causes that pasted text shows."""
    return tuple(diagnosis.cause for diagnosis in diagnoses(text))


def diagnoses(text: str) -> tuple[Diagnosis, ...]:
    """Name the causes that pasted text shows, each with the line that shows it."""
    lines = [line[:_LONGEST_LINE] for line in text[-_MOST_CHARACTERS:].splitlines() if line.strip()][-_MOST_LINES:]
    shown = _shown(lines)
    unique = {(one.cause.id, one.cause.summary): (one, about) for one, about in reversed(shown)}
    return tuple(
        Diagnosis(one.cause, {**one.words, **about}, one.subjects, lines[one.place].strip() if one.place >= 0 else "")
        for one, about in reversed(unique.values())
    )


def of_error_text(text: str) -> tuple[Diagnosis, ...]:
    """Name the cause of one short text that is nothing but an error, as in ``Key was rejected by service``.

    :param text: an error text of the C library or of kmod, or the name of an errno, as in ``-ENOKEY``
    """
    plain = text.strip().removeprefix("-")
    number = errno_of_text(plain) if len(plain) < _LONGEST_ERROR and is_error_text(plain) else None
    if number is None:
        return ()
    case = Case(number, facts=frozenset(facts_of_lines(()) | {"errno known"}))
    return tuple(
        Diagnosis(one.cause, {}, (), "")
        for one in shown_by(chosen(LOADING, (), case), {**usual(), **named(None, None)})
    )


def _shown(lines: list[str]) -> list[tuple[Shown, dict[str, str]]]:
    """Give what the lines show, each with module and file of the tool's line that it goes with."""
    words = {**usual(), **words_of_lines(lines)}
    phases = _phases(lines)
    telling = _telling(lines)
    facts = frozenset(facts_of_lines(line for _, line in telling) | {"phase initramfs"})
    everything = read(PASTED, telling, Case(facts=facts), phases)
    causes: list[tuple[Shown, dict[str, str]]] = []
    used: set[int] = set()
    for incident in incidents(line for line in lines if any(sign in line for sign in _TOOLS)):
        table = UNLOADING if incident.is_removal else LOADING
        case = Case(incident.errno, facts=_facts(facts, incident))
        own = [finding for finding in read(table, telling, case, phases) if _concerns(finding, incident)]
        if not own and _told_by_text(everything, incident):
            continue
        found = chosen(table, own, case)
        used.update(finding.place for finding in own if not finding.rule.harmless)
        about = {"module": incident.module or "", "file": incident.file or ""}
        about = {name: text for name, text in about.items() if text}
        causes += [(one, about) for one in shown_by(found, {**words, **named(incident.module, incident.file)})]
    rest = [finding for finding in everything if finding.place not in used]
    only = _only_module(everything)
    for finding in chosen(PASTED, rest, Case()):
        said = {**words, **named(finding.module or only, finding.words.get("file"))}
        causes += [(one, {}) for one in shown_by([finding], said)]
    complaints = [finding for finding in rest if finding.rule.harmless]
    return causes + _complaints(complaints, words, something_failed=bool(causes))


def _telling(lines: list[str]) -> list[tuple[int, str]]:
    """Choose the lines that can show something, of very many the last ones."""
    everything = "\n".join(lines)
    anchors = {anchor(template) for rule in PASTED for template in rule.lines}
    present = [sign for sign in anchors if sign in everything]
    found = [(place, line) for place, line in enumerate(lines) if any(sign in line for sign in present)]
    return found[-_MOST_TELLING:]


def _phases(lines: list[str]) -> dict[int, str]:
    """Mark the lines that were printed while the initramfs ran, where the text shows both its begin and its end."""
    start = next((place for place, line in enumerate(lines) if _INIT_STARTS in line), None)
    if start is None:
        return {}
    for sign in _INITRAMFS_ENDS:
        end = next((place for place in range(start, len(lines)) if sign in lines[place]), None)
        if end is not None:
            return dict.fromkeys(range(start, end), "initramfs")
    return {}


def _facts(facts: frozenset[str], incident: Incident) -> frozenset[str]:
    return facts | facts_of_file(incident.file) | ({"errno known"} if incident.errno else set())


def _concerns(finding: Finding, incident: Incident) -> bool:
    module = finding.module
    return module is None or incident.module is None or canonical(module) == incident.module


def _told_by_text(findings: list[Finding], incident: Incident) -> bool:
    """Tell whether another line of the tool says more of the same failure than its errno."""
    return any(
        not finding.rule.harmless and finding.module == incident.module and finding.rule.fits(incident.errno)
        for finding in findings
    )


def _only_module(findings: list[Finding]) -> str | None:
    names = {finding.module for finding in findings if finding.module}
    return names.pop() if len(names) == 1 else None


def _complaints(
    findings: list[Finding], words: dict[str, str | Shell], *, something_failed: bool
) -> list[tuple[Shown, dict[str, str]]]:
    """Tell what stops nothing; beside a failure only that a parameter was ignored, which may be what is looked for."""
    causes: list[tuple[Shown, dict[str, str]]] = []
    for finding in sorted(findings, key=lambda finding: (finding.rank, finding.place)):
        if not something_failed or finding.rule.id == "parameter-ignored":
            causes += [(one, {}) for one in shown_by([finding], {**words, **named(finding.module, None)})]
    return causes
