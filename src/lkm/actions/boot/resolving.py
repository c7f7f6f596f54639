"""What a name in modules-load.d comes to at boot, as systemd-modules-load would have it.

Facts: systemd 252, src/shared/module-util.c ``module_load_and_warn``, which loads by libkmod with its blacklist applied
to names, too (``KMOD_PROBE_APPLY_BLACKLIST``); Linux 6.1, kernel/module/main.c ``blacklisted``.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from lkm.actions.load_names import forbidden
from lkm.actions.session import Session
from lkm.errors import LkmError
from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.kernel_blacklist import kernel_blacklist
from lkm.rules.planning.load import BlacklistScope, LoadOptions, LoadPlan, plan_load
from lkm.rules.planning.steps import Absent
from lkm.rules.resolving import Candidate, Resolver
from lkm.rules.suggestions import similar

__all__ = ["BootResolver", "Fate", "Resolved", "boot_command_line"]


class Fate(Enum):
    """What becomes of a name at boot."""

    LOADS = "loads"
    BUILT_IN = "built in"
    BLOCKED = "blocked"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a name comes to.

    :param modules: the modules behind it
    :param reason: why it does not load, in words; empty where it does
    """

    fate: Fate
    modules: tuple[str, ...] = ()
    reason: str = ""


def boot_command_line(session: Session) -> tuple[str, str]:
    """Give the kernel command line that the root boots with, and where that is from."""
    try:
        return session.found_command_line
    except LkmError:
        return "", ""


class BootResolver:
    """Answers for one session.

    :ivar cmdline: the kernel command line that the root boots with
    :ivar cmdline_file: where it was found, to show to people; empty where nothing tells
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.cmdline, self.cmdline_file = boot_command_line(session)

    @cached_property
    def problem(self) -> LkmError | None:
        """Why names can't be looked up: there is no module tree for the release, or it lacks its indexes."""
        try:
            self._session.tree.require_indexes()
        except LkmError as error:
            return error
        return None

    @cached_property
    def _resolver(self) -> Resolver:
        return Resolver(self._session.tree, self._session.configuration_with(self.cmdline))

    def resolve(self, name: str) -> Resolved:
        """Say what a name comes to.

        :param name: a module's name or an alias, as written
        """
        if any(character in " \t" for character in name):
            return Resolved(
                Fate.MISSING, (), "the whole line is taken for a name: parameters belong into modprobe.d (lkm param)"
            )
        if self.problem is not None:
            return Resolved(Fate.UNKNOWN, (), str(self.problem))
        try:
            found = self._resolver.lookup(name)
        except LkmError as error:
            return Resolved(Fate.UNKNOWN, (), str(error))
        if not found:
            return Resolved(Fate.MISSING, (), _alike(self._session, name))
        names = tuple(dict.fromkeys(candidate.name for candidate in found))
        if all(candidate.builtin for candidate in found):
            return Resolved(Fate.BUILT_IN, names, "it is part of the kernel image: there is nothing to load")
        reasons = [self._obstacle(candidate) for candidate in found]
        kept_out = next((reason for reason in reasons if reason), "")
        if kept_out and all(reasons):
            return Resolved(Fate.BLOCKED, names, kept_out)
        return Resolved(Fate.LOADS, names)

    def _obstacle(self, candidate: Candidate) -> str:
        """Say what keeps a module from being loaded; empty where nothing does."""
        listed = _kernel_refuses(self.cmdline, candidate.name)
        if listed:
            return listed
        options = LoadOptions(blacklist=BlacklistScope.NAMES, is_loaded=lambda _: False)
        plan = plan_load(self._resolver, candidate, options)
        blocked = forbidden(plan)
        if blocked is not None:
            return f"{blocked.what} ({blocked.where})" if blocked.where else blocked.what
        return _gap(plan)


def _kernel_refuses(cmdline: str, name: str) -> str:
    is_listed = name in kernel_blacklist(Cmdline(cmdline))
    return "the kernel command line has module_blacklist=, against which nothing helps" if is_listed else ""


def _gap(plan: LoadPlan) -> str:
    missing = [step.name for step in plan.steps if isinstance(step, Absent) and step.required]
    return f"there is no module {missing[0]}, which it needs" if missing else ""


def _alike(session: Session, name: str) -> str:
    try:
        near = similar(name, (module.name for module in session.tree.modules()))
    except LkmError:
        near = ()
    here = f"no module, alias or built-in of {session.tree.release} is called so"
    return f"{here}; did you mean {' or '.join(near)}?" if near else here
