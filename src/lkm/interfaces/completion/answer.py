"""``lkm __complete SHELL WORD...``: what the word at the cursor, the last one, may become; for the shells' scripts.

The first line says what the shell adds: ``words`` nothing, ``files`` or ``directories`` those. Each of the others is a
word, a tab and its meaning.
"""

import argparse
from collections.abc import Mapping, Sequence

from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.completion.grammar import actions_of, place_of
from lkm.interfaces.completion.values import System, Values, values_for

__all__ = ["answer", "main"]

_LONGEST_MEANING = 100
_OPERANDS = {  # of the front-ends; of the others modules
    "insmod": "FILE",
    "sign-file": "FILE",
    "depmod": "RELEASE",
    "lsmod": "",
    "kmod": "",
    "modprobe": "NAME|PARAM",
}
_BREAKS = frozenset(":=")


def main(words: Sequence[str]) -> int:
    """Print the answer.

    :param words: the shell's name, and the words of the command line behind ``lkm`` up to the cursor
    """
    shell, *rest = words or ("",)
    raw = rest or [""]
    joined = _rejoined(raw) if shell == "bash" else list(raw)
    found = answer(joined)
    there = _kept_by_shell(joined[-1], raw[-1]) if shell == "bash" else 0
    lines = [f"{word[there:]}\t{_meaning(text)}" for word, text in found.words.items() if word[there:]]
    print("\n".join([found.kind.value, *lines]))
    return 0


def _kept_by_shell(joined: str, raw: str) -> int:
    """Give the length of what bash keeps in front of the piece that it replaces; a break itself is kept, too."""
    return len(joined) if raw and _BREAKS.issuperset(raw) else len(joined) - len(raw)


def _rejoined(words: Sequence[str]) -> list[str]:
    """Put together what bash parts at ``=`` and ``:`` (COMP_WORDBREAKS)."""
    found: list[str] = []
    glue = False
    for word in words:
        is_break = bool(word) and _BREAKS.issuperset(word)
        if found and (glue or is_break):
            found[-1] += word
        else:
            found.append(word)
        glue = is_break
    return found


def _meaning(text: str) -> str:
    plain = " ".join(text.split())
    return "".join(filter(str.isprintable, plain))[:_LONGEST_MEANING]


def answer(words: Sequence[str]) -> Values:
    """Give what the last word may become, whole words, sorted as they should be shown.

    :param words: at least one, which may be empty
    """
    from lkm.interfaces.cli.verbs import main_parser  # noqa: PLC0415  the front-ends need no argparse

    *before, current = words
    place = _verb_place(before)
    if place is None:
        return _of_parser(main_parser(), before, current, ())
    verb, rest = before[place], before[place + 1 :]
    if verb in FRONT_ENDS:
        return _of_front_end(verb, rest, current)
    from lkm.interfaces.cli.parsers import verb_parser  # noqa: PLC0415  (as above)
    from lkm.interfaces.cli.verbs import verbs_by_group  # noqa: PLC0415

    if not any(verb in group for group in verbs_by_group().values()):
        return Values({})
    return _of_parser(verb_parser(verb), rest, current, before)


def _verb_place(words: Sequence[str]) -> int | None:
    """Find the verb behind the global options."""
    from lkm.interfaces.cli.parsers import global_options  # noqa: PLC0415  (as above)

    taking = {name for action in actions_of(global_options()) if action.nargs != 0 for name in action.option_strings}
    skip = False
    for place, word in enumerate(words):
        if skip:
            skip = False
        elif word in taking:
            skip = True
        elif not word.startswith("-"):
            return place
    return None


def _of_parser(parser: argparse.ArgumentParser, words: Sequence[str], current: str, before: Sequence[str]) -> Values:
    place = place_of(parser, words)
    verb = parser.prog.removeprefix("lkm").strip()
    system = _system(before or words, verb, place.operands)
    if place.options and current.startswith("--") and "=" in current:
        return _of_glued_option(place.parser, current, system)
    if place.options and current.startswith("-"):
        return Values(_options(place.parser, current))
    action = place.action
    if action is None:
        return Values({})
    if not verb and not action.option_strings:
        return Values(_verbs(current))
    found = values_for(action, system, current)
    return Values({word: text for word, text in found.words.items() if word.startswith(current)}, found.kind)


def _of_glued_option(parser: argparse.ArgumentParser, current: str, system: System) -> Values:
    """Complete the value in ``--option=value``."""
    name, _, value = current.partition("=")
    action = next((action for action in actions_of(parser) if name in action.option_strings), None)
    if action is None or action.nargs == 0:
        return Values({})
    found = values_for(action, system, value)
    words = {f"{name}={word}": text for word, text in found.words.items() if word.startswith(value)}
    return Values(words, found.kind)


def _options(parser: argparse.ArgumentParser, current: str) -> Mapping[str, str]:
    shown = [action for action in actions_of(parser) if action.option_strings and action.help != argparse.SUPPRESS]
    return {
        name: action.help or ""
        for action in shown
        for name in action.option_strings
        if name.startswith(current) and (name.startswith("--") or len(action.option_strings) == 1 or current != "--")
    }


def _verbs(current: str) -> Mapping[str, str]:
    from lkm.interfaces.cli.verbs import verbs_by_group  # noqa: PLC0415  (as above)

    verbs = {verb: text for group in verbs_by_group().values() for verb, text in group.items()}
    tools = {tool: f"as {tool} of kmod" for tool in FRONT_ENDS}
    return {verb: text for verb, text in (verbs | tools).items() if verb.startswith(current)}


def _system(words: Sequence[str], verb: str, operands: tuple[str, ...]) -> System:
    """Read ``--root`` and ``--release``, or their variables in the environment."""
    from lkm.interfaces.target import target_from_environment  # noqa: PLC0415  (as above)

    target = target_from_environment()
    given: dict[str, str] = {}
    for name in ("--root", "--release"):
        for place, word in enumerate(words):
            if word.startswith(f"{name}="):
                given[name] = word.partition("=")[2]
            elif word == name and place + 1 < len(words):
                given[name] = words[place + 1]
    root, release = given.get("--root") or target.root, given.get("--release") or target.release
    return System(root, release, verb, operands)


def _of_front_end(tool: str, words: Sequence[str], current: str) -> Values:
    """Complete for a front-end: its options as its help has them, and modules or files."""
    from lkm.interfaces.front_end_help import help_of, options_in  # noqa: PLC0415  (as above)

    options = options_in(help_of(tool))
    if current.startswith("-"):
        known = {name: option.meaning for option in options for name in option.names}
        return Values({name: text for name, text in known.items() if name.startswith(current)})
    waiting = next((option for option in options if option.value and words and words[-1] in option.names), None)
    removes = tool == "modprobe" and any(word in {"-r", "--remove"} for word in words)
    metavar = waiting.value if waiting else "LOADED" if removes else _OPERANDS.get(tool, "MODULE")
    metavar = {"VERSION": "RELEASE", "MSEC": ""}.get(metavar, metavar)
    action = argparse.Action([], "operand", metavar=metavar)
    operands = tuple(word for word in words if not word.startswith("-"))
    found = values_for(action, _system((), tool, operands), current)
    return Values({word: text for word, text in found.words.items() if word.startswith(current)}, found.kind)
