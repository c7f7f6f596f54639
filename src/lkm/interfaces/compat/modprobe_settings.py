"""The command line of ``modprobe``, and of MODPROBE_OPTIONS before it, as settings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from lkm.interfaces.compat.getopt import Grammar, parse
from lkm.interfaces.compat.messages import Messages, Priority
from lkm.kernels.base import LoadFlags

__all__ = ["Mode", "Settings", "UsageMistake", "read", "words_of"]

_GRAMMAR = Grammar(
    "arw:RibfDcnC:d:S:sqvVh",
    {
        "all": "a",
        "remove": "r",
        "remove-dependencies": "remove-holders",
        "remove-holders": "remove-holders",
        "wait": "w:",
        "resolve-alias": "R",
        "first-time": "first-time",
        "ignore-install": "i",
        "ignore-remove": "i",
        "use-blacklist": "b",
        "force": "f",
        "force-modversion": "force-modversion",
        "force-vermagic": "force-vermagic",
        "show-depends": "D",
        "showconfig": "c",
        "show-config": "c",
        "show-modversions": "modversions",
        "dump-modversions": "modversions",
        "show-exports": "exports",
        "dry-run": "n",
        "show": "n",
        "config": "C:",
        "dirname": "d:",
        "set-version": "S:",
        "syslog": "s",
        "quiet": "q",
        "verbose": "v",
        "version": "V",
        "help": "h",
    },
    newer={"show-alias": "R"},
)
_FLAGS = {
    "f": LoadFlags.IGNORE_MODVERSIONS | LoadFlags.IGNORE_VERMAGIC,
    "force-modversion": LoadFlags.IGNORE_MODVERSIONS,
    "force-vermagic": LoadFlags.IGNORE_VERMAGIC,
}


class Mode(Enum):
    """What is asked for; of several the one that comes first here."""

    CONFIGURATION = auto()
    MODVERSIONS = auto()
    EXPORTS = auto()
    REMOVE = auto()
    INSERT = auto()


_MODES = {"c": Mode.CONFIGURATION, "modversions": Mode.MODVERSIONS, "exports": Mode.EXPORTS, "r": Mode.REMOVE}
_SWITCHES = {
    "a": "use_all",
    "remove-holders": "remove_holders",
    "first-time": "first_time",
    "i": "ignore_commands",
    "b": "use_blacklist",
    "R": "lookup_only",
    "D": "show_depends",
    "n": "dry_run",
    "f": "force",
}


class UsageMistake(Exception):
    """The command line is none, and a message was said. No error of the tree, it ends in ``main``."""


@dataclass(slots=True)
class Settings:
    """What the options say.

    :param exported: options that children of install and remove commands inherit
    :param prints: ``version`` or ``help``: print that and do nothing else
    """

    modes: set[Mode] = field(default_factory=set)
    operands: tuple[str, ...] = ()
    use_all: bool = False
    remove_holders: bool = False
    wait: float = 0.0
    first_time: bool = False
    ignore_commands: bool = False
    use_blacklist: bool = False
    lookup_only: bool = False
    show_depends: bool = False
    dry_run: bool = False
    force: bool = False
    flags: LoadFlags = LoadFlags.NONE
    config_paths: list[str] = field(default_factory=list)
    directory: str | None = None
    release: str | None = None
    exported: list[str] = field(default_factory=list)
    prints: str | None = None

    @property
    def mode(self) -> Mode:
        """The one thing that is done."""
        return next((mode for mode in Mode if mode in self.modes), Mode.INSERT)


def read(messages: Messages, argv: Sequence[str], environment_words: Sequence[str], *, in_order: bool) -> Settings:
    """Read the options in their order.

    :param messages: its verbosity is set
    :param environment_words: what stands in MODPROBE_OPTIONS
    :param in_order: the first operand ends the options
    :raises UsageMistake: there is a mistake, about which a message was said
    """
    settings = Settings()
    parsed = parse(_GRAMMAR, (*environment_words, *argv), in_order=in_order)
    for key, argument in parsed.options:
        if key in {"V", "h"}:
            settings.prints = "version" if key == "V" else "help"
            return settings
        _take(settings, messages, key, argument)
    if parsed.error:
        messages.plain(parsed.error)
        raise UsageMistake
    settings.operands = parsed.operands
    if not parsed.operands and settings.mode is not Mode.CONFIGURATION:
        messages.error("missing parameters. See -h.")
        raise UsageMistake
    return settings


def _take(settings: Settings, messages: Messages, key: str, argument: str) -> None:
    if key in _SWITCHES:
        setattr(settings, _SWITCHES[key], True)
    elif key in _MODES:
        settings.modes.add(_MODES[key])
    settings.flags |= _FLAGS.get(key, LoadFlags.NONE)
    match key:
        case "s" | "q" | "v":
            _speak(messages, key)
            settings.exported.append(f"-{key}")
        case "C":
            settings.config_paths.append(argument)
            settings.exported += ["-C", argument]
        case "w":
            settings.wait = _milliseconds(messages, argument) / 1000
        case "d":
            settings.directory = argument
        case "S":
            settings.release = argument


def _speak(messages: Messages, key: str) -> None:
    if key == "s":
        messages.use_syslog = True
    else:
        messages.shown = Priority.EMERGENCY if key == "q" else messages.shown + 1


def _milliseconds(messages: Messages, text: str) -> int:
    """Read a number as strtoul(3) with base 0 does, but none below 0."""
    digits = text.strip()
    base = 8 if digits.startswith("0") and digits.isdecimal() else 0
    try:
        number = int(digits, base)
    except ValueError:
        number = -1
    if number < 0 or "_" in text or len(text) > 20:
        messages.error(f"unexpected wait value '{text}'.")
        raise UsageMistake
    return number


def words_of(text: str) -> tuple[str, ...]:
    """Part the text of MODPROBE_OPTIONS at spaces; single and double quotes keep spaces, and vanish.

    A quote without its partner stays as it is. kmod 30 (tools/modprobe.c ``prepend_options_from_env``) makes an empty
    word, which can be no module's name, of each space that follows another or a quoted word; there is none here.
    """
    words: list[str] = []
    word = ""
    started = False
    rest = text
    while rest:
        letter, rest = rest[0], rest[1:]
        if letter == " ":
            if started:
                words.append(word)
            word, started = "", False
            continue
        started = True
        inside, quote, after = rest.partition(letter) if letter in "\"'" else ("", "", "")
        if quote:
            word += inside
            rest = after
        else:
            word += letter
    return (*words, word) if started else tuple(words)
