"""One subject of a check: asking about the module itself, when what it needs is there, and giving the answer."""

import errno
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lkm.actions.checking.options import FORCE
from lkm.actions.checking.reasons import (
    already_loaded_note,
    built_in_note,
    dependency_causes,
    panic_note,
    parameter_notes,
    tolerated_note,
    unpacking_causes,
)
from lkm.actions.checking.results import CheckResult
from lkm.errors import Cause, CompressionError, LkmError
from lkm.kernels.base import LoadFlags
from lkm.rules.causes import causes_of_verdict

if TYPE_CHECKING:
    from lkm.actions.checking.chain import Chain, Failure
    from lkm.actions.checking.options import CheckOptions
    from lkm.actions.checking.target import CheckTarget
    from lkm.rules.loading.attempt import Verdict
    from lkm.rules.loading.state import KernelState
    from lkm.system.module_file import ModuleFile

__all__ = ["Turn", "answer", "name_of", "never_asked", "present"]

_UNKNOWN_KEYS = "whether the kernel trusts the key of the signature: which keys it holds is not known"


@dataclass(slots=True)
class Turn:
    """One subject's turn.

    :param subject: the name or path that was asked about
    :param state: the kernel when it begins
    :param after: the kernel when it ends
    """

    target: "CheckTarget"
    subject: str
    state: "KernelState"
    after: "KernelState"

    @property
    def options(self) -> "CheckOptions":
        """How to ask."""
        return self.target.options


def name_of(file: "ModuleFile") -> str:
    """Give the name by which the kernel knows a module, else the one that the file's name tells."""
    try:
        return file.image.name
    except LkmError:
        return file.name


def present(turn: Turn, name: str, *, builtin: bool) -> CheckResult:
    """Answer that a module is in the kernel already."""
    file = None if builtin else turn.target.tree.module(name)
    return CheckResult(
        subject=turn.subject,
        file=file.display_path if file else None,
        module=name,
        loads=True,
        stage="built in" if builtin else "loaded",
        taint_before=turn.state.taint,
        kernel_taint=turn.state.taint,
        notes=built_in_note(turn.target, name) if builtin else already_loaded_note(turn.target, name),
    )


def never_asked(
    turn: Turn,
    name: str,
    stage: str,
    causes: tuple[Cause, ...],
    *,
    file: str | None = None,
    code: int | None = None,
) -> CheckResult:
    """Answer that a module does not load, which the kernel has no say in."""
    return CheckResult(
        subject=turn.subject,
        file=file,
        module=name,
        loads=False,
        errno=code,
        stage=stage,
        taint_before=turn.state.taint,
        kernel_taint=turn.state.taint,
        causes=causes,
    )


def answer(turn: Turn, file: "ModuleFile", path: str, parameters: str, chain: "Chain") -> CheckResult:
    """Ask about a module, unless what it needs has failed: then that is the answer.

    :param path: the file, as to be shown
    :raises Unreadable: the file can't be read
    """
    turn.after = chain.state
    if chain.failure is not None:
        return _needs_what_fails(turn, name_of(file), path, chain, chain.failure)
    flags = turn.options.flags
    try:
        if turn.options.raw or flags & LoadFlags.COMPRESSED_FILE:
            verdict = turn.target.ask(chain.state, file.raw, parameters, flags)
        elif flags & ~FORCE:
            verdict = turn.target.ask(chain.state, file.contents, parameters, flags)
        else:
            verdict = turn.target.ask_module(chain.state, file, parameters)
    except CompressionError as error:
        causes = unpacking_causes(path, error)
        return never_asked(turn, file.name, "unpacking", causes, file=path, code=errno.EINVAL)
    result = _result(turn, file, path, verdict, chain)
    if verdict.errno == errno.EEXIST:
        result = replace(result, notes=(*result.notes, _without_the_loaded_one(turn, file, parameters, chain)))
    return result


def _needs_what_fails(turn: Turn, name: str, path: str, chain: "Chain", failure: "Failure") -> CheckResult:
    return CheckResult(
        subject=turn.subject,
        file=path,
        module=name,
        loads=False,
        errno=failure.verdict.errno if failure.verdict else None,
        stage="dependency",
        taint_before=turn.state.taint,
        kernel_taint=chain.state.taint,
        undecidable=tuple(chain.undecidable),
        causes=dependency_causes(name, failure, turn.target),
        before=tuple(chain.loaded),
    )


def _result(turn: Turn, file: "ModuleFile", path: str, verdict: "Verdict", chain: "Chain") -> CheckResult:
    undecidable = (*chain.undecidable, *verdict.undecidable)
    if _is_guessed(turn, file, chain):
        undecidable = (*undecidable, _UNKNOWN_KEYS)
    name = verdict.record.name if verdict.record else name_of(file)
    turn.after = verdict.state
    return CheckResult(
        subject=turn.subject,
        file=path,
        module=name,
        loads=verdict.loads,
        errno=verdict.errno,
        stage=verdict.stage,
        log=verdict.log,
        taints=verdict.record.taints if verdict.record else 0,
        taint_before=chain.state.taint,
        kernel_taint=verdict.state.taint,
        undecidable=undecidable,
        causes=causes_of_verdict(
            verdict, name=name, file=path, profile=turn.target.profile, is_forced=turn.options.is_forced
        ),
        before=tuple(chain.loaded),
        notes=(*panic_note(chain.state, verdict), *tolerated_note(chain), *parameter_notes(file, name, verdict)),
    )


def _is_guessed(turn: Turn, file: "ModuleFile", chain: "Chain") -> bool:
    """Tell whether nothing but a guess says that the kernel trusts the key of the signature."""
    options = turn.options
    as_it_is = options.raw or options.flags & LoadFlags.COMPRESSED_FILE
    return turn.target.guesses_trust(chain.state, file.raw if as_it_is else file.contents)


def _without_the_loaded_one(turn: Turn, file: "ModuleFile", parameters: str, chain: "Chain") -> str:
    """Tell what would happen to a module of which one is loaded, if that were not."""
    name = name_of(file)
    others = tuple(module for module in chain.state.modules if module.name != name)
    contents = file.raw if turn.options.raw else file.contents
    again = turn.target.ask(replace(chain.state, modules=others), contents, parameters, turn.options.flags)
    if again.loads:
        return f"once the {name} that is loaded has been removed, this one loads"
    return f"even without the {name} that is loaded this one does not load: {os.strerror(again.errno).lower()}"
