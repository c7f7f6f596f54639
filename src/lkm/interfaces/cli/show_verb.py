"""Tell all about a module: its file, what it says of itself, its parameters, its state, modprobe.d's lines for it."""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.interfaces.cli.output import print_json, print_line, print_table, wants_json
from lkm.rules.effective_lines import Effect

if TYPE_CHECKING:
    from lkm.actions.describe import Description

__all__ = ["add_arguments", "run"]

_OWN_LINES = ("description", "author", "license", "version", "firmware", "import_ns", "softdep", "weakdep", "vermagic")
_MANY_ALIASES = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("names", nargs="+", metavar="NAME|FILE", help="modules, aliases or files")
    parser.add_argument("-p", "--parameters", action="store_true", help="only the parameters")


def run(options: argparse.Namespace, session: Session) -> int:
    """Print each module that the names lead to."""
    from lkm.actions.describe import describe  # noqa: PLC0415  --help needs none

    found = [description for name in options.names for description in describe(session, name)]
    if wants_json(options):
        print_json("show", release=session.tree.release, modules=[_as_json(description) for description in found])
        return 0
    for number, description in enumerate(found):
        if number:
            print()
        if options.parameters:
            _print_parameters(description)
        else:
            _print(description)
    return 0


def _as_json(description: "Description") -> dict[str, object]:
    loaded = description.loaded
    return {
        "name": description.name,
        "alias": description.alias,
        "builtin": description.builtin,
        "file": description.file.display_path if description.file else None,
        "modinfo": [{"key": key, "value": value} for key, value in description.modinfo.fields],
        "depends": list(description.depends),
        "parameters": [
            {
                "name": parameter.name,
                "type": parameter.type,
                "description": parameter.description,
                "permissions": parameter.permissions,
                "value": description.values.get(parameter.name),
            }
            for parameter in description.parameters
        ],
        "loaded": None
        if loaded is None
        else {
            "state": loaded.state,
            "size": loaded.size,
            "refcount": loaded.refcount,
            "used_by": list(loaded.used_by),
            "taints": loaded.taints,
        },
        "configuration": [{"line": line.text, "where": line.where} for line in description.configured],
    }


def _print(description: "Description") -> None:
    _line("module", description.name + (f"   (for {description.alias})" if description.alias else ""))
    if description.builtin:
        _line("file", "none: it is built into the kernel")
    elif description.file:
        _line("file", description.file.display_path)
    for key in _OWN_LINES:
        for value in description.modinfo.all(key):
            _line(key, value)
    if not description.builtin and description.modinfo.first("intree") is None:
        _line("origin", "out of tree: loading it taints the kernel")
    _line("depends", ", ".join(description.depends) or "on no other module")
    _print_aliases(description.modinfo.all("alias"))
    _line("state", _state(description))
    for line in description.configured:
        effect = "" if line.effect is Effect.COUNTS else f"; {line.effect.value}"
        _line("configured", f"{line.text}   ({line.where}{effect})")
    if description.parameters:
        print()
        _print_parameters(description)


def _line(label: str, value: str) -> None:
    print_line(f"{label + ':':13} {value}")


def _print_aliases(aliases: tuple[str, ...]) -> None:
    for alias in aliases[:_MANY_ALIASES]:
        _line("alias", alias)
    if len(aliases) > _MANY_ALIASES:
        _line("alias", f"... and {len(aliases) - _MANY_ALIASES} more (--json lists all)")


def _state(description: "Description") -> str:
    loaded = description.loaded
    if description.builtin:
        return "always there"
    if loaded is None:
        return "not loaded"
    users = f", used by {', '.join(loaded.used_by)}" if loaded.used_by else ""
    count = "" if loaded.refcount is None else f", reference count {loaded.refcount}"
    taints = f", taints {loaded.taints}" if loaded.taints else ""
    return f"{loaded.state.lower()}{count}{users}{taints}"


def _print_parameters(description: "Description") -> None:
    if not description.parameters:
        print_line(f"{description.name} has no parameters")
        return
    rows = [
        (
            parameter.name,
            parameter.type or "?",
            description.values.get(parameter.name) or "-",
            parameter.description or "",
        )
        for parameter in description.parameters
    ]
    print_table(("PARAMETER", "TYPE", "VALUE", "MEANING"), rows)
