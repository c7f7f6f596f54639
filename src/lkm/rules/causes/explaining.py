"""From evidence to rules: which lines show what, and which of it comes first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lkm.errors import Cause
from lkm.rules.causes.rule import CauseRule
from lkm.rules.causes.templates import anchor, match
from lkm.rules.causes.words import Shell, filled

__all__ = ["Case", "Finding", "Shown", "chosen", "read", "shown_by", "told"]

_NEVER_IN_A_NAME = frozenset("()[]<>'\"`")  # "(missing .modinfo section or name field)" is none

_PROCESSORS = {  # e_machine (include/uapi/linux/elf-em.h)
    "3": "32-bit x86",
    "8": "MIPS",
    "20": "32-bit PowerPC",
    "21": "64-bit PowerPC",
    "22": "s390",
    "40": "32-bit ARM",
    "62": "x86-64",
    "183": "arm64",
    "243": "RISC-V",
    "258": "LoongArch",
}
_LONGEST_LINE = 2000  # the kernel cuts at about half of that (kernel/printk/printk.c LOG_LINE_MAX)


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one failure.

    :param errno: positive; None where it is not known
    :param stage: the loader's stage that refused; empty where it is not known
    :param facts: what else is known, in the words that rules ask for
    :param exporters: the module that exports a symbol, where it is known
    :param words: for sentences and commands
    """

    errno: int | None = None
    stage: str = ""
    facts: frozenset[str] = frozenset()
    exporters: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str | Shell] = field(default_factory=dict)


@dataclass(slots=True)
class Finding:
    """A rule with the words of the last line that shows it.

    :param rank: the rule's place in the table
    :param place: the number of the line; -1 where none is needed
    :param subjects: what the lines were about, each once, in order
    """

    rule: CauseRule
    rank: int
    place: int
    words: dict[str, str]
    subjects: dict[str, None] = field(default_factory=dict)

    @property
    def module(self) -> str | None:
        """The module that the line names, if it does."""
        name = self.words.get("module", "")
        return name if name and not _NEVER_IN_A_NAME.intersection(name) else None


class Shown(NamedTuple):
    """A cause and what shows it.

    :param words: what stands in the line that shows it, by the names of the places in the rule's template
    :param subjects: the symbols or parameters that such lines are about
    :param place: the number of the line; -1 where an errno is all that shows it
    """

    cause: Cause
    words: Mapping[str, str]
    subjects: tuple[str, ...]
    place: int


def read(
    table: Sequence[CauseRule],
    lines: Iterable[tuple[int, str]],
    case: Case,
    phases: Mapping[int, str] | None = None,
) -> list[Finding]:
    """Find what each line shows: the first rule that fits explains it.

    :param lines: with their numbers
    :param phases: for lines of a special time, as in ``initramfs``
    """
    numbered = [(place, line[:_LONGEST_LINE]) for place, line in lines]
    everything = "\n".join(line for _, line in numbered)
    rules = [
        (rank, rule, template)
        for rank, rule in enumerate(table)
        if rule.fits(case.errno)
        for template in rule.lines
        if anchor(template) in everything
    ]
    found: dict[tuple[int, str | None], Finding] = {}
    for place, line in numbered if rules else ():
        for rank, rule, template in rules:
            words = match(template, line)
            if words is None:
                continue
            words["phase"] = (phases or {}).get(place, "")
            words |= _known(words, case)
            if not _holds(rule, case, words):
                continue
            earlier = found.get((rank, words.get("module")))
            finding = Finding(rule, rank, place, words, {} if earlier is None else earlier.subjects)
            finding.subjects.setdefault(words.get("symbol") or words.get("parameter") or "")
            found[rank, words.get("module")] = finding
            break
    return list(found.values())


def _known(words: Mapping[str, str], case: Case) -> dict[str, str]:
    """Give what is known of that which a line names; blanks around it say nothing to people."""
    found = {name: text.strip() for name, text in words.items()}
    if "symbol" in words:
        found["exporter"] = case.exporters.get(words["symbol"], "")
    if "machine" in words:
        found["processor"] = _PROCESSORS.get(words["machine"], f"ELF machine {words['machine']}")
    return found


def _holds(rule: CauseRule, case: Case, words: Mapping[str, str]) -> bool:
    return all(fact.format_map(words) in case.facts for fact in rule.facts)


def chosen(table: Sequence[CauseRule], findings: Iterable[Finding], case: Case) -> list[Finding]:
    """Choose and order what explains a refusal: by line and stage, what goes with the errno most closely first.

    An errno alone explains only what nothing else does.
    """
    found = [finding for finding in findings if not finding.rule.harmless and finding.rule.fits(case.errno)]
    if case.stage:
        seen = {finding.rank for finding in found}
        found += [
            Finding(rule, rank, -1, {})
            for rank, rule in enumerate(table)
            if case.stage in rule.stages and rank not in seen and rule.fits(case.errno) and _holds(rule, case, {})
        ]
        if any(finding.place >= 0 for finding in found):  # a line says more than the stage
            found = [finding for finding in found if finding.place >= 0]
        else:
            found = found[:1]
    if not found and case.errno is not None:
        generic = (
            Finding(rule, rank, -1, {})
            for rank, rule in enumerate(table)
            if rule.is_generic and case.errno in rule.errnos and _holds(rule, case, {})
        )
        found = list(generic)[:1]
    return sorted(found, key=lambda finding: (not _is_own(finding, case), finding.rank, -finding.place))


def _is_own(finding: Finding, case: Case) -> bool:
    own = finding.rule.errnos[:1]
    return not own or case.errno is None or own[0] == case.errno


def told(findings: Iterable[Finding], words: Mapping[str, str | Shell]) -> tuple[Cause, ...]:
    """Tell the causes, each once.

    :param words: of the case; what is known of the case counts before what a line says
    """
    return tuple(shown.cause for shown in shown_by(findings, words))


def shown_by(findings: Iterable[Finding], words: Mapping[str, str | Shell]) -> tuple[Shown, ...]:
    """Give the causes, each once, with the words that fill them, and the lines that show them."""
    causes: dict[tuple[str, str], Shown] = {}
    for finding in findings:
        others = len(finding.subjects) - 1
        more = f" (and {others} more)" if others > 0 else ""
        filling = {**finding.words, **words, "more": more, "phase": finding.words.get("phase", "")}
        cause = filled(finding.rule, filling)
        about = {**finding.words, **({"module": finding.module} if finding.module else {})}
        subjects = tuple(subject for subject in finding.subjects if subject)
        causes.setdefault((cause.id, cause.summary), Shown(cause, about, subjects, finding.place))
    return tuple(causes.values())
