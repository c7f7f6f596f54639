"""The causes of what a kernel refused, or would refuse."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lkm.errors import Cause, KernelRefused
from lkm.rules.causes.explaining import Case, chosen, read, told
from lkm.rules.causes.policy import (
    facts_of_command_line,
    facts_of_file,
    facts_of_lines,
    facts_of_state,
    words_of_command_line,
    words_of_lines,
    words_of_state,
)
from lkm.rules.causes.table import LOADING, UNLOADING
from lkm.rules.causes.templates import match
from lkm.rules.causes.words import named, usual

if TYPE_CHECKING:
    from lkm.rules.causes.rule import CauseRule
    from lkm.rules.loading.request import Verdict
    from lkm.system.kernel_profile import KernelProfile

__all__ = ["of_load", "of_unload", "of_verdict"]


def of_load(
    error: KernelRefused, name: str, command_line: str, *, modules_disabled: bool, kernel_log: Sequence[str] = ()
) -> tuple[Cause, ...]:
    """Name the causes of a refused load."""
    words = {**usual(), **words_of_lines(kernel_log), **words_of_command_line(command_line)}
    words |= named(name, error.where)
    facts = facts_of_command_line(command_line) | facts_of_file(error.where) | {"asked here"}
    if modules_disabled:
        facts.add("modules disabled")
    return _explained(LOADING, error.log, Case(error.errno, facts=frozenset(facts), words=words))


def of_unload(error: KernelRefused) -> tuple[Cause, ...]:
    """Name the causes of a refused removal."""
    words = {**usual(), **named(error.module, error.where)}
    return _explained(UNLOADING, error.log, Case(error.errno, words=words))


def of_verdict(
    verdict: "Verdict", name: str, file: str, profile: "KernelProfile | None", *, is_forced: bool
) -> tuple[Cause, ...]:
    """Name the causes of a judged load; none where it loads."""
    if verdict.loads:
        return ()
    words = {**usual(profile.release if profile else None), **words_of_state(verdict.state), **named(name, file)}
    facts, exporters = _offers(verdict, profile)
    facts |= facts_of_state(verdict.state) | facts_of_file(file) | ({"forced"} if is_forced else set())
    return _explained(LOADING, verdict.log, Case(verdict.errno, verdict.stage, frozenset(facts), exporters, words))


def _offers(verdict: "Verdict", profile: "KernelProfile | None") -> tuple[set[str], dict[str, str]]:
    """Say of each symbol that was not found who exports it, and whether for modules under the GPL only."""
    found = (match("Unknown symbol {symbol} (err -2)", line) for line in verdict.log)
    facts = {"exports known"} if profile else set()
    exporters: dict[str, str] = {}
    elsewhere: dict[str, tuple[str, ...]] | None = None
    symbols = {words["symbol"] for words in found if words}
    for symbol in symbols:
        offers = [module.by_name[symbol] for module in verdict.state.modules if symbol in module.by_name]
        if profile and symbol in profile.exports:
            offers.append(profile.exports[symbol])
        if offers:
            is_gpl_only = any(export.gpl_only for export in offers)
            facts.add(f"gpl-only {symbol}" if is_gpl_only else f"refused {symbol}")
        elif profile and profile.module_exports:
            elsewhere = profile.exporters_of(symbols) if elsewhere is None else elsewhere
            owners = elsewhere.get(symbol, ())
            facts.add(f"exported {symbol}" if owners else f"nowhere {symbol}")
            exporters[symbol] = owners[0] if owners else ""
    return facts, exporters


def _explained(table: "tuple[CauseRule, ...]", log: tuple[str, ...], case: Case) -> tuple[Cause, ...]:
    facts = facts_of_lines(log) | {"errno known"}
    if "exports known" in case.facts:  # then it is known, not guessed, whether a symbol is for GPL modules only
        facts = {fact for fact in facts if not fact.startswith("closed ")}
    case = replace(case, facts=case.facts | facts)
    findings = read(table, enumerate(log), case)
    own = [finding for finding in findings if finding.module in {None, case.words["module"]}]
    return told(chosen(table, own or findings, case), case.words)
