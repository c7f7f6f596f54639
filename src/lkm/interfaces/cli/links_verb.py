"""Make links in a directory so that DIR/modprobe and the others run lkm; put DIR first in PATH to use them."""

import argparse

from lkm.actions.links import make_links
from lkm.actions.session import Session
from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.cli.output import print_json, print_line, wants_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("directory", metavar="DIR", help="made if it is missing")
    parser.add_argument("--force", action="store_true", help="replace files that are in the way")


def run(options: argparse.Namespace, session: Session) -> int:
    """Make the links."""
    del session
    made = make_links(options.directory, FRONT_ENDS, force=options.force)
    if wants_json(options):
        print_json("links", links=list(made))
    else:
        for link in made:
            print_line(link)
    return 0
