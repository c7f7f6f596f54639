"""Show what is known of a kernel and where each fact came from, or save it to a file, to be used on another machine."""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.errors import UsageError
from lkm.interfaces.cli.output import print_json, print_line, print_table, wants_json

if TYPE_CHECKING:
    from lkm.actions.profile_facts import Fact

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    common = argparse.ArgumentParser(
        add_help=False, parents=[parser]
    )  # global options may stand behind the action, too
    common.add_argument("--kernel-image", metavar="IMAGE", help="read this vmlinuz in place of the root's")
    actions = parser.add_subparsers(dest="action", required=True, metavar="show|save")
    show = actions.add_parser("show", help="show the facts", parents=[common], add_help=False)
    show.add_argument("--profile", metavar="FILE", help="show what was saved in FILE")
    save = actions.add_parser("save", help="write them to a file, for --profile", parents=[common], add_help=False)
    save.add_argument("file", metavar="FILE", help="packed with gzip; an old one is replaced")


def run(options: argparse.Namespace, session: Session) -> int:
    """Show or save."""
    from lkm.actions.profile import profile_for, save  # noqa: PLC0415  --help needs none
    from lkm.actions.profile_facts import facts_of  # noqa: PLC0415  as above

    if options.action == "save" and not options.file:
        raise UsageError("the path of the file to write is empty")
    profile = profile_for(session, profile_file=getattr(options, "profile", None), kernel_image=options.kernel_image)
    if options.action == "save":
        size = save(profile, options.file)
        if wants_json(options):
            print_json("profile", release=profile.release, file=options.file, size=size)
        else:
            print_line(f"{options.file}: what is known of kernel {profile.release}, {size / 1000:.0f} kB")
        return 0
    facts = facts_of(profile)
    if wants_json(options):
        print_json("profile", release=profile.release, facts=[_as_json(fact) for fact in facts])
    else:
        _print_facts(facts)
    return 0


def _print_facts(facts: "tuple[Fact, ...]") -> None:
    """Print a line a fact, and below them the sources that the numbers stand for: they are long, and many are equal."""
    numbers: dict[str, str] = {}
    for fact in facts:
        numbers.setdefault(fact.source, str(len(numbers) + 1))
    print_table(
        ("FROM", "FACT", "VALUE"), [(numbers[fact.source], fact.name, fact.text) for fact in facts], numbers=[0]
    )
    print()
    print_table(("FROM", ""), [(number, source) for source, number in numbers.items()], numbers=[0])


def _as_json(fact: "Fact") -> dict[str, object]:
    return {"name": fact.name, "value": fact.value, "text": fact.text, "source": fact.source}
