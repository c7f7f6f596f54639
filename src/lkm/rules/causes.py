"""Named causes of a refusal, by its errno and the lines of the kernel's log."""

import re

from lkm.errors import Cause, KernelRefused
from lkm.rules.cause_rules import LOADING, UNLOADING, CauseRule

__all__ = ["causes_of_load", "causes_of_unload"]


def causes_of_load(error: KernelRefused, name: str) -> tuple[Cause, ...]:
    """Name the causes that a refusal's errno and log lines show, most telling first.

    :param name: the module's name
    """
    return _found(LOADING, error, name)


def causes_of_unload(error: KernelRefused) -> tuple[Cause, ...]:
    """Name the causes of a refused removal."""
    return _found(UNLOADING, error, error.module)


def _found(rules: tuple[CauseRule, ...], error: KernelRefused, name: str) -> tuple[Cause, ...]:
    words = {"module": name, "file": error.where or name}
    found: list[Cause] = []
    for rule in rules:
        if rule.errno != error.errno or (rule.line is None and found):
            continue
        groups = _evidence(rule, error.log)
        if groups is not None:
            found.append(_filled(rule, {**words, **groups}))
    return tuple(found)


def _evidence(rule: CauseRule, log: tuple[str, ...]) -> dict[str, str] | None:
    """Give the named groups of the last line that shows the rule's cause; the last failure decides the errno."""
    if rule.line is None:
        return {}
    for line in reversed(log):
        match = re.search(rule.line, line)
        if match:
            return {name: text.strip() for name, text in match.groupdict().items()}
    return None


def _filled(rule: CauseRule, words: dict[str, str]) -> Cause:
    import shlex  # noqa: PLC0415  only when something went wrong

    quoted = {name: shlex.quote(text) for name, text in words.items()}
    remedy = tuple(command.format_map(quoted) for command in rule.remedy)
    return Cause(rule.id, rule.summary.format_map(words), remedy, rule.reference)
