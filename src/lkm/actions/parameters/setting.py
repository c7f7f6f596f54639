"""Setting parameters: of the module in the kernel, for each load to come, or both."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from lkm.actions.changes.applying import ChangeOutcome, apply
from lkm.actions.changes.changes import Changes
from lkm.actions.parameters.facts import Configured, ParameterFacts, release_of, require_parameter, shown_value
from lkm.actions.parameters.live import live_parameters, write_live
from lkm.actions.parameters.persisting import FILES, LATE, keep, wants_late_file, writable_form
from lkm.actions.parameters.reloading import reload_module, require_unused
from lkm.actions.parameters.subject import Subject, find_subject
from lkm.actions.parameters.wanted import Wanted, wanted_from
from lkm.actions.session import Session
from lkm.errors import NotLoaded, PrivilegeMissing, UsageError

__all__ = ["Done", "Manner", "SetOptions", "SetResult", "set_parameters"]


class Manner(Enum):
    """How a value reaches the kernel, or why it does not."""

    SET = "set while the module is in the kernel"
    SAME = "it was so before"
    READ_ONLY = "can't be set while the module is in the kernel"
    RELOADED = "the module was loaded again"
    NOT_LOADED = "the module is not loaded"
    ELSEWHERE = "the kernel is not that of the root"


@dataclass(frozen=True, slots=True)
class SetOptions:
    """How to set.

    :param persist: for each load to come
    :param reload: remove the module and load it again, where the value can't be set while it is loaded
    :param command: the words that ask for it, for the journal
    """

    persist: bool = False
    reload: bool = False
    dry_run: bool = False
    command: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one parameter.

    :param now: the value that the kernel shows afterwards; None where it shows none
    :param persisted: ``written``, ``same`` as before, or empty where that was not asked for
    :param beaten_by: the place that wins over what was written
    """

    wanted: Wanted
    manner: Manner
    now: str | None
    persisted: str = ""
    beaten_by: Configured | None = None

    @property
    def name(self) -> str:
        """The parameter's name, as the module declares it."""
        return self.wanted.facts.name


@dataclass(frozen=True, slots=True)
class SetResult:
    """What setting did.

    :param outcome: the changes to files
    :param is_loaded: whether the kernel has the module; None where it is not known
    """

    subject: Subject
    done: tuple[Done, ...]
    outcome: ChangeOutcome
    is_loaded: bool | None


_NOTHING = ChangeOutcome((), "", None)


# --- set --------------------------------------------------------------------------------------------------------------


def set_parameters(session: Session, name: str, words: Sequence[str], options: SetOptions) -> SetResult:
    """Set parameters of a module.

    All values are checked before anything is written. Files come before the kernel, so that a reload sees them.

    :param name: of the module, an alias of it, or its file
    :param words: ``NAME=VALUE`` each
    :raises UsageError: a value is wrong, or what is asked for can't be done
    :raises LkmError: the kernel refused, or see :func:`lkm.actions.changes.applying.apply`
    """
    subject = find_subject(session, name)
    wanted = wanted_from(session, subject, words)
    is_loaded = _is_loaded(session, subject)
    _require_possible(session, subject, wanted, options, is_loaded=is_loaded)
    if any(_manner(one, options, is_loaded=is_loaded) is Manner.RELOADED for one in wanted):
        require_unused(session, subject.name)
    outcome = _persist(session, subject, wanted, options) if options.persist else _NOTHING
    if options.dry_run:
        done = [_foreseen(one, options, is_loaded=is_loaded) for one in wanted]
    else:
        done = _set_live(session, subject, wanted, options, is_loaded=is_loaded)
    return SetResult(
        subject, tuple(_with_persistence(session, one, outcome, options) for one in done), outcome, is_loaded
    )


def _is_loaded(session: Session, subject: Subject) -> bool | None:
    """Tell whether the kernel has the module; of a built-in, always."""
    if not session.kernel_is_of_root:
        return None
    if subject.builtin:
        return True
    return session.kernel.state(subject.name) is not None


def _require_possible(
    session: Session, subject: Subject, wanted: Sequence[Wanted], options: SetOptions, *, is_loaded: bool | None
) -> None:
    if options.persist and subject.builtin:
        raise UsageError(
            f"{subject.name} is built in: modprobe.d does not speak to it",
            hint=_command_line_hint(session, subject, wanted),
        )
    if options.reload and subject.builtin:
        raise UsageError(f"{subject.name} is built in: it can't be loaded again")
    if options.persist:
        for one in wanted:
            writable_form(one.text)
        return
    if is_loaded is None:
        raise UsageError("the running kernel is not that of this root", hint="set it for the loads to come: --persist")
    if not is_loaded:
        raise NotLoaded(
            f"{subject.name} is not loaded",
            hint=f"load it with the value: lkm load {subject.name} {wanted[0].text}; or for each load: --persist",
        )
    if not options.reload:
        _require_writable(session, subject, wanted)


