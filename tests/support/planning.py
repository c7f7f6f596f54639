"""A module tree as text, a configuration, and what they lead to: for tests of planning."""

from pathlib import Path

from lkm.formats.index_writer import Entry, encode
from lkm.formats.modprobe_conf import parse
from lkm.formats.proc_modules import LoadedModule
from lkm.rules.planning.steps import (
    Absent,
    Insert,
    LoadStep,
    Present,
    Refused,
    Remove,
    RunInstall,
    RunRemove,
    UnloadStep,
)
from lkm.rules.resolving import Candidate, Resolver
from lkm.system.configuration import Configuration
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

__all__ = ["candidate", "loaded", "resolver", "shown"]


def resolver(
    root: Path,
    modules: str = "",
    conf: str = "",
    *,
    aliases: tuple[tuple[str, str], ...] = (),
    symbols: tuple[tuple[str, str], ...] = (),
    builtins: str = "",
    builtin_aliases: tuple[tuple[str, str], ...] = (),
) -> Resolver:
    """Make a tree below a directory, and what answers to names in it.

    :param modules: modules.dep without extensions: ``"b: a\\na:"``
    :param conf: a file of modprobe.d
    """
    directory = root / "lib/modules/1.0"
    directory.mkdir(parents=True)
    rows = "".join(
        " ".join(f"{word.removesuffix(':')}.ko{':' * word.endswith(':')}" for word in line.split()) + "\n"
        for line in modules.splitlines()
        if line.strip()
    )
    (directory / "modules.dep").write_text(rows)
    (directory / "modules.builtin").write_text("".join(f"kernel/{name}.ko\n" for name in builtins.split()))
    for index, entries in (
        ("alias", aliases),
        ("symbols", tuple((f"symbol:{symbol}", name) for symbol, name in symbols)),
        ("builtin.alias", builtin_aliases),
    ):
        if entries:
            data = encode(Entry(key, name, number) for number, (key, name) in enumerate(entries))
            (directory / f"modules.{index}.bin").write_bytes(data)
    directives, problems = parse(conf.encode(), "test.conf")
    assert problems == ()
    return Resolver(ModuleTree(Root(str(root)), "1.0"), Configuration(directives))


def candidate(names: Resolver, name: str) -> Candidate:
    """Give the only module that a name leads to."""
    (found,) = names.lookup(name)
    return found


def loaded(text: str) -> dict[str, LoadedModule]:
    """Make the kernel's modules from lines such as ``a 2 b``: name, reference count, users."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return {name: LoadedModule(name, 4096, int(count), tuple(users)) for name, count, *users in rows}


def shown(steps: tuple[LoadStep, ...] | tuple[UnloadStep, ...]) -> list[str]:
    """Give steps as short texts; ``?`` marks those that may fail."""
    return [_shown(step) + "?" * (not step.required) for step in steps]


def _shown(step: LoadStep | UnloadStep) -> str:
    match step:
        case Insert():
            return f"insert {step.name} {step.parameters}".rstrip()
        case RunInstall():
            return f"run {step.shell}"
        case Present():
            return f"{'builtin' if step.builtin else 'present'} {step.name}"
        case Absent():
            return f"absent {step.name}"
        case Remove():
            return f"{'leftover' if step.leftover else 'remove'} {step.name}"
        case RunRemove():
            return f"run {step.command}"
        case Refused():
            return f"{step.name} is {step.obstacle.value}"
