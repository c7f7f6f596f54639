"""The command line of ``depmod`` as settings."""

import os
import re
from collections.abc import Sequence

from lkm.interfaces.compat.getopt import Grammar, parse
from lkm.interfaces.compat.messages import Messages, Priority

__all__ = ["Refused", "Settings", "read"]

_GRAMMAR = Grammar(
    "aAb:m:o:C:E:F:euqrvnP:wVh",
    {
        "all": "a",
        "quick": "A",
        "basedir": "b:",
        "config": "C:",
        "symvers": "E:",
        "filesyms": "F:",
        "errsyms": "e",
        "unresolved-error": "unresolved-error",
        "quiet": "quiet",
        "root": "root",
        "verbose": "v",
        "show": "n",
        "dry-run": "n",
        "symbol-prefix": "P:",
        "warn": "w",
        "map": "map",
        "version": "V",
        "help": "h",
    },
    newer={"moduledir": "m:", "outdir": "o:", "no-cache": "no-cache"},
)
_DEPRECATED = {"u", "unresolved-error", "q", "quiet", "r", "root", "map"}
_SWITCHES = {"a": "all", "A": "quick", "e": "reports_unknown", "n": "texts_only", "w": "warns_of_duplicates"}
_VALUES = {"b": "base", "m": "module_directory", "o": "output", "E": "symvers", "F": "system_map"}
_VERSION_NUMBER = re.compile(r"\s*[+-]?[0-9]+\.\s*[+-]?[0-9]+")


class Refused(Exception):
    """The command line is no command line; the message has been said."""


class Settings:  # dataclasses are dear at start-up
    """What the options say.

    :param files: of these modules the indexes are to be made; none for all of the tree
    :param is_verbose: say who needs whom
    :param prints: ``version`` or ``help``: print that and do nothing else
    """

    release: str = ""
    files: tuple[str, ...] = ()
    all: bool = False
    quick: bool = False
    base: str | None = None
    module_directory: str | None = None
    output: str | None = None
    config_paths: tuple[str, ...] = ()
    symvers: str | None = None
    system_map: str | None = None
    reports_unknown: bool = False
    is_verbose: bool = False
    texts_only: bool = False
    prefix: bytes = b""
    warns_of_duplicates: bool = False
    use_cache: bool = True
    prints: str | None = None


def read(messages: Messages, argv: Sequence[str], *, in_order: bool) -> Settings:
    """Read the options in their order (kmod 30, tools/depmod.c ``do_depmod``).

    :param in_order: the first operand ends the options
    :raises Refused: there is a mistake, about which a message was said
    """
    settings = Settings()
    parsed = parse(_GRAMMAR, argv, in_order=in_order)
    for key, argument in parsed.options:
        if key in {"V", "h"}:
            settings.prints = "version" if key == "V" else "help"
            return settings
        _take(settings, messages, key, argument)
    if parsed.error:
        messages.plain(parsed.error)
        raise Refused
    settings.release, settings.files = _operands(messages, parsed.operands)
    if not settings.files:
        settings.all = True
    return settings


def _operands(messages: Messages, operands: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    if not operands:
        return "", ()
    if not _VERSION_NUMBER.match(operands[0]):
        messages.error(f"Bad version passed {operands[0]}")
        raise Refused
    return operands[0], operands[1:]


def _take(settings: Settings, messages: Messages, key: str, argument: str) -> None:
    if key in _SWITCHES:
        setattr(settings, _SWITCHES[key], True)
    elif key in _VALUES:
        setattr(settings, _VALUES[key], argument)
    elif key in _DEPRECATED:
        messages.say(Priority.WARNING, f"Ignored deprecated option {'-' * min(len(key), 2)}{key}")
    match key:
        case "C":
            settings.config_paths += (argument,)
        case "v":
            settings.is_verbose = True
        case "no-cache":
            settings.use_cache = False
        case "P":
            prefix = os.fsencode(argument)
            if len(prefix) > 1:
                messages.say(Priority.FATAL, "-P only takes a single char")
                raise Refused
            settings.prefix = prefix
