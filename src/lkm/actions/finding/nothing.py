"""Why nothing was found, and what to try instead."""

from collections.abc import Iterator

from lkm.actions.session import Session
from lkm.errors import LkmError
from lkm.formats.module_name import canonical
from lkm.rules.suggestions import similar
from lkm.system.kernel_config import read_config

__all__ = ["why_nothing"]

_STATES = {"y": "what it builds is part of the kernel image", "m": "no module here is called like it"}


def why_nothing(session: Session, text: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Say what may be the reason; nothing where none is known.

    :param text: what was looked for
    :param kinds: as for :func:`lkm.actions.finding.find.find`
    """
    return tuple(_reasons(session, text, kinds))


def _reasons(session: Session, text: str, kinds: tuple[str, ...]) -> Iterator[str]:
    tree = session.tree
    if not kinds or "config" in kinds:
        yield from _option(session, text, asked=bool(kinds))
    if "symbol" in kinds:
        yield "the symbols of the kernel image itself are in no index"
    if kinds and "name" not in kinds and (tree.module(text) or tree.is_builtin(canonical(text))):
        yield f"{text} is a module's name: lkm show {text}"
    if not kinds or "name" in kinds:
        alike = similar(text, [*(module.name for module in tree.modules()), *tree.builtins])
        if alike:
            yield f"did you mean {' or '.join(alike)}?"


def _option(session: Session, text: str, *, asked: bool) -> Iterator[str]:
    option = text.removeprefix("CONFIG_").upper()
    if not asked and text.removeprefix("CONFIG_") != option:
        return
    try:
        found = read_config(session.tree)
    except LkmError:
        return
    if found is None:
        return
    values, where = found
    if option in values:
        value = values[option]
        yield f"{where} has CONFIG_{option}={value}" + (f": {_STATES[value]}" if value in _STATES else "")
    elif asked:
        yield f"{where} does not set CONFIG_{option}"
