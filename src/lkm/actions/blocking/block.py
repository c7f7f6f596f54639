"""Blocking modules and unblocking them."""

from collections.abc import Sequence
from dataclasses import dataclass

from lkm.actions.blocking.essential import essential_modules
from lkm.actions.blocking.names import known_modules, module_names
from lkm.actions.blocking.own_lines import BLOCK_FILE, OWN_FILES, UNTIL_REBOOT_FILE, blocked_in, with_blocked, without
from lkm.actions.blocking.routes import Route, initcall_remedy, routes_to, sessions_of_all_kernels
from lkm.actions.changes.applying import ChangeOutcome, apply
from lkm.actions.changes.changes import Changes
from lkm.actions.session import Session
from lkm.actions.wanted import loaded_now
from lkm.errors import UsageError
from lkm.formats.modprobe_conf import Blacklist, Install
from lkm.rules.effective_lines import text_of
from lkm.rules.suggestions import similar

__all__ = ["BlockOptions", "BlockResult", "UnblockResult", "block", "unblock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockOptions:
    """How to block.

    :param until_reboot: in /run, which is empty after the next boot
    :param unknown: also names of modules that are not installed
    :param force: also what the system can't do without
    :param dry_run: change nothing
    """

    until_reboot: bool = False
    unknown: bool = False
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What came of blocking.

    :param names: the modules
    :param routes: the ways to them that are left; with ``dry_run`` those that are there now
    :param dependents: the modules that can't be loaded any more, because they need one of them
    :param loaded: those that are in the kernel now, and stay there
    :param essential: those that the system can't do without, with the reason; only with ``force``
    """

    names: tuple[str, ...]
    outcome: ChangeOutcome
    routes: tuple[Route, ...]
    dependents: tuple[str, ...]
    loaded: tuple[str, ...]
    essential: dict[str, str]


def block(session: Session, words: Sequence[str], options: BlockOptions, command: str) -> BlockResult:
    """Keep modules out: no name, alias, device or dependency leads to them by modprobe any more.

    :param words: names of modules
    :param command: the words that ask for it, for the journal
    :raises UsageError: a word is no module's name, the module is built in, or the system can't do without it
    :raises ModuleNotFound: there is no such module
    :raises LkmError: see :meth:`lkm.actions.changes.changes.Changes.carry_out`
    """
    sessions = sessions_of_all_kernels(session)
    names = module_names(sessions, words, unknown=options.unknown)
    _refuse_built_in(sessions, names)
    needed = _needed(sessions, session, names)
    if needed and not options.force:
        name, reason = next(iter(needed.items()))
        raise UsageError(
            f"this system needs {name}, {reason}; nothing was changed",
            hint="blocked, it may not boot, or be out of reach; --force blocks it all the same",
        )
    path = UNTIL_REBOOT_FILE if options.until_reboot else BLOCK_FILE

    def plan(changes: Changes) -> None:
        changes.add(path, with_blocked(changes.read_own(path), names))

    outcome = apply(session, plan, command, dry_run=options.dry_run)
    if outcome.changes and not options.dry_run:
        sessions = sessions_of_all_kernels(session)
    there = {want.module for want in loaded_now(session)}
    return BlockResult(
        names,
        outcome,
        tuple(route for routes in routes_to(sessions, names).values() for route in routes),
        _dependents(sessions, names),
        tuple(name for name in names if name in there),
        needed,
    )


def _refuse_built_in(sessions: Sequence[Session], names: Sequence[str]) -> None:
    for name in names:
        having = [session for session in sessions if session.tree.is_builtin(name)]
        if having and not any(session.tree.module(name) for session in sessions):
            raise UsageError(
                f"{name} is part of the kernel image: no line of modprobe.d reaches it",
                hint=initcall_remedy(having[-1], name),
            )


def _needed(sessions: Sequence[Session], session: Session, names: Sequence[str]) -> dict[str, str]:
    essential = essential_modules(sessions, session)
    return {name: essential[name] for name in names if name in essential}


def _dependents(sessions: Sequence[Session], names: Sequence[str]) -> tuple[str, ...]:
    found = dict.fromkeys(user for session in sessions for name in names for user in session.tree.dependents(name))
    return tuple(user for user in found if user not in names)


@dataclass(frozen=True, slots=True)
class UnblockResult:
    """What came of unblocking.

    :param names: the modules
    :param remaining: lines of other files that still keep them out: (module, line, file and line)
    :param alike: for names that no kernel here has and nothing kept out: what is called alike
    """

    names: tuple[str, ...]
    outcome: ChangeOutcome
    remaining: tuple[tuple[str, str, str], ...]
    alike: dict[str, tuple[str, ...]]


def unblock(session: Session, words: Sequence[str], command: str, *, dry_run: bool = False) -> UnblockResult:
    """Take back what :func:`block` and allow-only did; files that are not lkm's stay as they are.

    :param words: names of modules
    :raises UsageError: lkm blocks none of them, and no other file does
    :raises LkmError: see :meth:`lkm.actions.changes.changes.Changes.carry_out`
    """
    sessions = sessions_of_all_kernels(session)
    names = module_names(sessions, words, unknown=True)
    known = known_modules(sessions)
    were_blocked: dict[str, None] = {}

    def plan(changes: Changes) -> None:
        for path in OWN_FILES:
            contents = changes.read_own(path)
            were_blocked.update(dict.fromkeys(blocked_in(contents)))
            if any(name in names for name in blocked_in(contents)):
                changes.add(path, without(contents, names))

    outcome = apply(session, plan, command, dry_run=dry_run)
    own = {session.root.display(path) for path in OWN_FILES}
    remaining = tuple(
        (name, text_of(line), f"{line.file}:{line.line}")
        for other in sessions[-1:]
        for name in names
        for line in (other.configuration.blacklisted(name), other.configuration.install_command(name))
        if isinstance(line, Blacklist | Install) and line.file not in own
    )
    kept_out = {*were_blocked, *(name for name, *_ in remaining)}
    odd = [name for name in names if name not in known and name not in kept_out]
    alike = {name: similar(name, {**were_blocked, **known}) for name in odd}
    return UnblockResult(names, outcome, remaining, alike)
