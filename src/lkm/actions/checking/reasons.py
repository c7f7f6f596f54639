"""Why a module does not load, where it is not the kernel alone that says so, and what else is worth knowing."""

import os
import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lkm.errors import Blocked, Cause, CompressionError
from lkm.formats.module_name import EXTENSIONS, canonical, from_path
from lkm.rules.causes import causes_of_verdict
from lkm.rules.suggestions import similar

if TYPE_CHECKING:
    from lkm.actions.checking.chain import Chain, Failure
    from lkm.actions.checking.target import CheckTarget
    from lkm.rules.loading.attempt import KernelState, Verdict
    from lkm.rules.resolving import Candidate
    from lkm.system.module_file import ModuleFile

__all__ = [
    "already_loaded_note",
    "blacklist_note",
    "built_in_note",
    "dependency_causes",
    "forbidden_causes",
    "missing_note",
    "not_found_causes",
    "panic_note",
    "parameter_notes",
    "suggestion",
    "tolerated_note",
    "unpacking_causes",
]

_LONGEST_SHOWN = 64
_UNKNOWN_PARAMETER = re.compile(r": unknown parameter '([^']*)' ignored$")
_MOST_NAMES = 10_000  # of a directory that is looked through for a name like one that is not there


def dependency_causes(name: str, failure: "Failure", target: "CheckTarget") -> tuple[Cause, ...]:
    """Say that what a module needs does not load, and why that is."""
    if failure.verdict is None:
        remedy: tuple[str, ...] = ()
        return (Cause("dependency", f"{name} needs {failure.name}, and {failure.reason}", remedy, "man 8 modprobe"),)
    found = causes_of_verdict(
        failure.verdict,
        name=failure.name,
        file=failure.file,
        profile=target.profile,
        is_forced=target.options.is_forced,
    )
    why = found[0].summary if found else os.strerror(failure.verdict.errno).lower()
    first = Cause(
        "dependency",
        f"{name} needs {failure.name}, which does not load: {why}",
        found[0].remedy if found else (),
        "man 8 modprobe",
    )
    return (first, *found)


def forbidden_causes(blocked: Blocked, candidate: "Candidate") -> tuple[Cause, ...]:
    """Say which line of modprobe.d forbids a module."""
    is_blacklist = "blacklisted" in blocked.what
    where = f" ({blocked.where})" if blocked.where else ""
    name = shlex.quote(candidate.name)
    command = f"lkm load {name}" if is_blacklist else f"lkm load --ignore-install {name}"
    if blocked.hint and blocked.hint.startswith("lkm unblock "):
        command = blocked.hint.partition(",")[0]  # lkm wrote the line
    identity = "modprobe-blacklist" if is_blacklist else "modprobe-install"
    why = "; that keeps it from being loaded by an alias, not by its name" if is_blacklist else ""
    return (Cause(identity, f"{blocked.what}{where}{why}", (command,), "man 5 modprobe.d"),)


def unpacking_causes(path: str, error: CompressionError) -> tuple[Cause, ...]:
    """Say that a compressed file is damaged, so that modprobe has nothing to hand over."""
    summary = f"the compressed file can't be unpacked ({error.what}): it is damaged or was cut short"
    quoted = shlex.quote(path)
    tools = {".gz": "gzip -t", ".xz": "xz -t", ".zst": "zstd -t"}
    tool = next((command for extension, command in tools.items() if path.endswith(extension)), None)
    return (Cause("damaged-compression", summary, (f"{tool} {quoted}",) if tool else (), "man 8 modprobe"),)


def not_found_causes(target: "CheckTarget", subject: str, name: str) -> tuple[Cause, ...]:
    """Say that nothing is called so, and what is called alike.

    :param name: the module that it leads to
    """
    is_odd = not subject or len(subject) > _LONGEST_SHOWN or not subject.isprintable()
    shown = f"{subject[:_LONGEST_SHOWN]}…" if len(subject) > _LONGEST_SHOWN else subject
    place = target.tree.display_directory
    if name != canonical(subject):
        summary = f"{shown!r} leads to the module {name}, and there is no such module in {place}"
        return (Cause("not-found", summary, (), "man 8 modprobe"),)
    known = {module.name for module in target.tree.modules()} | set(target.profile.module_exports)
    if canonical(subject) in known | set(target.profile.dependencies):
        summary = f"the saved profile knows the module {shown}, but its file is not here: name the file"
        return (Cause("not-found", summary, (f"lkm check /path/to/{shlex.quote(subject)}.ko",), ""),)
    if os.path.isfile(subject):  # noqa: PTH113  pathlib is dear at start-up
        summary = f"no module, alias or built-in is called {shown!r} in {place}, but there is a file of that name"
        return (Cause("not-found", summary, (f"lkm check {shlex.quote(f'./{subject}')}",), ""),)
    alike = similar(subject, known | set(target.profile.builtins)) if not is_odd else ()
    guess = f"; did you mean {' or '.join(alike)}?" if alike else ""
    summary = f"no module, alias or built-in is called {shown!r} in {place}{guess}"
    remedy = () if is_odd else (f"lkm find {shlex.quote(alike[0] if alike else subject)}",)
    return (Cause("not-found", summary, remedy, "man 8 modprobe"),)


