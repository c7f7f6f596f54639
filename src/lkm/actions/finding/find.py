"""Finding modules by what they claim, offer, are called, or are built by."""

import fnmatch
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lkm.actions.finding.devices import aliases_of, claims_of_hardware, is_device
from lkm.actions.session import Session
from lkm.errors import Unreadable, UsageError
from lkm.formats import kbuild
from lkm.formats.module_name import canonical
from lkm.formats.requested_aliases import device_numbers, filesystem, hardware_patterns, socket_family
from lkm.system.kernel_config import config_places, read_config

__all__ = ["KINDS", "Found", "find"]

_WILD = "*?["


@dataclass(frozen=True, slots=True)
class Found:
    """One module that was found.

    :param kind: one of :data:`KINDS`
    :param evidence: what shows it, in words
    """

    module: str
    kind: str
    evidence: str
    builtin: bool = False


def find(session: Session, text: str, kinds: tuple[str, ...]) -> tuple[Found, ...]:
    """Look in all places that are asked for, and give each module once a kind.

    :param text: a name, device alias, symbol, path or option; names, symbols and files may have wildcards
    :param kinds: some of :data:`KINDS`; empty means all that the text can be
    :raises UsageError: the text is empty, holds a NUL character, or can't be what is asked for
    :raises TreeMissing, IndexMissing: there is nothing to look in
    """
    if not text or "\0" in text:
        raise UsageError("the text to look for is empty or holds a NUL character")
    session.tree.require_indexes()
    found = [hit for kind in kinds or KINDS for hit in KINDS[kind](session, text, bool(kinds))]
    return tuple(dict.fromkeys(found))


def _by_name(session: Session, text: str, asked: bool) -> Iterator[Found]:  # noqa: FBT001  one shape for all kinds
    del asked
    wanted = canonical(text)
    names = [(module.name, False) for module in session.tree.modules()]
    names += [(name, True) for name in session.tree.builtins]
    for name, builtin in names:
        if _matches(name, wanted):
            yield Found(name, "name", "it is called so", builtin)


def _by_alias(session: Session, text: str, asked: bool) -> Iterator[Found]:  # noqa: FBT001
    del asked
    yield from _claiming(session, text, "alias")


def _claiming(session: Session, alias: str, kind: str, what: str = "") -> Iterator[Found]:
    for candidate in session.resolver.lookup(alias):
        if candidate.alias is not None:
            yield Found(candidate.name, kind, f"it claims {alias}{what}", candidate.builtin)


def _by_device(session: Session, text: str, asked: bool) -> Iterator[Found]:  # noqa: FBT001
    claims = list(claims_of_hardware(session, text))
    for name, alias in claims:
        yield Found(name, "device", f"it claims {alias}", session.tree.is_builtin(name))
    if hardware_patterns(text) and not device_numbers(text):
        return
    if asked or is_device(text.removeprefix(session.root.prefix)):
        for alias, what in aliases_of(session, text):
            yield from _claiming(session, alias, "device", f", {what}")


def _by_filesystem(session: Session, text: str, asked: bool) -> Iterator[Found]:  # noqa: FBT001
    if asked:  # by itself the name of a file system is a module's, and the alias is one
        yield from _claiming(session, filesystem(text), "filesystem")


def _by_socket(session: Session, text: str, asked: bool) -> Iterator[Found]:  # noqa: FBT001
    """Find the module of a socket family, and those of single protocols of it."""
    if not asked and not text.lower().startswith(("af_", "pf_")):
        return
    family = socket_family(text)
    if family is None:
        if asked:
            raise UsageError(f"there is no socket family {text!r}", hint="name a number, or a name such as AF_CAN")
        return
    yield from _claiming(session, family, "socket")
    prefix = canonical(f"{family}-")  # as the indexes spell it
    for index in ("modules.alias", "modules.builtin.alias"):
        for key, value in session.tree.entries(index):
            if key.startswith(prefix):
                name = canonical(value.text)
                yield Found(name, "socket", f"it claims {key.replace('_', '-')}", session.tree.is_builtin(name))


def _by_symbol(session: Session, text: str, asked: bool) -> Iterator[Found]:  # noqa: FBT001
    del asked
    wanted = text.removeprefix("symbol:")
    if not any(character in wanted for character in _WILD):
        for name in session.tree.by_symbol(wanted):
            yield Found(name, "symbol", f"it exports {wanted}")
        return
    for key, value in session.tree.entries("modules.symbols"):
        symbol = key.removeprefix("symbol:")
        if _matches(symbol, wanted):
            yield Found(value.text, "symbol", f"it exports {symbol}")


def _by_file(session: Session, text: str, asked: bool) -> Iterator[Found]:  # noqa: FBT001
    del asked
    prefix = f"{session.tree.directory}/"
    wanted = text.removeprefix(session.tree.root.prefix)
    by_path = session.tree.by_path(wanted) if wanted.startswith("/") else None
    if by_path is not None:
        yield Found(by_path.name, "file", by_path.display_path)
        return
    wanted = wanted.removeprefix(prefix)
    for module in session.tree.modules():
        relative = module.path.removeprefix(prefix)
        if _matches(f"/{relative}", f"*/{wanted}"):
            yield Found(module.name, "file", module.display_path)


def _by_config(session: Session, text: str, asked: bool) -> Iterator[Found]:  # noqa: FBT001
    """Find what a configuration option builds: by the source's Makefiles, else by names that are alike."""
    option = text.removeprefix("CONFIG_")
    if not option.isupper() and not (asked and option):
        return
    value = _config_value(session, option.upper(), required=asked)
    makefiles = list(_built_by(session, option.upper()))
    if makefiles:
        yield from (
            Found(name, "config", f"{path} builds it; CONFIG_{option.upper()}={value}") for name, path in makefiles
        )
        return
    words = set(option.lower().split("_"))
    for module in session.tree.modules():
        parts = set(module.name.lower().split("_"))
        if value != "n" and (module.name.lower() == option.lower() or parts <= words):
            evidence = f"by its name only (no kernel source here to look it up); CONFIG_{option.upper()}={value}"
            yield Found(module.name, "config", evidence)


def _config_value(session: Session, option: str, *, required: bool) -> str:
    tree = session.tree
    config = read_config(tree)
    if config is not None:
        return config[0].get(option, "n")
    if required:
        raise Unreadable(
            f"the configuration of kernel {tree.release} is nowhere",
            where=tree.root.display(config_places(tree)[0]),
            hint="install the kernel's image package, which brings it",
        )
    return "?"


def _built_by(session: Session, option: str) -> Iterator[tuple[str, str]]:
    """Look into the Makefiles beside the sources of the tree's modules; distributions ship few of them."""
    tree = session.tree
    directories = dict.fromkeys(
        module.path.removeprefix(f"{tree.directory}/kernel/").rsplit("/", 1)[0] for module in tree.modules()
    )
    for source in (f"{tree.directory}/source", f"{tree.directory}/build"):
        for directory in directories:
            path = f"{source}/{directory}/Makefile"
            if tree.root.is_file(path):
                built = kbuild.modules_of(tree.root.read_text(path), option)
                yield from ((name, tree.root.display(path)) for name in built if tree.module(name))


def _matches(text: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern) if any(mark in pattern for mark in _WILD) else text == pattern


KINDS: dict[str, Callable[[Session, str, bool], Iterator[Found]]] = {
    "name": _by_name,
    "alias": _by_alias,
    "device": _by_device,
    "filesystem": _by_filesystem,
    "socket": _by_socket,
    "symbol": _by_symbol,
    "file": _by_file,
    "config": _by_config,
}
"""The kinds of look-up by name."""
