"""The manual pages by their file names: lkm(1), one for each verb and front-end, and lkm-TOPIC(7)."""

import argparse
from collections.abc import Iterable

from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.cli.parsers import verb_parser
from lkm.interfaces.cli.verbs import EPILOG, main_parser, verbs_by_group
from lkm.interfaces.completion.grammar import actions_of, groups_of, subparsers_of
from lkm.interfaces.front_end_help import help_of, options_in
from lkm.interfaces.manual.roff import bold, escaped, heading, item, paragraphs, title
from lkm.interfaces.topics import TOPICS

__all__ = ["pages"]

_MANUAL = "Linux kernel modules"
_EXIT = "exit status: "
_LONGEST_CHOICES = 40
_GLOBAL = "global options"
_HELP = "show this help message and exit"


def pages() -> dict[str, str]:
    """Give the text of each page by its file name, as in ``lkm-load.1``."""
    from lkm import __version__ as version  # noqa: PLC0415  a property of the package

    verbs = {verb: text for group in verbs_by_group().values() for verb, text in group.items()}
    found = {"lkm.1": _command(version)}
    found |= {f"lkm-{verb}.1": _verb(verb, summary, version) for verb, summary in verbs.items()}
    found |= {f"lkm-{tool}.1": _front_end(tool, version) for tool in FRONT_ENDS}
    return found | {f"lkm-{name}.7": _topic(name, version, verbs) for name in TOPICS}


def _command(version: str) -> str:
    parts = [title("lkm", 1, version, _MANUAL), _name("lkm", "the toolkit for Linux loadable kernel modules")]
    parts += [heading("SYNOPSIS"), _usage("lkm [OPTION...] VERB [ARGUMENT...]")]
    parts += [heading("VERBS")]
    for group, verbs in verbs_by_group().items():
        parts.append(heading(group, level=2))
        parts += [item(_page(f"lkm-{verb}", 1), summary) for verb, summary in verbs.items()]
    parts += [heading("FRONT-ENDS"), *(item(_page(f"lkm-{tool}", 1), _as_tool(tool)) for tool in FRONT_ENDS)]
    parts += [heading("TOPICS"), *(item(_page(f"lkm-{name}", 7), topic.title) for name, topic in TOPICS.items())]
    parts.append(_options(main_parser()))
    description, _, status = EPILOG.partition(_EXIT)
    parts += [heading("NOTES"), paragraphs(description), heading("EXIT STATUS"), paragraphs(status)]
    return "".join(parts)


def _verb(verb: str, summary: str, version: str) -> str:
    parser = verb_parser(verb)
    text, _, status = (parser.description or summary).partition(_EXIT)
    parts = [title(f"lkm-{verb}", 1, version, _MANUAL), _name(f"lkm-{verb}", summary), heading("SYNOPSIS")]
    parts += [_usage(line) for line in _usages(parser)]
    parts += [heading("DESCRIPTION"), paragraphs(text), _operands(parser), _actions(parser), _options(parser)]
    if status:
        parts += [heading("EXIT STATUS"), paragraphs(status)]
    topics = [name for name, topic in TOPICS.items() if verb in topic.verbs]
    parts.append(_see_also([("lkm", 1), *((f"lkm-{name}", 7) for name in topics)]))
    return "".join(parts)


def _front_end(tool: str, version: str) -> str:
    text = help_of(tool)
    usages = [line.strip() for line in text.splitlines() if line.startswith((f"\t{tool}", "Usage: ", "       scripts"))]
    parts = [title(f"lkm-{tool}", 1, version, _MANUAL), _name(f"lkm-{tool}", _as_tool(tool)), heading("SYNOPSIS")]
    parts += [_usage(f"lkm {line.removeprefix('Usage: ').removeprefix('scripts/')}") for line in usages]
    parts += [heading("DESCRIPTION"), paragraphs(_FRONT_END.format(tool=tool))]
    options = options_in(text)
    if options:
        parts.append(heading("OPTIONS"))
        parts += [item(_tag(option.names, option.value), option.meaning) for option in options]
    parts.append(_see_also([("lkm", 1), ("lkm-links", 1), (tool, 8)] if tool != "sign-file" else [("lkm-sign", 1)]))
    return "".join(parts)


_FRONT_END = """\
Takes the arguments of {tool}, prints what it prints and ends as it ends. A link of the name {tool} to lkm does the same
(see lkm-links).

LKM_ROOT, LKM_RELEASE and LKM_KERNEL in the environment name another root directory, kernel release, or kernel.
"""


def _topic(name: str, version: str, verbs: Iterable[str]) -> str:
    topic = TOPICS[name]
    parts = [title(f"lkm-{name}", 7, version, _MANUAL), _name(f"lkm-{name}", topic.title)]
    parts += [heading("DESCRIPTION"), paragraphs(topic.text)]
    parts.append(_see_also([("lkm", 1), *((f"lkm-{verb}", 1) for verb in topic.verbs if verb in set(verbs))]))
    return "".join(parts)


