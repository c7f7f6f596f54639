"""What the words before the cursor leave to be said: which option waits for a value, which operand comes next."""

import argparse
from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["Place", "actions_of", "groups_of", "place_of", "subparsers_of"]


class Place(NamedTuple):
    """Where in a command line the cursor is.

    :param parser: the innermost one, that of an action such as ``lkm profile save``
    :param action: what the word at the cursor will be; None where nothing more is taken
    :param options: whether an option may stand here
    :param operands: the operands so far
    """

    parser: argparse.ArgumentParser
    action: argparse.Action | None
    options: bool
    operands: tuple[str, ...]


def actions_of(parser: argparse.ArgumentParser) -> tuple[argparse.Action, ...]:
    """Give the options and operands that a parser takes, in the order in which they were declared."""
    return tuple(parser._actions)  # noqa: SLF001  argparse can't be asked in another way


def groups_of(parser: argparse.ArgumentParser) -> tuple[tuple[str, tuple[argparse.Action, ...]], ...]:
    """Give the titles under which help shows the options and operands, with these."""
    groups = parser._action_groups  # noqa: SLF001  (as above)
    return tuple((group.title or "", tuple(group._group_actions)) for group in groups)  # noqa: SLF001  (as above)


def subparsers_of(action: argparse.Action) -> Mapping[str, argparse.ArgumentParser]:
    """Give the parsers that an action chooses from; empty where it is none of that kind."""
    choices = action.choices
    if isinstance(choices, Mapping) and all(isinstance(found, argparse.ArgumentParser) for found in choices.values()):
        return choices
    return {}


def place_of(parser: argparse.ArgumentParser, words: Sequence[str]) -> Place:
    """Follow the words before the cursor."""
    waiting: argparse.Action | None = None
    options = True
    operands: list[str] = []
    for word in words:
        if waiting is not None:
            waiting = None
        elif word == "--" and options:
            options = False
        elif options and word.startswith("-") and len(word) > 1:
            waiting = _waiting(parser, word)
        else:
            inner = subparsers_of(_operand(parser, len(operands)) or _NOTHING).get(word)
            operands = [*operands, word] if inner is None else []
            parser = inner or parser
    if waiting is not None:
        return Place(parser, waiting, options=False, operands=tuple(operands))
    return Place(parser, _operand(parser, len(operands)), options, tuple(operands))


_NOTHING = argparse.Action([], "nothing")


def _waiting(parser: argparse.ArgumentParser, word: str) -> argparse.Action | None:
    """Give the option that takes the next word as its value."""
    name, equals, _ = word.partition("=")
    found = next((action for action in actions_of(parser) if name in action.option_strings), None)
    return found if found is not None and found.nargs != 0 and not equals else None


def _operand(parser: argparse.ArgumentParser, number: int) -> argparse.Action | None:
    """Give what the operand of this number is for."""
    taken = 0
    for action in actions_of(parser):
        if action.option_strings or action.help == argparse.SUPPRESS:
            continue
        if action.nargs in {"*", "+", argparse.REMAINDER, argparse.PARSER}:
            return action
        taken += action.nargs if isinstance(action.nargs, int) else 1
        if taken > number:
            return action
    return None
