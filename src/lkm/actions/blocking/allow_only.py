"""Allowing only the modules that a system needs, and keeping all others out."""

from collections.abc import Sequence
from dataclasses import dataclass

from lkm.actions.blocking.essential import essential_modules
from lkm.actions.blocking.names import known_modules, module_names
from lkm.actions.blocking.own_lines import ALLOW_ONLY_FILE, blocked_in, lines_for
from lkm.actions.blocking.routes import sessions_of_all_kernels
from lkm.actions.changes.applying import ChangeOutcome, apply
from lkm.actions.changes.changes import Changes
from lkm.actions.session import Session
from lkm.actions.wanted import for_boot, loaded_now
from lkm.errors import UsageError
from lkm.formats.module_name import from_path
from lkm.formats.own_files import mark_for

__all__ = ["AllowOnly", "end_allow_only", "plan_allow_only", "write_allow_only"]

_NAMED = "named"


@dataclass(frozen=True, slots=True)
class AllowOnly:
    """What may be loaded, and what not.

    :param releases: the kernels whose modules were looked at
    :param allowed: by name, with the reason
    :param refused: all others of these kernels
    :param with_softdeps: those of them that some softdep line is about
    :param newly_refused: those of them that nothing kept out before
    """

    releases: tuple[str, ...]
    allowed: dict[str, str]
    refused: tuple[str, ...]
    with_softdeps: frozenset[str]
    newly_refused: tuple[str, ...]

    @property
    def named(self) -> tuple[str, ...]:
        """The modules that are allowed because somebody named them."""
        return tuple(name for name, reason in self.allowed.items() if reason == _NAMED)


def plan_allow_only(session: Session, words: Sequence[str] = ()) -> AllowOnly:
    """Find out what is needed: what is loaded, what is named, what boots, and all that these depend on, on any kernel.

    :param words: names of modules to allow besides
    :raises UsageError, ModuleNotFound: see :func:`lkm.actions.blocking.names.module_names`
    :raises UsageError: no kernel here has modules
    """
    sessions = sessions_of_all_kernels(session)
    if not sessions:
        raise UsageError("no kernel here has a module tree with indexes", hint="lkm index writes them")
    allowed: dict[str, str] = dict.fromkeys(module_names(sessions, words), _NAMED)
    for want in loaded_now(session):
        allowed.setdefault(want.module, "loaded now")
    for other in sessions:
        for want in for_boot(other, lambda _: None):
            allowed.setdefault(want.module, want.reason)
    for name, reason in essential_modules(sessions, session).items():
        allowed.setdefault(name, reason)
    for other in sessions:
        _add_needed(other, allowed)
    known = known_modules(sessions)
    refused = tuple(sorted(name for name in known if name not in allowed))
    before = set(_refused_now(session))
    return AllowOnly(
        tuple(other.tree.release for other in sessions),
        {name: reason for name, reason in sorted(allowed.items()) if name in known},
        refused,
        frozenset(name for name in refused if any(other.configuration.all_softdeps(name) for other in sessions)),
        tuple(name for name in refused if name not in before),
    )


def _add_needed(session: Session, allowed: dict[str, str]) -> None:
    """Add what the allowed modules depend on, on one kernel, soft dependencies included."""
    pending = list(allowed)
    for name in pending:
        needed = [from_path(module.path) for module in session.tree.dependencies(name)]
        for line in session.configuration.all_softdeps(name):
            needed += [found.name for word in (*line.pre, *line.post) for found in session.resolver.lookup(word)]
        for other in needed:
            if other not in allowed:
                allowed[other] = f"{name} needs it, on {session.tree.release}"
                pending.append(other)


def _refused_now(session: Session) -> tuple[str, ...]:
    return blocked_in(Changes(session.root).read_own(ALLOW_ONLY_FILE))


def write_allow_only(session: Session, plan: AllowOnly, command: str, *, dry_run: bool = False) -> ChangeOutcome:
    """Write the file that keeps all others out; one from before is replaced.

    :param command: the words that ask for it, for the journal
    :raises LkmError: see :meth:`lkm.actions.changes.changes.Changes.carry_out`
    """
    lines = [line for name in plan.refused for line in lines_for(name, with_softdep=name in plan.with_softdeps)]
    contents = b"".join((mark_for("lkm allow-only"), _header(plan), *(f"{line}\n".encode() for line in lines)))

    def add(changes: Changes) -> None:
        changes.read_own(ALLOW_ONLY_FILE)
        changes.add(ALLOW_ONLY_FILE, contents)

    return apply(session, add, command, dry_run=dry_run)


def _header(plan: AllowOnly) -> bytes:
    return (
        f"# Modules of {', '.join(plan.releases)} that may be loaded: {len(plan.allowed)}; others are refused below.\n"
        "# To allow one more: lkm unblock NAME. To end this: lkm allow-only --end.\n"
        "# Where lkm does not run, as in a rescue system: delete this file, and build the initramfs anew.\n"
        "# From the boot loader: the parameter init=/bin/sh gives a shell to do that in.\n"
    ).encode()


def end_allow_only(session: Session, command: str, *, dry_run: bool = False) -> ChangeOutcome:
    """Remove the file, so that everything may be loaded again.

    :raises LkmError: see :meth:`lkm.actions.changes.changes.Changes.carry_out`
    """

    def remove(changes: Changes) -> None:
        if changes.read_own(ALLOW_ONLY_FILE):
            changes.add(ALLOW_ONLY_FILE, None)

    return apply(session, remove, command, dry_run=dry_run)