def suggestion(target: "CheckTarget", path: str) -> str | None:
    """Give a hint for a path at which there is no file: a file that is called alike, or the tree's module."""
    if os.path.isdir(path):  # noqa: PTH112  pathlib is dear at start-up
        return f"for all modules in it: lkm check {shlex.quote(path.rstrip('/'))}/*.ko"
    if os.path.islink(path) and not os.path.exists(path):  # noqa: PTH110, PTH114  (as above)
        return f"it is a link to {os.readlink(path)}, which is not there"  # noqa: PTH115  (as above)
    if os.path.lexists(path):
        return None
    directory, base = os.path.split(path)
    try:
        names = os.listdir(directory or ".")[:_MOST_NAMES]  # noqa: PTH208  pathlib is dear at start-up
    except (OSError, ValueError):
        names = []
    alike = similar(base, [name for name in names if name.endswith(EXTENSIONS)])
    if alike:
        return f"did you mean {' or '.join(os.path.join(directory, name) for name in alike)}?"  # noqa: PTH118
    name = from_path(path)
    if name and target.tree.module(name):
        return f"for the tree's own module: lkm check {name}"
    return None


# --- notes ------------------------------------------------------------------------------------------------------------


def missing_note(path: str, missing: Sequence[str]) -> tuple[str, ...]:
    """Say which modules of a file's own list are nowhere to be found."""
    notes = []
    for name in missing:
        near = os.path.join(os.path.dirname(path), f"{name}.ko")  # noqa: PTH118, PTH120  pathlib is dear at start-up
        there = os.path.isfile(near)  # noqa: PTH113  (as above)
        shown = shlex.quote(near if there else f"/path/to/{name}.ko")
        notes.append(
            f"it says that it needs {name}, which is not in the module tree: with that loaded first, ask"
            f" lkm check --loaded {shown} {shlex.quote(path)}"
        )
    return tuple(notes)


def parameter_notes(file: "ModuleFile", name: str, verdict: "Verdict") -> tuple[str, ...]:
    """Say which parameters a module that loads does not have: the kernel ignores them."""
    unknown = [match[1] for line in verdict.log if (match := _UNKNOWN_PARAMETER.search(line))]
    if not unknown or not verdict.loads:
        return ()
    known = [parameter.name for parameter in file.image.parameters]
    notes = []
    for parameter in unknown:
        alike = similar(parameter, known)
        guess = f"did you mean {' or '.join(alike)}?" if alike else f"see lkm show --parameters {shlex.quote(name)}"
        notes.append(f"{name} has no parameter {parameter}, so it is ignored: {guess}")
    return tuple(notes)


def tolerated_note(chain: "Chain") -> tuple[str, ...]:
    """Say what failed and does not matter."""
    return tuple(
        f"{failed.name}, which only a soft dependency asks for, does not load: that does not matter"
        for failed in chain.tolerated
    )


def panic_note(before: "KernelState", verdict: "Verdict") -> tuple[str, ...]:
    """Say that the kernel does not survive the taint that an attempt brings (kernel/panic.c ``add_taint``)."""
    brings = verdict.state.taint & ~before.taint | (verdict.record.taints if verdict.record else 0)
    if not brings or not verdict.state.taint & before.panics_on:
        return ()
    return (f"the kernel panics as soon as this taints it: panic_on_taint={before.panics_on:x} is on its command line",)


def blacklist_note(target: "CheckTarget", candidate: "Candidate") -> tuple[str, ...]:
    """Say that a module that was named is blacklisted, which stops others from loading it, not who names it."""
    line = target.resolver.configuration.blacklisted(candidate.name)
    if line is None or candidate.alias is not None:
        return ()
    return (f"{candidate.name} is blacklisted ({line.file}:{line.line}): a device does not get it, who names it does",)


def built_in_note(target: "CheckTarget", name: str) -> tuple[str, ...]:
    """Say how to set parameters of what can't be loaded."""
    if not target.options.parameters:
        return ()
    words = " ".join(f"{name}.{word}" for word in target.options.parameters.split())
    return (f"parameters of a built-in are set on the kernel command line: {words}",)


def already_loaded_note(target: "CheckTarget", name: str) -> tuple[str, ...]:
    """Say that parameters come too late."""
    if not target.options.parameters:
        return ()
    return (f"it keeps the parameters it has: see /sys/module/{name}/parameters",)