def _as_tool(tool: str) -> str:
    return "what sign-file of the kernel's build does" if tool == "sign-file" else f"what {tool} of kmod does"


def _name(name: str, summary: str) -> str:
    return f"{heading('NAME')}{escaped(name)} \\- {escaped(summary)}\n"


def _usage(line: str) -> str:
    """Write a line of the synopsis, the words that are typed as they are in bold."""
    words = [bold(word) if word.islower() and "[" not in word else escaped(word) for word in line.split()]
    return f".PP\n{' '.join(words)}\n"


def _usages(parser: argparse.ArgumentParser) -> list[str]:
    if parser.usage:
        return parser.usage.splitlines()
    inner = [found for action in actions_of(parser) for found in _subparsers(action).values()]
    if inner:
        return [f"{found.prog.partition(' [')[0]} [OPTION...] {_words(found)}".rstrip() for found in inner]
    return [f"{parser.prog} [OPTION...] {_words(parser)}".rstrip()]


def _subparsers(action: argparse.Action) -> dict[str, argparse.ArgumentParser]:
    """Give each of the parsers under its first name."""
    found: dict[int, tuple[str, argparse.ArgumentParser]] = {}
    for name, parser in subparsers_of(action).items():
        found.setdefault(id(parser), (name, parser))
    return dict(found.values())


def _words(parser: argparse.ArgumentParser) -> str:
    shown = (_operand(action) for action in actions_of(parser) if _is_operand(action))
    return " ".join(shown)


def _is_operand(action: argparse.Action) -> bool:
    return not action.option_strings and action.help != argparse.SUPPRESS and not subparsers_of(action)


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    choices = "|".join(map(str, action.choices or ()))
    return choices if 0 < len(choices) <= _LONGEST_CHOICES else action.dest.upper()


def _operand(action: argparse.Action) -> str:
    value = _value(action)
    return {"?": f"[{value}]", "*": f"[{value}...]", "+": f"{value}..."}.get(str(action.nargs), value)


def _operands(parser: argparse.ArgumentParser) -> str:
    shown = [action for action in actions_of(parser) if _is_operand(action) and action.help]
    if not shown:
        return ""
    return heading("ARGUMENTS") + "".join(item(_italic(_value(action)), _meaning(parser, action)) for action in shown)


def _actions(parser: argparse.ArgumentParser) -> str:
    """Write the actions of a verb such as ``lkm profile``, with what they alone take."""
    common = {action.dest for action in actions_of(parser)}
    parts = []
    for action in actions_of(parser):
        for name, inner in _subparsers(action).items():
            listed = getattr(action, "_choices_actions", ())
            meaning = next((found.help or "" for found in listed if found.dest == name), "")
            parts.append(heading(f"{name}{' ' * bool(_words(inner))}{_words(inner)}", level=2) + paragraphs(meaning))
            own = [found for found in actions_of(inner) if found.dest not in common and found.help != argparse.SUPPRESS]
            parts += [_option(inner, found) for found in own if found.help]
    return heading("ACTIONS") + "".join(parts) if parts else ""


def _options(parser: argparse.ArgumentParser) -> str:
    parts = []
    for name, actions in groups_of(parser):
        shown = [action for action in actions if action.option_strings and action.help != argparse.SUPPRESS]
        if shown:
            parts.append((name, "".join(_option(parser, action) for action in shown)))
    parts.sort(key=lambda part: part[0] == _GLOBAL)  # those of the verb itself go first
    return "".join(
        heading("OPTIONS") + body if name == "options" else heading(name.upper()) + body for name, body in parts
    )


def _option(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    if not action.option_strings:
        return item(_italic(_value(action)), _meaning(parser, action))
    return item(_tag(action.option_strings, "" if action.nargs == 0 else _value(action)), _meaning(parser, action))


def _tag(names: Iterable[str], value: str) -> str:
    return ", ".join(bold(name) for name in names) + (f" {_italic(value)}" if value else "")


def _italic(text: str) -> str:
    return f"\\fI{escaped(text)}\\fR"


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = action.help or ""
    if text == _HELP:
        return _HELP.replace("message ", "")
    choices = ", ".join(map(str, action.choices or ()))
    more = f"; one of {choices}" if len(choices) > _LONGEST_CHOICES and not action.metavar else ""
    return text % {**vars(action), "prog": parser.prog} + more


def _page(name: str, section: int) -> str:
    return f"{bold(name)}({section})"


def _see_also(others: Iterable[tuple[str, int]]) -> str:
    return heading("SEE ALSO") + ",\n".join(_page(name, section) for name, section in others) + "\n"
