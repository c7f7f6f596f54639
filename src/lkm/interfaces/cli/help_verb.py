"""Explain a verb, a front-end or a topic; without one, list them.

exit status: 0 explained, 2 there is no such verb or topic
"""

import argparse
import sys
from typing import TYPE_CHECKING

from lkm.errors import UsageError
from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.cli.output import print_json, print_line, wants_json
from lkm.interfaces.cli.table import terminal_width

if TYPE_CHECKING:
    from lkm.actions.session import Session

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("about", nargs="?", metavar="VERB|TOPIC", help="what to explain")


def run(options: argparse.Namespace, session: "Session") -> int:  # noqa: ARG001  every verb is given one
    """Print the text."""
    from lkm.interfaces.cli.verbs import verbs_by_group  # noqa: PLC0415  verbs imports this file by name

    verbs = {verb: summary for group in verbs_by_group().values() for verb, summary in group.items()}
    if options.about is None:
        _list(options, verbs)
        return 0
    title, text = _text(options.about, verbs)
    if wants_json(options):
        print_json("help", about=options.about, title=title, text=text)
    else:
        print(text)
    return 0


def _list(options: argparse.Namespace, verbs: dict[str, str]) -> None:
    from lkm.interfaces.cli.verbs import main_parser  # noqa: PLC0415  (as above)
    from lkm.interfaces.topics import TOPICS  # noqa: PLC0415  only when they are asked for

    topics = {name: topic.title for name, topic in TOPICS.items()}
    if wants_json(options):
        print_json("help", verbs=verbs, topics=topics, front_ends=list(FRONT_ENDS))
        return
    print(main_parser().format_help())
    print_line("topics, for lkm help TOPIC:", style="bold")
    for name, title in topics.items():
        print_line(f"  {name:11} {title}")


def _text(about: str, verbs: dict[str, str]) -> tuple[str, str]:
    """Give a line about it, and the whole text."""
    from lkm.interfaces.topics import TOPICS  # noqa: PLC0415  (as above)

    if about in TOPICS:
        return TOPICS[about].title, _topic(about)
    if about in verbs:
        from lkm.interfaces.cli.parsers import verb_parser  # noqa: PLC0415  topics need none

        return verbs[about], verb_parser(about).format_help().rstrip("\n")
    if about in FRONT_ENDS:
        from lkm.interfaces.front_end_help import help_of  # noqa: PLC0415  (as above)

        return f"what {about} of kmod does", help_of(about).rstrip("\n")
    from lkm.rules.suggestions import similar  # noqa: PLC0415  only for an error

    near = similar(about, (*TOPICS, *verbs, *FRONT_ENDS))
    hint = f"did you mean {' or '.join(near)}?" if near else f"the topics are {', '.join(TOPICS)}; lkm help lists all"
    raise UsageError(f"there is no verb and no topic {about[:64]!r}", hint=hint)


def _topic(name: str) -> str:
    from lkm.interfaces.cli.verbs import verbs_by_group  # noqa: PLC0415  (as above)
    from lkm.interfaces.color import painted  # noqa: PLC0415  (as above)
    from lkm.interfaces.paragraphs import folded  # noqa: PLC0415  (as above)
    from lkm.interfaces.topics import TOPICS  # noqa: PLC0415  (as above)

    topic = TOPICS[name]
    there = {verb for group in verbs_by_group().values() for verb in group}
    see = ", ".join(f"lkm {verb} --help" for verb in topic.verbs if verb in there)
    body = folded(f"{topic.text}\n\nSee also: {see}", terminal_width(sys.stdout))
    return f"{painted(f'{name}: {topic.title}', 'bold', sys.stdout)}\n\n{body}"
