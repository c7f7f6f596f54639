"""Print the script by which a shell completes the words of lkm: verbs, options, modules, parameters, files.

Where lkm came with its data files, as from a wheel, they are there already. Else, for a shell that runs:

    bash: source <(lkm completion bash)
    zsh:  source <(lkm completion zsh)
    fish: lkm completion fish | source
"""

import argparse
from typing import TYPE_CHECKING

from lkm.interfaces.cli.output import print_json, wants_json

if TYPE_CHECKING:
    from lkm.actions.session import Session

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")


def run(options: argparse.Namespace, session: "Session") -> int:  # noqa: ARG001  every verb is given one
    """Print the script."""
    from lkm.interfaces.completion.scripts import FILES, SCRIPTS  # noqa: PLC0415  --help needs none

    if wants_json(options):
        print_json("completion", shell=options.shell, file=FILES[options.shell], script=SCRIPTS[options.shell])
    else:
        print(SCRIPTS[options.shell], end="")
    return 0
