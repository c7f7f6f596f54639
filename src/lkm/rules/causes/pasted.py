"""The causes that pasted text shows: lines of the kernel's log and of tools, of several modules, in any mixture."""

from lkm.errors import Cause
from lkm.formats.module_name import canonical
from lkm.rules.causes.explaining import Case, Finding, chosen, read, told
from lkm.rules.causes.policy import facts_of_file, facts_of_lines, words_of_lines
from lkm.rules.causes.table import LOADING, PASTED, UNLOADING
from lkm.rules.causes.templates import anchor
from lkm.rules.causes.tool_texts import Incident, incidents
from lkm.rules.causes.words import Shell, named, usual

__all__ = ["in_text"]

_MOST_CHARACTERS = 4 << 20
_MOST_LINES = 20_000
_LONGEST_LINE = 2000
_MOST_TELLING = 3000  # lines that can show a cause

_INIT_STARTS = "Run /init as init process"
_INITRAMFS_ENDS = ("Switching root", "running in system mode")
_TOOLS = ("could not ", "inserting", "can't ", "Failed to insert", "the kernel refused", "_module(", "Removing ")


def in_text(text: str) -> tuple[Cause, ...]:
    """Name the causes that pasted text shows."""
    lines = [line[:_LONGEST_LINE] for line in text[-_MOST_CHARACTERS:].splitlines() if line.strip()][-_MOST_LINES:]
    words = {**usual(), **words_of_lines(lines)}
    phases = _phases(lines)
    telling = _telling(lines)
    facts = frozenset(facts_of_lines(line for _, line in telling) | {"phase initramfs"})
    everything = read(PASTED, telling, Case(facts=facts), phases)
    causes: list[Cause] = []
    used: set[int] = set()
    for incident in incidents(line for line in lines if any(sign in line for sign in _TOOLS)):
        table = UNLOADING if incident.is_removal else LOADING
        case = Case(incident.errno, facts=_facts(facts, incident))
        own = [finding for finding in read(table, telling, case, phases) if _concerns(finding, incident)]
        if not own and _told_by_text(everything, incident):
            continue
        found = chosen(table, own, case)
        used.update(finding.place for finding in own if not finding.rule.harmless)
        causes += told(found, {**words, **named(incident.module, incident.file)})
    rest = [finding for finding in everything if finding.place not in used]
    only = _only_module(everything)
    for finding in chosen(PASTED, rest, Case()):
        causes += told([finding], {**words, **named(finding.module or only, finding.words.get("file"))})
    causes += _complaints([finding for finding in rest if finding.rule.harmless], words, something_failed=bool(causes))
    return tuple({(cause.id, cause.summary): cause for cause in causes[::-1]}.values())[::-1]


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


def _complaints(findings: list[Finding], words: dict[str, str | Shell], *, something_failed: bool) -> list[Cause]:
    """Tell what stops nothing; beside a failure only that a parameter was ignored, which may be what is looked for."""
    causes: list[Cause] = []
    for finding in sorted(findings, key=lambda finding: (finding.rank, finding.place)):
        if not something_failed or finding.rule.id == "parameter-ignored":
            causes += told([finding], {**words, **named(finding.module, None)})
    return causes
