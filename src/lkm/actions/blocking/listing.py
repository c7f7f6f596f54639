"""Which modules are kept out, by which lines, and whether that holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lkm.actions.blocking.names import known_modules
from lkm.actions.blocking.routes import Route, routes_to, sessions_of_all_kernels
from lkm.actions.load_names import does_nothing
from lkm.actions.session import Session
from lkm.actions.showing import Showing, unseen
from lkm.actions.wanted import loaded_now
from lkm.formats.kernel_cmdline import FILE, Cmdline
from lkm.formats.module_name import canonical
from lkm.rules.effective_lines import text_of
from lkm.rules.kernel_blacklist import kernel_blacklist

__all__ = ["BlockedModule", "blocked_modules"]

_MOST_PROVED = 200  # by default: planning for thousands takes seconds


@dataclass(frozen=True, slots=True)
class BlockedModule:
    """A module that something keeps out.

    :param lines: (the line, file and line)
    :param installed: a kernel here has its file
    :param loaded: it is in the kernel all the same
    :param routes: the ways to it that are left; None where they were not looked for
    """

    name: str
    lines: tuple[tuple[str, str], ...]
    installed: bool
    loaded: bool
    routes: tuple[Route, ...] | None

    @property
    def holds(self) -> bool | None:
        """Whether no way is left; None where that was not looked for."""
        return None if self.routes is None else not self.routes


def blocked_modules(
    session: Session, names: Iterable[str] = (), *, prove: bool | None = None, showing: Showing = unseen
) -> tuple[BlockedModule, ...]:
    """List the modules that modprobe.d and the kernel command line keep out, by name.

    :param names: only these, canonical; by default all
    :param prove: look for ways that are left; by default if there are at most 200 modules
    :param showing: shows how far that is
    """
    sessions = sessions_of_all_kernels(session)
    lines = _lines(sessions)
    wanted = set(names)
    chosen = sorted(name for name in lines if not wanted or name in wanted)
    proving = len(chosen) <= _MOST_PROVED if prove is None else prove
    known = known_modules(sessions)
    loaded = {want.module for want in loaded_now(session)}
    refused = _refused_by_kernel(sessions)
    routes: dict[str, tuple[Route, ...]] = {}
    if proving:
        in_question = [name for name in chosen if name not in refused]
        with showing(len(in_question)) as advance:
            routes = {**dict.fromkeys(chosen, ()), **routes_to(sessions, in_question, advance)}
    return tuple(
        BlockedModule(name, tuple(lines[name]), name in known, name in loaded, routes.get(name)) for name in chosen
    )


def _lines(sessions: Sequence[Session]) -> dict[str, list[tuple[str, str]]]:
    """Collect the lines by module; kernels differ in what stands in their module trees, and that is none of these."""
    found: dict[str, list[tuple[str, str]]] = {}
    for session in sessions[-1:]:
        configuration = session.configuration
        for blacklist in configuration.blacklist:
            place = f"{blacklist.file}:{blacklist.line}"
            found.setdefault(canonical(blacklist.module), []).append((text_of(blacklist), place))
        for install in configuration.installs:
            if does_nothing(install.command):
                found.setdefault(install.module, []).append((text_of(install), f"{install.file}:{install.line}"))
    for name in _refused_by_kernel(sessions):
        found.setdefault(name, []).append((f"module_blacklist={name}", f"{FILE}:1"))
    found.pop("", None)
    return found


def _refused_by_kernel(sessions: Sequence[Session]) -> frozenset[str]:
    """Name what the kernel itself refuses, on one of the kernels."""
    cmdlines = {session.command_line for session in sessions}
    return frozenset(name for cmdline in cmdlines for name in kernel_blacklist(Cmdline(cmdline)))