def _command_line_hint(session: Session, subject: Subject, wanted: Sequence[Wanted]) -> str:
    words = " ".join(f"{subject.name}.{one.text}" for one in wanted)
    root = session.root
    how = ""
    if root.is_file("/etc/default/grub"):
        how = " (in GRUB_CMDLINE_LINUX of /etc/default/grub, then run update-grub or grub2-mkconfig, and reboot)"
    elif root.is_file("/etc/kernel/cmdline"):
        how = " (in /etc/kernel/cmdline, then run kernel-install add-all, and reboot)"
    return f"put this on the kernel command line: {words}{how}"


def _require_writable(session: Session, subject: Subject, wanted: Sequence[Wanted]) -> None:
    for one in wanted:
        if one.facts.live is not None and one.facts.live.is_writable:
            continue
        if subject.builtin:
            hint = _command_line_hint(session, subject, [one])
        else:
            hint = "set it at the next load: --persist; or load the module again with it: --reload"
        why = "can only be read" if one.facts.live else "is not shown"
        raise UsageError(f"{one.facts.name} of {subject.name} {why} while the module is in the kernel", hint=hint)


# --- files ------------------------------------------------------------------------------------------------------------


def _persist(session: Session, subject: Subject, wanted: Sequence[Wanted], options: SetOptions) -> ChangeOutcome:
    def plan(changes: Changes) -> None:
        fresh = [require_parameter(session, subject, one.facts.name) for one in wanted]
        own = {session.root.display(path) for path in FILES}
        needed = [
            (one, facts) for one, facts in zip(wanted, fresh, strict=True) if not _is_set(session, subject, one, facts)
        ]
        late = [
            one.facts.name
            for one, facts in needed
            if wants_late_file(place for place in facts.configured if place.file not in own)
        ]
        keep(changes, subject.name, {one.facts.name: one.text for one, _ in needed}, late=late)

    return apply(session, plan, options.command, dry_run=options.dry_run)


def _is_set(session: Session, subject: Subject, one: Wanted, facts: ParameterFacts) -> bool:
    """Tell whether the value that wins is the wanted one already."""
    winner = facts.winner
    if winner is None or winner.is_command_line:
        return False  # what stands there is gone with the next boot loader entry
    if winner.value == one.value:
        return True
    shown = shown_value(subject, release_of(session), one.facts.parameter, winner.value)
    return one.shown is not None and shown == one.shown


def _with_persistence(session: Session, done: Done, outcome: ChangeOutcome, options: SetOptions) -> Done:
    if not options.persist:
        return done
    own = {session.root.display(path) for path in FILES}
    others = [place for place in done.wanted.facts.configured if place.file not in own]
    last_name = LATE.rpartition("/")[2].encode()
    beaten = [
        place
        for place in others
        if place.value != done.wanted.value
        and (place.is_command_line or place.file.rpartition("/")[2].encode("utf-8", "surrogateescape") > last_name)
    ]
    persisted = "written" if outcome.changes else "same"
    return Done(done.wanted, done.manner, done.now, persisted, beaten[-1] if beaten else None)


# --- the kernel -------------------------------------------------------------------------------------------------------


def _foreseen(one: Wanted, options: SetOptions, *, is_loaded: bool | None) -> Done:
    live = one.facts.live
    return Done(one, _manner(one, options, is_loaded=is_loaded), live.value if live else None)


def _manner(one: Wanted, options: SetOptions, *, is_loaded: bool | None) -> Manner:
    """Say how a value can reach the kernel."""
    live = one.facts.live
    if is_loaded is None:
        return Manner.ELSEWHERE
    if not is_loaded:
        return Manner.NOT_LOADED
    if live is not None and live.value is not None and live.value in {one.shown, one.value}:
        return Manner.SAME
    if live is not None and live.is_writable:
        return Manner.SET
    return Manner.RELOADED if options.reload else Manner.READ_ONLY


def _set_live(
    session: Session, subject: Subject, wanted: Sequence[Wanted], options: SetOptions, *, is_loaded: bool | None
) -> list[Done]:
    manners = {one.facts.name: _manner(one, options, is_loaded=is_loaded) for one in wanted}
    for one in wanted:
        if manners[one.facts.name] is Manner.SET:
            try:
                write_live(session, subject.name, one.facts.parameter, _raw(one), one.shown)
            except PrivilegeMissing as error:
                raise _forbidden(error, options.command) from error
    if Manner.RELOADED in manners.values():
        given = [] if options.persist else [one.text for one in wanted]
        reload_module(session, subject.name, " ".join(given))
    after = live_parameters(session, subject.name, subject.declared, subject.defaults) or {}
    return [
        Done(one, manners[one.facts.name], live.value if (live := after.get(one.facts.name)) else None)
        for one in wanted
    ]


def _forbidden(error: PrivilegeMissing, command: str) -> PrivilegeMissing:
    if os.geteuid() == 0:
        hint = "lockdown or a security module forbids it, even to root"
    else:
        hint = f"do it with privilege: sudo {command}"
    return PrivilegeMissing(error.what, where=error.where, hint=hint)


def _raw(one: Wanted) -> str:
    """Give the value as sysfs takes it: a name alone means yes."""
    return "Y" if one.value is None else one.value
