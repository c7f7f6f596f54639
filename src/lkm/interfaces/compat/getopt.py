"""Options of a command line, taken apart as getopt_long(3) of the GNU C library does, its error texts included.

Python's own ``getopt`` and ``argparse`` have other texts, and neither lets ``-V`` before a mistake print the version.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["Grammar", "Parsed", "parse"]


class Grammar(NamedTuple):
    """The options of one tool.

    :param short: letters, each followed by ``:`` where it takes an argument, as for getopt(3)
    :param long: long name to the key that stands for it, a letter of ``short`` or a word of its own; with ``:`` at the
        end where it takes an argument
    :param newer: the same for names that kmod 30 does not have: they must be written out, so that its abbreviations and
        its messages stay as they are
    """

    short: str
    long: Mapping[str, str]
    newer: Mapping[str, str] = MappingProxyType({})

    def takes_argument(self, letter: str) -> bool | None:
        """Tell whether a letter takes an argument; None where it is no option."""
        position = -1 if letter == ":" else self.short.find(letter)
        return None if position < 0 else self.short[position + 1 : position + 2] == ":"


class Parsed(NamedTuple):
    """A command line taken apart.

    :param options: (key, argument) in order, the argument empty where the option takes none
    :param operands: what is no option
    :param error: what is wrong, in the C library's words; the options before it are in ``options``
    """

    options: tuple[tuple[str, str], ...]
    operands: tuple[str, ...]
    error: str | None = None


class _Mistake(Exception):
    """An option that is none, or lacks its argument; it never leaves this file."""


def parse(grammar: Grammar, words: Sequence[str], *, in_order: bool = False) -> Parsed:
    """Take a command line apart; operands may stand between options, ``--`` ends the options.

    :param words: without the program's name
    :param in_order: the first operand ends the options too, as with POSIXLY_CORRECT in the environment
    """
    options: list[tuple[str, str]] = []
    operands: list[str] = []
    pending = list(reversed(words))
    try:
        while pending:
            word = pending.pop()
            if word == "--" or (in_order and not _is_option(word)):
                operands.extend(([] if word == "--" else [word]) + pending[::-1])
                break
            if word.startswith("--"):
                options.append(_long(grammar, word[2:], pending))
            elif _is_option(word):
                _letters(grammar, word[1:], pending, options)
            else:
                operands.append(word)
    except _Mistake as mistake:
        return Parsed(tuple(options), tuple(operands), str(mistake))
    return Parsed(tuple(options), tuple(operands))


def _is_option(word: str) -> bool:
    return len(word) > 1 and word.startswith("-")


def _letters(grammar: Grammar, letters: str, pending: list[str], options: list[tuple[str, str]]) -> None:
    """Take ``-abc`` apart; the argument of a letter is the rest of the word, or the next word."""
    for position, letter in enumerate(letters, 1):
        takes_argument = grammar.takes_argument(letter)
        if takes_argument is None:
            raise _Mistake(f"invalid option -- '{letter}'")
        if takes_argument:
            argument = letters[position:]
            if not argument and not pending:
                raise _Mistake(f"option requires an argument -- '{letter}'")
            options.append((letter, argument or pending.pop()))
            return
        options.append((letter, ""))


def _long(grammar: Grammar, text: str, pending: list[str]) -> tuple[str, str]:
    given, equals, argument = text.partition("=")
    name = given if given in grammar.newer else _completed(grammar, given, text)
    key = grammar.newer.get(name) or grammar.long[name]
    if not key.endswith(":"):
        if equals:
            raise _Mistake(f"option '--{name}' doesn't allow an argument")
        return key, ""
    if not equals:
        if not pending:
            raise _Mistake(f"option '--{name}' requires an argument")
        argument = pending.pop()
    return key.removesuffix(":"), argument


def _completed(grammar: Grammar, given: str, text: str) -> str:
    """Find the option that was meant: its whole name, or a beginning that fits one option only."""
    if given in grammar.long:
        return given
    fitting = [name for name in grammar.long if name.startswith(given)]
    if not fitting:
        raise _Mistake(f"unrecognized option '--{text}'")
    # Two names for one option are no ambiguity.
    if len({grammar.long[name] for name in fitting}) > 1:
        choices = " ".join(f"'--{name}'" for name in fitting)
        raise _Mistake(f"option '--{text}' is ambiguous; possibilities: {choices}")
    return fitting[0]
