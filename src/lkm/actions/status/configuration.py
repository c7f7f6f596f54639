"""The overview's lines on configuration: the block list, what is wanted and not there, the initramfs."""

import os
import shlex

from lkm.actions.finding.devices import Claims, claims_of_all
from lkm.actions.initramfs_drift import drift
from lkm.actions.load_names import does_nothing
from lkm.actions.status.parts import Attention, Fact, Level, Overview, Part
from lkm.errors import LkmError
from lkm.formats.modprobe_conf import Problem, ProblemKind
from lkm.formats.modules_load_conf import Entry
from lkm.rules.configuration_gaps import UNREAD, gaps
from lkm.rules.kernel_blacklist import kernel_blacklist
from lkm.system.configuration import Configuration
from lkm.system.configuration_directories import HOMES
from lkm.system.initramfs_images import find_image
from lkm.system.modules_load import wanted_at_boot
from lkm.system.root import Root

__all__ = ["block_list", "boot_list", "devices", "initramfs"]

_COPIED = tuple(f"{home}/{kind}" for home in HOMES if home != "/run" for kind in ("modprobe.d", "modules-load.d"))
_MOST = 5  # notes of one kind
_WITHOUT_DRIVERS = "/sys/devices/system/"  # processors and their like
_LONGEST_TOLD = 160  # characters of a line that can't be read


# --- the block list ---------------------------------------------------------------------------------------------------


def block_list(overview: Overview) -> Part:
    """Count what modprobe.d and the command line forbid, and tell of lines that can't be read."""
    configuration = overview.session.configuration_with(overview.kernel.profile.command_line)
    blacklisted = sorted({found.module for found in configuration.blacklist})
    refused = sorted({found.module for found in configuration.installs if does_nothing(found.command)})
    forbidden = sorted(set(kernel_blacklist(overview.kernel.cmdline)))
    value = {"blacklist": blacklisted, "install": refused, "module_blacklist": forbidden}
    counts = (
        (len(blacklisted), "blacklisted"),
        (len(refused), "with an install line that refuses"),
        (len(forbidden), "forbidden by module_blacklist="),
    )
    text = ", ".join(f"{count} {words}" for count, words in counts if count) or "empty"
    attention = _unread(overview, configuration)
    loaded = _loaded(overview) or frozenset()
    attention += [
        Attention(
            "blocked-but-loaded",
            Level.NOTE,
            f"{name} is loaded, though an install line refuses it: it was loaded before, or by its file",
            (overview.lkm(f"explain {name}"),),
        )
        for name in sorted(loaded.intersection(refused))[:_MOST]
    ]
    return Part(Fact("block_list", value, text), tuple(attention))


def _unread(overview: Overview, configuration: Configuration) -> list[Attention]:
    """Tell of what could not be read, and of lines that are ignored, of these the first few."""
    remedy = (f"sudo {overview.lkm('status')}",) if os.geteuid() != 0 else ()
    unread = [Attention("unreadable", Level.NOTE, told, remedy) for told in gaps(configuration)]
    bad = [problem for problem in configuration.problems if problem.kind not in UNREAD]
    lines = [
        Attention("bad-line", Level.NOTE, f"{_what(problem)} is ignored: {_why(problem)}", (), _place(problem))
        for problem in bad[:_MOST]
    ]
    if len(bad) > _MOST:
        left = len(bad) - _MOST
        words = "1 more is" if left == 1 else f"{left} more are"
        lines.append(Attention("bad-line", Level.NOTE, f"{words} ignored, of modprobe.d or the kernel command line"))
    return unread + lines


def _why(problem: Problem) -> str:
    """Give modprobe's words for it without the place, which is told beside it."""
    text = problem.text.removeprefix(f"{problem.file} line {problem.line}: ignoring ").removeprefix(f"{problem.file}: ")
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}…"


def _what(problem: Problem) -> str:
    if problem.kind is ProblemKind.BAD_COMMAND_LINE:
        return "a word of the kernel command line"
    return "a line of modprobe.d" if problem.line else "a file of modprobe.d"


def _place(problem: Problem) -> str:
    return f"{problem.file}:{problem.line}" if problem.line else problem.file


def _loaded(overview: Overview) -> frozenset[str] | None:
    """Name what is loaded; None where no kernel runs that could be asked."""
    if not overview.kernel.is_running or not overview.kernel.loads_modules:
        return None
    return frozenset(module.name for module in overview.session.kernel.loaded())


# --- what is wanted and not there -------------------------------------------------------------------------------------


def boot_list(overview: Overview) -> Part:
    """Say which modules of modules-load.d are not there, or not loaded."""
    unread: list[Attention] = []

    def tell(error: LkmError) -> None:
        unread.append(Attention("unreadable", Level.NOTE, f"what a file asks for is not known: {error}"))

    wanted = wanted_at_boot(overview.session.root, overview.kernel.profile.command_line, tell=tell)
    loaded = _loaded(overview)
    attention = [found for entry in wanted for found in _about_wanted(overview, entry, loaded)]
    missing = f", {len(attention)} of them not loaded" if attention else ""
    text = (
        f"{len(wanted)} {'module' if len(wanted) == 1 else 'modules'} of modules-load.d{missing}" if wanted else "none"
    )
    value = [{"name": entry.name, "where": f"{entry.file}:{entry.line}"} for entry in wanted]
    return Part(Fact("boot_list", value, text), (*attention, *unread))


