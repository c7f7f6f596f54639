"""The argument parsers: of the command itself, and of each verb; help, completions and manual pages come from them."""

import argparse
import importlib
from types import ModuleType

__all__ = ["command_parser", "global_options", "module_of_verb", "verb_parser"]

COLORS = ("auto", "always", "never")


def command_parser(epilog: str) -> argparse.ArgumentParser:
    """Make the parser of what stands before the verb.

    :param epilog: the verbs, and what else the help says below the options
    """
    parser = argparse.ArgumentParser(
        prog="lkm",
        usage="lkm [OPTION...] VERB [ARGUMENT...]",
        description="The toolkit for Linux loadable kernel modules.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[global_options()],
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    parser.add_argument("verb", nargs="?", metavar="VERB", help="what to do, see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def module_of_verb(verb: str) -> ModuleType:
    """Import the file of a verb."""
    return importlib.import_module(f"lkm.interfaces.cli.{verb.replace('-', '_')}_verb")


def verb_parser(verb: str) -> argparse.ArgumentParser:
    """Make the parser of a verb's own arguments and of the global options behind it."""
    module = module_of_verb(verb)
    parser = argparse.ArgumentParser(
        prog=f"lkm {verb}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[global_options()],
        conflict_handler="resolve",  # a verb's own meaning of an option goes first
    )
    module.add_arguments(parser)
    return parser


def global_options() -> argparse.ArgumentParser:
    """Make options that may stand before the verb and after it; those not given are missing from the namespace."""
    options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = options.add_argument_group("global options")
    group.add_argument("--root", metavar="DIR", help="use DIR as / for modules and configuration")
    group.add_argument("--release", metavar="KVER", help="the kernel release (default: the running one, or DIR's)")
    group.add_argument("--kernel", metavar="KERNEL", help="live (default), emulated[:DIR] or vm[:VMLINUZ]")
    group.add_argument("--json", action="store_true", help="print one JSON object")
    group.add_argument(
        "--color", choices=COLORS, metavar="WHEN", help="auto (default: on a terminal, unless NO_COLOR), always, never"
    )
    group.add_argument("--debug", action="store_true", help="show where in lkm an error came from")
    return options
