"""Asking what a kernel will do with modules, without loading anything and without privilege."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lkm.actions.checking.answer import Turn, answer, never_asked, present
from lkm.actions.checking.chain import Chain, Step, chain_of, command_note, load_options, steps_for_file
from lkm.actions.checking.loaded import with_loaded
from lkm.actions.checking.options import CheckOptions
from lkm.actions.checking.reasons import blacklist_note, forbidden_causes, missing_note, not_found_causes, suggestion
from lkm.actions.checking.results import CheckReport, CheckResult
from lkm.actions.checking.target import CheckTarget, open_target
from lkm.actions.load_file import once
from lkm.actions.load_names import file_for, forbidden, looks_like_path
from lkm.errors import LkmError, Unreadable, UsageError
from lkm.formats.module_name import canonical
from lkm.rules.planning.load import plan_load
from lkm.rules.planning.steps import Insert, LoadStep, Present, RunInstall
from lkm.rules.resolving import Candidate

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.system.module_file import ModuleFile

__all__ = ["check", "check_on", "check_or_raise"]


def check(session: "Session", subjects: Sequence[str], options: CheckOptions | None = None) -> CheckReport:
    """Say what a kernel will do with modules.

    Without ``options.raw`` each is looked up and loaded as ``lkm load`` would, with all that it needs; each on a kernel
    that has loaded none of the others, unless ``options.together`` says otherwise.

    :param subjects: names, aliases, or paths of module files of the host
    :param options: how to ask
    :raises UsageError, Unreadable, ModuleSupportMissing: see :func:`lkm.actions.checking.target.open_target`
    """
    return check_on(with_loaded(open_target(session, options or CheckOptions())), subjects)


def check_or_raise(session: "Session", subjects: Sequence[str], options: CheckOptions | None = None) -> CheckReport:
    """Do as :func:`check`, for callers who want all or nothing.

    :raises Unreadable: a subject can't be read, too
    """
    report = check(session, subjects, options)
    for error in report.unreadable:
        raise error
    return report


def check_on(target: CheckTarget, subjects: Sequence[str]) -> CheckReport:
    """Say what a kernel that was opened before will do with modules; see :func:`check`."""
    results: list[CheckResult] = []
    unreadable: list[LkmError] = []
    state = target.state
    for subject in subjects:
        turn = Turn(target, subject, state, state)
        try:
            results += _about(turn)
        except (UsageError, Unreadable) as error:
            error.where = error.where or subject
            unreadable.append(error)
        if target.options.together:
            state = turn.after
    return CheckReport(target.profile.release, tuple(results), tuple(unreadable), target.notes)


def _about(turn: Turn) -> list[CheckResult]:
    subject, target = turn.subject, turn.target
    if looks_like_path(subject):
        return [_about_file(turn)]
    found = target.resolver.lookup(subject)
    if found:
        return [_about_candidate(turn, candidate) for candidate in found]
    if canonical(subject) in target.profile.builtins:
        return [present(turn, canonical(subject), builtin=True)]
    return [_not_found(turn, canonical(subject))]


def _not_found(turn: Turn, name: str) -> CheckResult:
    return never_asked(turn, name, "not found", not_found_causes(turn.target, turn.subject, name))


# --- files ------------------------------------------------------------------------------------------------------------


def _about_file(turn: Turn) -> CheckResult:
    path, parameters = turn.subject, turn.options.parameters
    file = file_for(path)
    try:
        file.raw  # noqa: B018  reading is the point
    except Unreadable as error:
        error.where = path
        error.hint = error.hint or suggestion(turn.target, path)
        raise
    if turn.options.raw:
        return answer(turn, file, path, parameters, Chain(turn.state))
    steps, missing = _steps_before(turn, file)
    result = answer(turn, file, path, parameters, chain_of(turn.target, turn.state, steps))
    return result if result.loads else replace(result, notes=(*result.notes, *missing_note(path, missing)))


def _steps_before(turn: Turn, file: "ModuleFile") -> tuple[tuple[Step, ...], tuple[str, ...]]:
    try:
        image, name = file.image, file.image.name
    except LkmError:
        return (), ()  # the kernel's answer says more
    return steps_for_file(turn.target, turn.state, image, name)


# --- names ------------------------------------------------------------------------------------------------------------


def _about_candidate(turn: Turn, candidate: Candidate) -> CheckResult:
    target, options = turn.target, turn.options
    if options.raw:
        return _about_raw_name(turn, candidate)
    plan = plan_load(target.resolver, candidate, load_options(turn.state, options.parameters))
    plan = replace(plan, steps=once(plan.steps))
    blocked = forbidden(plan)
    if blocked:
        file = target.tree.module(candidate.name)
        path = file.display_path if file else None
        return never_asked(turn, candidate.name, "modprobe.d", forbidden_causes(blocked, candidate), file=path)
    place = next(place for place, step in enumerate(plan.steps) if step.name == candidate.name)
    chain = chain_of(target, turn.state, plan.steps[:place])
    result = _about_step(turn, plan.steps[place], chain)
    notes = blacklist_note(target, candidate)
    return replace(result, notes=(*result.notes, *notes)) if notes else result


def _about_step(turn: Turn, step: LoadStep, chain: Chain) -> CheckResult:
    """Ask about the module itself, when what it needs is there."""
    match step:
        case Present():
            return present(turn, step.name, builtin=step.builtin)
        case Insert():
            return answer(turn, step.module, step.module.display_path, step.parameters, chain)
        case RunInstall():
            file = turn.target.tree.module(step.name)
            if file is not None:
                chain.undecidable.append(command_note(step))
                return answer(turn, file, file.display_path, step.parameters, chain)
    return _not_found(turn, step.name)


def _about_raw_name(turn: Turn, candidate: Candidate) -> CheckResult:
    file = turn.target.tree.module(candidate.name)
    if file is not None:
        return answer(turn, file, file.display_path, turn.options.parameters, Chain(turn.state))
    return present(turn, candidate.name, builtin=True) if candidate.builtin else _not_found(turn, candidate.name)
