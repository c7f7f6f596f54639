"""Show which modules are loaded at boot and what asks for them, or have modules loaded at boot, or no more.

What counts are the files of modules-load.d, as systemd reads them, and modules_load= on the kernel command line; what
a device or an initramfs brings is not in question. lkm writes a file of its own: /etc/modules-load.d/lkm-boot.conf.
"""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.interfaces.cli import changing
from lkm.interfaces.cli.output import print_json, print_line, print_table, wants_json
from lkm.interfaces.cli.shown_commands import shown_command

if TYPE_CHECKING:
    from lkm.actions.boot.changing import Added, Kept, Removed
    from lkm.actions.boot.listing import BootEntry, BootList, Mention
    from lkm.actions.changes.applying import ChangeOutcome
    from lkm.actions.initramfs_drift import Drift

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    # Global options may stand behind the action, too.
    common = argparse.ArgumentParser(add_help=False, parents=[parser])
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|add|remove")
    actions.add_parser("list", help="show what is loaded at boot", parents=[common], add_help=False)
    add = actions.add_parser("add", help="have modules loaded at boot", parents=[common], add_help=False)
    add.add_argument("names", nargs="+", metavar="NAME", help="modules or aliases")
    add.add_argument("--unchecked", action="store_true", help="take names that no module answers to yet")
    changing.add_change_options(add)
    remove = actions.add_parser("remove", help="have them loaded no more", parents=[common], add_help=False)
    remove.add_argument("names", nargs="+", metavar="NAME", help="as they are asked for")
    remove.add_argument(
        "--mask", action="store_true", help="hide a package's file that asks for one; its other lines move to lkm's"
    )
    changing.add_change_options(remove)


def run(options: argparse.Namespace, session: Session) -> int:
    """List, add or remove."""
    if options.action == "list":
        return _list(options, session)
    return _add(options, session) if options.action == "add" else _remove(options, session)


# --- list -------------------------------------------------------------------------------------------------------------


