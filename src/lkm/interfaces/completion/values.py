"""The words that may stand for a value: modules, parameters, releases and the like, or that it is a file."""

import argparse
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import NamedTuple

__all__ = ["Kind", "System", "Values", "values_for"]

_PLAIN = re.compile(r"[A-Za-z0-9_.,:=@%+/-]{1,128}")
_MOST = 50_000
_LARGEST = 4 << 20  # bytes of a file of lkm's own


class Kind(Enum):
    """What the shell adds of its own."""

    WORDS = "words"
    FILES = "files"
    DIRECTORIES = "directories"


class Values(NamedTuple):
    """Possible values, with a meaning each, which may be empty.

    :param kind: whether files or directories may stand here, too
    """

    words: Mapping[str, str]
    kind: Kind = Kind.WORDS


class System(NamedTuple):
    """What the words before the cursor say of the system to look at.

    :param verb: the verb; empty before there is one
    :param operands: of the verb, so far
    """

    root: str
    release: str | None
    verb: str
    operands: tuple[str, ...]


def values_for(action: argparse.Action, system: System, current: str) -> Values:
    """Give the values of an option or operand.

    :param current: the beginning of the word at the cursor
    """
    if action.choices is not None:
        return Values({str(choice): _of_choice(action, str(choice)) for choice in action.choices})
    names = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if names == "KERNEL" and ":" in current:
        return Values({}, Kind.DIRECTORIES if current.startswith("emulated:") else Kind.FILES)
    words: dict[str, str] = {}
    kind = Kind.WORDS
    for name in names.split("|"):
        source = _SOURCES.get(_OF_VERB.get((system.verb, name), name))
        if isinstance(source, Kind):
            kind = source
        elif source is not None:
            words.update(_safe(source(system, current)))
    return Values(words, kind)


def _of_choice(action: argparse.Action, choice: str) -> str:
    """Give the help of one action such as ``save`` of ``lkm profile``."""
    listed = getattr(action, "_choices_actions", ())  # argparse keeps the lines of its help there
    return next((found.help or "" for found in listed if found.dest == choice), "")


def _safe(found: Iterable[str]) -> dict[str, str]:
    """Drop what a shell could take for more than a word: files that others wrote name these."""
    return {word: "" for word, _ in zip(filter(_PLAIN.fullmatch, found), range(_MOST), strict=False)}


def _modules(system: System, current: str) -> list[str]:
    """Name the modules of the tree that begin so, from modules.dep alone; ``-`` and ``_`` are the same."""
    from lkm.formats.module_name import from_path  # noqa: PLC0415  only where modules are asked for

    if current.startswith(("/", ".")):
        return []
    wanted = current.replace("-", "_")
    paths = [line.partition(":")[0] for line in _lines(system, "modules.dep")] + _lines(system, "modules.builtin")
    return _as_written((from_path(path) for path in paths if path), wanted, current)


def _loaded(system: System, current: str) -> list[str]:
    del system
    try:
        with open("/proc/modules", encoding="ascii", errors="replace") as file:  # noqa: PTH123  pathlib is dear
            names = [line.split(" ", 1)[0] for line in file]
    except OSError:
        return []
    return _as_written(names, current.replace("-", "_"), current)


def _blocked(system: System, current: str) -> list[str]:
    """Name the modules that lkm's own files keep out: those that unblock lets in again."""
    from lkm.actions.blocking.own_lines import OWN_FILES, blocked_in  # noqa: PLC0415  (as above)
    from lkm.errors import LkmError  # noqa: PLC0415
    from lkm.system.root import Root  # noqa: PLC0415

    root = Root(system.root)
    found: list[str] = []
    for path in OWN_FILES:
        try:
            found += blocked_in(root.read_bytes(path, limit=_LARGEST))
        except LkmError:
            continue  # mostly it is not there
    return _as_written(found, current.replace("-", "_"), current)


def _changes(system: System, current: str) -> list[str]:
    """Give the numbers of the changes in the journal, the newest first."""
    from lkm.errors import LkmError  # noqa: PLC0415  (as above)
    from lkm.system.journal import Journal  # noqa: PLC0415
    from lkm.system.root import Root  # noqa: PLC0415

    try:
        records, _ = Journal(Root(system.root)).records()
    except LkmError:
        return []
    numbers = sorted((record.number for record in records), reverse=True)
    return [str(number) for number in numbers if str(number).startswith(current)]


