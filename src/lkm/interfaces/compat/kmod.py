"""``kmod``: the tool that the others are links to, with the commands of its own.

Facts: kmod 30, tools/kmod.c.
"""

import sys
from collections.abc import Sequence

from lkm.interfaces.compat.getopt import Grammar, parse
from lkm.interfaces.compat.messages import Messages, put, version

__all__ = ["main"]

_GRAMMAR = Grammar("hV", {"help": "h", "version": "V"})
_HELP = """\
kmod - kernel modules: what is loaded, and which device nodes they ask for
Usage:
\tkmod [options] command [arguments]

Options:
\t-V, --version     print the version
\t-h, --help        print this text

Commands:
  help         print this text
  list         show the loaded modules, as lsmod
  static-nodes show the device nodes that must be there before a module is loaded

A link to this program that has one of these names does what the tool of that name does:
  lsmod rmmod insmod modinfo modprobe depmod
"""


def main(argv: Sequence[str]) -> int:
    """Run ``kmod``.

    :param argv: options, a command and its arguments
    :returns: the exit status
    """
    # The first operand is the command, so options after it are the command's.
    parsed = parse(_GRAMMAR, argv, in_order=True)
    if parsed.options:
        put(_HELP if parsed.options[0][0] == "h" else version())
        return 0
    if parsed.error:
        Messages("kmod").plain(parsed.error)
        return 1
    if not parsed.operands:
        return _refuse("missing command")
    command, *arguments = parsed.operands
    match command:
        case "help":
            put(_HELP)
            return 0
        case "list":
            return _list(arguments)
        case "static-nodes":
            from lkm.interfaces.compat.static_nodes import main as static_nodes  # noqa: PLC0415  list must start fast

            return static_nodes(arguments)
    return _refuse(f"invalid command '{command}'")


def _list(arguments: Sequence[str]) -> int:
    if arguments:
        sys.stderr.write("Usage: list\n")
        return 1
    from lkm.interfaces.compat.lsmod import main as lsmod  # noqa: PLC0415  (as above)

    return lsmod(())


def _refuse(why: str) -> int:
    from lkm.interfaces.messages import printable  # noqa: PLC0415  only when something went wrong

    sys.stderr.write(f"{printable(why)}\n")
    put(_HELP)
    return 1