def _list(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.boot.listing import list_boot  # noqa: PLC0415  --help needs none

    found = list_boot(session)
    if wants_json(options):
        print_json(
            "boot",
            modules=[_entry_as_json(entry) for entry in found.entries],
            hidden=[
                {"file": file.path, "hidden_by": file.by, "masked": file.masked, "names": list(file.names)}
                for file in found.hidden
            ],
            problems=list(found.problems),
        )
    else:
        _print_list(found)
    return 0


def _entry_as_json(entry: "BootEntry") -> dict[str, object]:
    return {
        "name": entry.mention.name,
        "where": entry.mention.where,
        "fate": entry.resolved.fate.name.lower(),
        "modules": list(entry.resolved.modules),
        "reason": entry.resolved.reason or None,
        "loaded": entry.loaded,
        "also": entry.also or None,
    }


def _print_list(found: "BootList") -> None:
    if found.entries:
        rows = [(entry.mention.name, _state(entry), entry.mention.where, _note(entry)) for entry in found.entries]
        print_table(("NAME", "AT BOOT", "ASKED FOR BY", "NOTE"), rows)
    else:
        print_line("no file of modules-load.d asks for a module, and neither does the kernel command line")
    for file in found.hidden:
        how = "masked by" if file.masked else "hidden by"
        names = f" (it asks for {', '.join(file.names)})" if file.names else ""
        print_line(f"not read: {file.path}, {how} {file.by}{names}")
    for problem in found.problems:
        print_line(f"note: {problem}", "yellow")


def _state(entry: "BootEntry") -> str:
    from lkm.actions.boot.resolving import Fate  # noqa: PLC0415  as above

    match entry.resolved.fate:
        case Fate.LOADS:
            now = "" if entry.loaded is None else "; loaded now" if entry.loaded else "; not loaded now"
            return f"loads{now}"
        case Fate.BUILT_IN:
            return "built in"
        case Fate.BLOCKED:
            return "blocked"
        case Fate.MISSING:
            return "missing"
    return "unknown"


def _note(entry: "BootEntry") -> str:
    notes = [entry.resolved.reason] if entry.resolved.reason else []
    if entry.resolved.modules and entry.resolved.modules != (entry.mention.name.replace("-", "_"),):
        notes.append(f"it stands for {', '.join(entry.resolved.modules)}")
    if entry.also:
        notes.append(f"asked for before by {entry.also}")
    return "; ".join(notes)


# --- add --------------------------------------------------------------------------------------------------------------


def _add(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.boot.changing import add  # noqa: PLC0415  as above

    words = ["boot", "add", *(["--unchecked"] if options.unchecked else []), *options.names]
    found, outcome = add(
        session,
        options.names,
        changing.command_line(session, *words),
        unchecked=options.unchecked,
        dry_run=options.dry_run,
    )
    stale = _drift(options, session, outcome)
    if wants_json(options):
        print_json(
            "boot",
            added=[_added_as_json(added) for added in found],
            **changing.outcome_as_json(session, outcome, dry_run=options.dry_run),
            initramfs=changing.drift_as_json(stale),
        )
        return 0
    for added in found:
        print_line(f"{added.name}: {_told_of(added, session, dry_run=options.dry_run)}")
    changing.print_outcome(session, outcome, dry_run=options.dry_run)
    changing.print_drift(stale, about_modules=False)
    return 0


def _added_as_json(added: "Added") -> dict[str, object]:
    return {
        "name": added.name,
        "fate": added.resolved.fate.name.lower(),
        "modules": list(added.resolved.modules),
        "reason": added.resolved.reason or None,
        "asked_for_by": added.present or None,
        "written": added.written,
    }


def _told_of(added: "Added", session: Session, *, dry_run: bool) -> str:
    from lkm.actions.boot.resolving import Fate  # noqa: PLC0415  as above

    if added.resolved.fate is Fate.BUILT_IN:
        return "nothing to do, it is part of the kernel image"
    warning = f"; but {added.resolved.reason}" if added.resolved.reason else ""
    if added.present:
        return f"nothing to do, it is asked for by {added.present}{warning}"
    loads = added.resolved.fate is Fate.LOADS
    if dry_run:
        return f"would be {'loaded' if loads else 'asked for'} at every boot{warning}"
    if not loads:
        return f"asked for at every boot from now on{warning}"
    now = f"; to load it now: {shown_command(session, 'load', added.name)}" if session.kernel_is_of_root else ""
    return f"loaded at every boot from now on{now}"


# --- remove -----------------------------------------------------------------------------------------------------------


def _remove(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.boot.changing import remove  # noqa: PLC0415  as above

    words = ["boot", "remove", *(["--mask"] if options.mask else []), *options.names]
    found, outcome = remove(
        session, options.names, changing.command_line(session, *words), mask=options.mask, dry_run=options.dry_run
    )
    stale = _drift(options, session, outcome)
    status = 1 if any(removed.kept for removed in found) else 0
    if wants_json(options):
        print_json(
            "boot",
            removed=[_removed_as_json(removed) for removed in found],
            **changing.outcome_as_json(session, outcome, dry_run=options.dry_run),
            initramfs=changing.drift_as_json(stale),
        )
        return status
    for removed in found:
        for line in _lines_about(removed, session, dry_run=options.dry_run):
            print_line(f"{removed.name}: {line}")
    changing.print_outcome(session, outcome, dry_run=options.dry_run)
    changing.print_drift(stale, about_modules=False)
    return status


def _removed_as_json(removed: "Removed") -> dict[str, object]:
    return {
        "name": removed.name,
        "taken": list(removed.taken),
        "kept": [{"where": mention.where, "why": why.name.lower()} for mention, why in removed.kept],
        "masked": [{"file": file, "moved": list(others)} for file, others in removed.masked],
        "alike": list(removed.alike),
    }


def _lines_about(removed: "Removed", session: Session, *, dry_run: bool) -> Iterable[str]:
    if not removed.taken and not removed.kept:
        alike = f" (did you mean {' or '.join(removed.alike)}?)" if removed.alike else ""
        yield f"nothing to do, nothing asks for it at boot{alike}"
    will = "would be" if dry_run else "is"
    masked = [file for file, _ in removed.masked]
    for where in removed.taken:
        if not where.startswith(tuple(masked)) or not masked:
            yield f"the line {where} {will} taken out"
    for file, others in removed.masked:
        rest = f"; what else it asks for {will} in lkm's file: {', '.join(others)}" if others else ""
        yield f"{file} {will} hidden by a link to /dev/null{rest}"
    for mention, why in removed.kept:
        yield f"{mention.where} still asks for it: {_what_to_do(removed, mention, why, session)}"


def _what_to_do(removed: "Removed", mention: "Mention", why: "Kept", session: Session) -> str:
    from lkm.actions.boot.changing import Kept, editable  # noqa: PLC0415  as above

    if why is Kept.COMMAND_LINE:
        return "take it out of modules_load= in the boot loader's configuration"
    if why is Kept.ADMINISTRATORS:
        return f"it is not lkm's, take line {mention.line} out of {editable(session, mention)} with an editor"
    return f"the file is a package's; to hide it: {shown_command(session, 'boot', 'remove', '--mask', removed.name)}"


def _drift(options: argparse.Namespace, session: Session, outcome: "ChangeOutcome") -> "Drift | None":
    if options.dry_run:
        return None
    return changing.drift_for(session, [file.path for file in outcome.files])
