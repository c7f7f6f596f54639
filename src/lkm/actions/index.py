"""Writing the indexes of a module tree, by which names, aliases and symbols are found."""

import os
from collections.abc import Iterable

from lkm.formats.index_writer import Entry, encode
from lkm.formats.module_name import EXTENSIONS
from lkm.rules.symbol_dependencies import load_order, symbol_owners, users_to_needed
from lkm.system.atomic import write_atomically
from lkm.system.module_file import ModuleFile
from lkm.system.module_tree import ModuleTree

__all__ = ["write_indexes"]

_SKIPPED = ("build", "source")


def write_indexes(tree: ModuleTree) -> tuple[str, ...]:
    """Write modules.dep, modules.alias, modules.symbols, modules.softdep and the binary forms.

    :returns: the names of the files, in the order of writing
    :raises Unreadable: a module can't be read
    :raises Loop: modules need each other
    """
    modules = {module.name: module for module in map(tree.by_file, _files(tree))}
    files = {**_dependencies(tree, modules), **_claims(modules), **_builtins(tree)}
    for name, data in files.items():
        write_atomically(tree.root.host_path(f"{tree.directory}/{name}"), data)
    return tuple(files)


def _files(tree: ModuleTree) -> list[str]:
    """List the module files below the tree, relative to it, sorted."""
    found: list[str] = []
    pending = [""]
    while pending:
        directory = pending.pop()
        for name in tree.root.listdir(f"{tree.directory}/{directory}"):
            relative = f"{directory}{name}"
            if tree.root.is_dir(f"{tree.directory}/{relative}"):
                if relative not in _SKIPPED:
                    pending.append(f"{relative}/")
            elif name.endswith(EXTENSIONS):
                found.append(relative)
    return sorted(found, key=os.fsencode)


def _dependencies(tree: ModuleTree, modules: dict[str, ModuleFile]) -> dict[str, bytes]:
    exports = {name: [export.name for export in module.image.exports] for name, module in modules.items()}
    imports = {name: [wanted.name for wanted in module.image.imports] for name, module in modules.items()}
    owners = symbol_owners(exports.items())
    needed = users_to_needed(imports, owners)
    relative = {name: module.path.removeprefix(f"{tree.directory}/") for name, module in modules.items()}
    rows = {
        name: " ".join([f"{relative[name]}:", *(relative[other] for other in reversed(load_order(name, needed)))])
        for name in modules
    }
    symbols = [(f"symbol:{symbol}", owner) for symbol, owner in owners.items()]
    return {
        "modules.dep": _lines(rows.values()),
        "modules.dep.bin": encode(Entry(name, row, number) for number, (name, row) in enumerate(rows.items())),
        "modules.symbols": _lines(
            ["# Aliases for symbols, used by symbol_request().", *(f"alias {key} {owner}" for key, owner in symbols)]
        ),
        "modules.symbols.bin": encode(Entry(key, owner) for key, owner in symbols),
    }


def _claims(modules: dict[str, ModuleFile]) -> dict[str, bytes]:
    aliases = [
        (alias.replace("-", "_"), name, number)
        for number, (name, module) in enumerate(modules.items())
        for alias in module.image.modinfo.all("alias")
    ]
    softdeps = [
        f"softdep {name} {text}" for name, module in modules.items() for text in module.image.modinfo.all("softdep")
    ]
    return {
        "modules.alias": _lines(
            ["# Aliases extracted from modules themselves.", *(f"alias {alias} {name}" for alias, name, _ in aliases)]
        ),
        "modules.alias.bin": encode(Entry(*alias) for alias in aliases),
        "modules.softdep": _lines(["# Soft dependencies extracted from modules themselves.", *softdeps]),
    }


def _builtins(tree: ModuleTree) -> dict[str, bytes]:
    return {"modules.builtin.bin": encode(Entry(name, "") for name in tree.builtins)}


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