def _about_wanted(overview: Overview, entry: Entry, loaded: frozenset[str] | None) -> list[Attention]:
    where = f"{entry.file}:{entry.line}"
    resolver = overview.session.resolver
    candidates = resolver.lookup(entry.name)
    if not candidates:
        text = f"{entry.name} is to be loaded at boot, and nothing answers to that name"
        return [
            Attention("wanted-unknown", Level.PROBLEM, text, (overview.lkm(f"find {shlex.quote(entry.name)}"),), where)
        ]
    if loaded is None or any(found.builtin or found.name in loaded for found in candidates):
        return []
    name = candidates[0].name
    line = overview.session.configuration.blacklisted(name)
    if line is not None:
        text = f"{name} is to be loaded at boot, and is blacklisted by {line.file}:{line.line}"
        return [Attention("wanted-blacklisted", Level.PROBLEM, text, (overview.lkm(f"explain {name}"),), where)]
    text = f"{name} is to be loaded at boot, and is not loaded"
    return [
        Attention(
            "wanted-not-loaded",
            Level.PROBLEM,
            text,
            (overview.lkm(f"check {name}"), overview.lkm(f"load {name}", changes=True)),
            where,
        )
    ]


def devices(overview: Overview) -> Part:
    """Say which devices have no driver, though a module claims them that is not loaded."""
    session = overview.session
    loaded = _loaded(overview)
    if loaded is None or session.kernel_kind != "live" or not session.root.is_dir("/sys/devices"):
        return Part(
            Fact("devices", None, "not looked at: only those of this machine's own kernel are, if it loads modules")
        )
    claims = claims_of_all(session)
    waiting: dict[str, list[str]] = {}
    for found in claims:
        for module in _missed(found, loaded):
            waiting.setdefault(module, []).append(found.device.path)
    text = f"{len(claims)} with a modalias"
    fact = Fact("devices", {"known": len(claims), "waiting": waiting}, text)
    if not waiting:
        return Part(fact)
    count = len({path for paths in waiting.values() for path in paths})
    names = ", ".join(f"{module} ({paths[0]})" for module, paths in list(waiting.items())[:_MOST])
    rest = f" and {len(waiting) - _MOST} more" if len(waiting) > _MOST else ""
    have = "1 device has" if count == 1 else f"{count} devices have"
    note = f"{have} no driver, and a module that claims it is not loaded: {names}{rest}"
    remedy = (overview.lkm(f"check {next(iter(waiting))}"), overview.lkm("find --all-devices"))
    return Part(fact, (Attention("device-without-driver", Level.NOTE, note, remedy),))


def _missed(found: Claims, loaded: frozenset[str]) -> list[str]:
    """Name the modules that a device lacks; it lacks none where one of those that claim it is there."""
    if found.device.driver is not None or found.device.path.startswith(_WITHOUT_DRIVERS):
        return []
    usable = [claim for claim in found.modules if not (claim.missing or claim.blacklisted)]
    if any(claim.builtin or claim.module in loaded for claim in usable):
        return []
    return [claim.module for claim in usable]


# --- the initramfs ----------------------------------------------------------------------------------------------------


def initramfs(overview: Overview) -> Part:
    """Say whether early boot has an old copy of the configuration."""
    root, release = overview.session.root, overview.kernel.release
    image = find_image(root, release)
    if image is None:
        return Part(Fact("initramfs", None, f"none was found for {release}"))
    if not _touched_since(root, image.time):
        value = {"image": root.display(image.path), "stale": [], "compared": False}
        return Part(Fact("initramfs", value, f"{value['image']}, newer than the configuration"))
    found = drift(overview.session)
    value = {"image": found.image, "stale": [file.path for file in found.files], "compared": found.compared}
    if not found.is_stale:
        return Part(Fact("initramfs", value, f"{found.image}, as the configuration is"))
    paths = ", ".join(f"{file.path} ({file.kind.value})" for file in found.files[:_MOST])
    rest = f" and {len(found.files) - _MOST} more" if len(found.files) > _MOST else ""
    text = f"early boot has another configuration than {overview.session.root.path}: {paths}{rest}"
    if not found.rebuild:
        text += "; build the image anew with the tool that made it, which is not installed here"
    remedy = (f"sudo {found.rebuild}",) if found.rebuild else ()
    differ = "1 file differs" if len(found.files) == 1 else f"{len(found.files)} files differ"
    fact = Fact("initramfs", value, f"{found.image}, {differ}")
    level = Level.PROBLEM if found.compared else Level.NOTE  # times alone say little
    return Part(fact, (Attention("stale-initramfs", level, text, remedy, found.image),))


def _touched_since(root: Root, time: float) -> bool:
    """Tell whether a file of the configuration, or a directory of such files, was changed or put there since a time.

    To unpack an image takes longer than all the rest, and mostly nothing was. The time of the inode counts: a file that
    comes out of an archive keeps its own.
    """
    for directory in _COPIED:
        if root.is_dir(directory):
            paths = (directory, *(f"{directory}/{name}" for name in root.listdir(directory)))
            if any(_changed(root, path) > time for path in paths):
                return True
    return False


def _changed(root: Root, path: str) -> float:
    try:
        return root.stat(path).st_ctime
    except LkmError:
        return 0.0