def _as_written(names: Iterable[str], wanted: str, current: str) -> list[str]:
    """Write those that begin so with dashes where the user wrote them."""
    return [current + name[len(current) :] for name in sorted(set(names)) if name.startswith(wanted)]


def _lines(system: System, name: str) -> list[str]:
    from lkm.errors import LkmError  # noqa: PLC0415  (as above)
    from lkm.system.module_tree import ModuleTree  # noqa: PLC0415
    from lkm.system.root import Root  # noqa: PLC0415

    try:
        root = Root(system.root)
        return root.read_text(f"{ModuleTree(root, system.release).directory}/{name}").splitlines()
    except LkmError:
        return []


def _parameters(system: System, current: str) -> list[str]:
    """Name the parameters of the modules that were named before, as ``NAME=``."""
    from lkm.errors import LkmError  # noqa: PLC0415  (as above)
    from lkm.system.module_tree import ModuleTree  # noqa: PLC0415
    from lkm.system.root import Root  # noqa: PLC0415

    found: list[str] = []
    try:
        tree = ModuleTree(Root(system.root), system.release)
        for name in system.operands:
            module = None if "=" in name else tree.module(name)
            if module is not None:
                found += [f"{parameter.name}=" for parameter in module.image.parameters]
    except LkmError:
        return []
    return [name for name in found if name.startswith(current)]


def _modules_of_load(system: System, current: str) -> list[str]:
    return _parameters(system, current) or _modules(system, current)


def _parameter_names(system: System, current: str) -> list[str]:
    return [name.removesuffix("=") for name in _parameters(system, current)]


def _releases(system: System, current: str) -> list[str]:
    from lkm.system.module_tree import releases  # noqa: PLC0415  (as above)
    from lkm.system.root import Root  # noqa: PLC0415

    return [name for name in releases(Root(system.root)) if name.startswith(current)]


def _kernels(system: System, current: str) -> list[str]:
    names = _releases(system, current) if system.verb == "try" else ["live", "emulated", "emulated:", "vm", "vm:"]
    return [name for name in names if name.startswith(current)]


def _verbs(system: System, current: str) -> list[str]:
    del system
    from lkm.interfaces.cli.front_ends import FRONT_ENDS  # noqa: PLC0415  (as above)
    from lkm.interfaces.cli.verbs import verbs_by_group  # noqa: PLC0415

    verbs = [verb for group in verbs_by_group().values() for verb in group]
    return [verb for verb in (*verbs, *FRONT_ENDS) if verb.startswith(current)]


def _topics(system: System, current: str) -> list[str]:
    del system
    from lkm.interfaces.topics import TOPICS  # noqa: PLC0415  (as above)

    return [topic for topic in TOPICS if topic.startswith(current)]


def _colors(system: System, current: str) -> list[str]:
    del system
    return [word for word in ("auto", "always", "never") if word.startswith(current)]


_SOURCES: Mapping[str, Kind | Callable[[System, str], list[str]]] = {
    **dict.fromkeys(("MODULE", "NAME", "ALIAS", "TEXT_OR_MODULE"), _modules),
    "LOADED": _loaded,
    "BLOCKED": _blocked,
    "CHANGE": _changes,
    "NAME_OR_PARAMETER": _modules_of_load,
    **dict.fromkeys(("PARAM", "PARAM=VALUE", "NAME=VALUE", "NAME[=VALUE]"), _parameters),
    "PARAMETER_NAME": _parameter_names,
    **dict.fromkeys(("KVER", "RELEASE"), _releases),
    "KERNEL": _kernels,
    "VERB": _verbs,
    "TOPIC": _topics,
    "WHEN": _colors,
    **dict.fromkeys(
        ("FILE", "FILE.ko", "PATH", "IMAGE", "VMLINUZ", "CERT", "CERTIFICATE", "KEY", "P7S", "SIG", "LIBRARY", "WHAT"),
        Kind.FILES,
    ),
    "DIR": Kind.DIRECTORIES,
}

_OF_VERB = {  # where one name of a value means something else
    ("unload", "NAME"): "LOADED",
    ("load", "NAME"): "NAME_OR_PARAMETER",
    ("find", "TEXT"): "TEXT_OR_MODULE",
    ("rmmod", "MODULE"): "LOADED",
    ("param", "NAME"): "PARAMETER_NAME",
    ("unblock", "MODULE"): "BLOCKED",
    ("undo", "NUMBER"): "CHANGE",
    ("explain", "DEVICE"): "PATH",
}
