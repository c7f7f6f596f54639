"""List the modules that modprobe.d and the kernel command line keep out, and whether that holds.

A blacklist line alone stops aliases and devices: the module's name, and modules that depend on it, still load it.
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.formats.module_name import canonical
from lkm.interfaces.cli.output import print_json, print_line, print_table, print_text, wants_json

if TYPE_CHECKING:
    from lkm.actions.blocking.listing import BlockedModule

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("names", nargs="*", metavar="MODULE", help="only these")
    parser.add_argument(
        "--check", action="store_true", default=None, help="look for ways that are left, however many modules there are"
    )


def run(options: argparse.Namespace, session: Session) -> int:
    """List; 1 where a module that was named is not kept out."""
    from lkm.actions.blocking.listing import blocked_modules  # noqa: PLC0415  --help needs none
    from lkm.interfaces.cli.progress import progress  # noqa: PLC0415  as above
    from lkm.rules.configuration_gaps import gaps  # noqa: PLC0415

    names = [canonical(name) for name in options.names]
    found = blocked_modules(session, names, prove=options.check, showing=lambda total: progress(total, "planning"))
    notes = gaps(session.configuration_with(""))
    there = {module.name for module in found}
    missing = [name for name in names if name not in there]
    status = 1 if missing or (names and any(module.holds is False for module in found)) else 0
    if wants_json(options):
        print_json("blocked", modules=[_as_json(module) for module in found], missing=missing, notes=list(notes))
        return status
    if found:
        rows = [
            (module.name, _state(module), "; ".join(f"{line} ({where})" for line, where in module.lines))
            for module in found
        ]
        print_table(("MODULE", "KEPT OUT", "BY"), rows)
    elif not names:
        print_line("nothing that can be read keeps a module out" if notes else "nothing keeps a module out")
    for module in found:
        for route in module.routes or ():
            print_line(f"{module.name}: {route.text}")
    for name in missing:
        print_line(f"{name}: nothing keeps it out")
    for note in notes:
        print_text(note, lead="note: ", style="yellow")
    return status


def _state(module: "BlockedModule") -> str:
    if module.loaded:
        return "no, it is loaded"
    if not module.installed:
        return "not installed"
    if module.holds is None:
        return "not looked at"
    return "yes" if module.holds else "in part"


def _as_json(module: "BlockedModule") -> dict[str, object]:
    return {
        "name": module.name,
        "lines": [{"line": line, "where": where} for line, where in module.lines],
        "installed": module.installed,
        "loaded": module.loaded,
        "holds": module.holds,
        "routes": None if module.routes is None else [route._asdict() for route in module.routes],
    }
