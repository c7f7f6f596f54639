"""Before a kernel upgrade: tell whether all that is in use, or wanted at boot, will load on the kernel to come."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from lkm.actions.checking.check import check
from lkm.actions.session import Session
from lkm.actions.wanted import Want, for_boot, for_devices, for_mounts, loaded_now
from lkm.errors import Unreadable, UsageError
from lkm.formats.module_name import from_path
from lkm.rules.upgrade import Change, Finding, changes_of, lines_without_object
from lkm.system import dkms_state

if TYPE_CHECKING:
    from lkm.system.dkms_state import DkmsPackage

__all__ = ["Preflight", "Wanted", "preflight"]

_MOST_REASONS = 3
_FORBIDDEN = "modprobe.d"  # a stage of a check: the kernel is never asked


@dataclass(slots=True)
class Wanted:
    """A module that is in use or asked for.

    :ivar reasons: why, in words
    :ivar aliases: what it is asked for by: modaliases of devices, names of modules-load.d
    """

    name: str
    reasons: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a kernel upgrade does.

    :param current: the release in use
    :param release: the release to come
    :param wanted: what was looked at, by name
    :param findings: what changes, problems first
    """

    current: str
    release: str
    wanted: tuple[Wanted, ...]
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Give the findings that somebody has to do something about."""
        return tuple(finding for finding in self.findings if finding.is_problem)


def preflight(session: Session, release: str) -> Preflight:
    """Hold the modules that are in use against another kernel of the same root.

    :param session: the system with the kernel in use
    :param release: the kernel to come
    :raises UsageError: the release is empty
    :raises TreeMissing, IndexMissing: one of the two has no module tree, or no indexes
    """
    if not release:
        raise UsageError(f"{release!r} is no kernel release", hint="name it as `uname -r` prints it")
    session.tree.require_indexes()
    target = Session(session.target._replace(release=release, kernel="emulated"))
    target.tree.require_indexes()
    packages = _newest(dkms_state.packages(session.root))
    unread: list[Unreadable] = []
    wanted = _wanted(session, packages, unread.append)
    findings = [finding for package in packages for finding in _not_built(package, session, release)]
    waiting = {finding.subject for finding in findings}
    kept = [module for module in wanted.values() if module.name not in waiting]
    for module in kept:
        findings += _changes(module, session, target)
    findings += _refusals([module for module in kept if target.tree.module(module.name)], target)
    findings += lines_without_object(session.resolver, target.resolver)
    findings += [Finding(Change.UNREAD, "", f"what a file asks for is not known: {error}") for error in unread]
    once = tuple(dict.fromkeys(findings))
    ordered = tuple(sorted(once, key=lambda finding: not finding.is_problem))
    return Preflight(session.tree.release, release, tuple(wanted.values()), ordered)


# --- what is wanted ---------------------------------------------------------------------------------------------------


def _wanted(
    session: Session, packages: "tuple[DkmsPackage, ...]", tell: Callable[[Unreadable], None]
) -> dict[str, Wanted]:
    """Collect the modules in use with the reasons."""
    found: dict[str, Wanted] = {}
    sources = (
        loaded_now(session),
        for_boot(session, tell),
        for_devices(session),
        for_mounts(session),
        _of_dkms(packages),
    )
    for name, reason, alias in chain.from_iterable(sources):
        module = found.setdefault(name, Wanted(name))
        if reason not in module.reasons:
            module.reasons.append(reason)
        if alias is not None and alias not in module.aliases:
            module.aliases.append(alias)
    return found


def _of_dkms(packages: "tuple[DkmsPackage, ...]") -> Iterator[Want]:
    for package in packages:
        for build in package.builds:
            for path in build.files:
                yield Want(from_path(path), f"of the DKMS package {package.name}/{package.version}", None)


def _newest(packages: "tuple[DkmsPackage, ...]") -> "tuple[DkmsPackage, ...]":
    """Keep the version of each package that is installed for some kernel, else the last."""
    chosen: dict[str, DkmsPackage] = {}
    for package in packages:
        kept = chosen.get(package.name)
        if kept is None or not any(build.installed for build in kept.builds):
            chosen[package.name] = package
    return tuple(chosen.values())


# --- what becomes of it -----------------------------------------------------------------------------------------------


def _not_built(package: "DkmsPackage", session: Session, release: str) -> Iterator[Finding]:
    """Tell which modules of a package still have to be built for the kernel to come."""
    build = package.build_for(release)
    if build is not None and build.installed:
        return
    state = "is not built" if build is None else "is built and not installed"
    inside = () if session.root.is_host else ("chroot", session.root.path)
    command = ("dkms", "install", f"{package.name}/{package.version}", "-k", release)
    remedy = (shlex.join((*inside, *command)),)
    names = {from_path(path) for other in package.builds for path in other.files} or {package.name}
    for name in sorted(names):
        text = f"{name}, of the DKMS package {package.name}/{package.version}, {state} for {release}"
        yield Finding(Change.NOT_BUILT, name, text, is_problem=True, remedy=remedy)


def _changes(module: Wanted, session: Session, target: Session) -> Iterator[Finding]:
    for change in changes_of(module.name, session.resolver, target.resolver, tuple(module.aliases)):
        yield replace(change, text=f"{change.text} ({_listed(module)})") if change.is_problem else change


def _refusals(modules: list[Wanted], target: Session) -> Iterator[Finding]:
    """Ask what the kernel to come will say to each module; what modprobe.d forbids is forbidden now, too."""
    wanted = {module.name: module for module in modules}
    for result in check(target, list(wanted)).results:
        if result.loads or result.stage == _FORBIDDEN:
            continue
        name, why = result.subject, result.causes[0]
        text = f"{name} does not load on {target.tree.release}: {why.summary} ({_listed(wanted[name])})"
        yield Finding(Change.REFUSED, name, text, is_problem=True, remedy=why.remedy)


def _listed(module: Wanted) -> str:
    rest = len(module.reasons) - _MOST_REASONS
    return ", ".join(module.reasons[:_MOST_REASONS]) + (f" and {rest} more" if rest > 0 else "")
