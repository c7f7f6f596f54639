"""Find modules: which one claims a device or alias, exports a symbol, is a file, or is built by an option.

Without a kind all are tried. Names, symbols and files may have wildcards.
"""

import argparse

from lkm.actions.session import Session
from lkm.interfaces.cli.output import print_json, print_line, print_table, wants_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("text", help="what to look for")
    for kind, meaning in (
        ("name", "a module's name"),
        ("alias", "a device's modalias or another alias, as in fs-vfat"),
        ("symbol", "an exported symbol"),
        ("file", "a module file, by its path or name"),
        ("config", "an option of the kernel's configuration"),
    ):
        parser.add_argument(f"--{kind}", dest="kinds", action="append_const", const=kind, help=f"only: {meaning}")


def run(options: argparse.Namespace, session: Session) -> int:
    """Print what was found; exit 1 for nothing."""
    from lkm.actions.finding import find  # noqa: PLC0415  --help needs none

    found = find(session, options.text, tuple(options.kinds or ()))
    if wants_json(options):
        print_json(
            "find",
            release=session.tree.release,
            text=options.text,
            found=[
                {"module": hit.module, "kind": hit.kind, "evidence": hit.evidence, "builtin": hit.builtin}
                for hit in found
            ],
        )
    elif found:
        rows = [(hit.module, hit.kind, hit.evidence + (" (built in)" if hit.builtin else "")) for hit in found]
        print_table(("MODULE", "BY", "BECAUSE"), rows)
    else:
        print_line(f"nothing in {session.tree.display_directory} answers to {options.text}")
    return 0 if found else 1
