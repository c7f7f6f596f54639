"""The verbs of ``lkm``: global options, which may stand before the verb and after it, and the verb's own."""

import argparse
import contextlib
import importlib
import io
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from lkm.errors import UsageError
from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.cli.output import print_json, wants_json
from lkm.interfaces.messages import as_json, as_ours
from lkm.interfaces.target import target_from_environment

if TYPE_CHECKING:
    from lkm.actions.session import Target

__all__ = ["run"]

_VERBS = {
    "list": "show the loaded modules",
    "show": "tell all about a module",
    "deps": "show what a module needs, or what needs it",
    "find": "find modules by device, alias, symbol, file or configuration option",
    "load": "load modules with what they need",
    "unload": "remove modules with what is left over",
    "index": "write the indexes of a module tree, as depmod does",
    "check": "say what a kernel will do with a module, and why, without loading it",
    "profile": "show or save what is known of a kernel",
    "preflight": "say what a kernel upgrade will do to the modules in use",
    "try": "load a module into real kernels in throw-away machines",
    "links": "make links so that modprobe and the others run lkm",
    "demo": "see it work, on an emulated kernel",
}

_EPILOG = """\
front-ends: lkm modprobe, insmod, rmmod, lsmod, modinfo, depmod and kmod take the arguments of the tools they stand for.

kernels: live is the running kernel; emulated:DIR answers as a real one would and keeps its state in DIR;
vm boots a real one in a throw-away virtual machine. LKM_ROOT, LKM_RELEASE and LKM_KERNEL in the environment
stand for --root, --release and --kernel, for the front-ends too.

exit status: 0 done or yes, 1 failed or no, 2 wrong usage or unreadable input
"""


def run(words: list[str]) -> int:
    """Run a verb.

    :param words: the arguments without the program's name
    :returns: the exit status
    """
    parser = argparse.ArgumentParser(
        prog="lkm",
        usage="lkm [OPTION...] VERB [ARGUMENT...]",
        description="The toolkit for Linux loadable kernel modules.",
        epilog=f"verbs:\n{_verb_table()}\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_global_options()],
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    parser.add_argument("verb", nargs="?", metavar="VERB", help="what to do, see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    _escape_what_the_terminal_lacks()
    options = parser.parse_args(words)
    if options.version:
        from lkm import __version__  # noqa: PLC0415  rarely asked for

        print(f"lkm {__version__}")
        return 0
    if options.verb is None:
        parser.print_help(sys.stderr)
        return 2
    if options.verb in FRONT_ENDS:
        raise UsageError(f"no options go before {options.verb}", hint="name root, release and kernel in LKM_ROOT, …")
    if options.verb not in _VERBS:
        raise UsageError(f"there is no verb {options.verb!r}", hint=f"choose one of: {', '.join(_VERBS)}")
    return _run_verb(options.verb, _behind_verb(words, options.arguments), options)


def _behind_verb(words: list[str], arguments: list[str]) -> list[str]:
    """Give the words behind the verb, with a ``--`` right behind it, which argparse takes for its own."""
    place = len(words) - len(arguments) - 1
    return words[place:] if words[place] == "--" else arguments


def _escape_what_the_terminal_lacks() -> None:
    """Have characters that the encoding of the output lacks, and bytes that were no text, printed as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _verb_table() -> str:
    return "".join(f"  {verb:9} {summary}\n" for verb, summary in _VERBS.items())


def _run_verb(verb: str, words: list[str], options: argparse.Namespace) -> int:
    from lkm.actions.session import Session  # noqa: PLC0415  --help needs none

    module = importlib.import_module(f"lkm.interfaces.cli.{verb}_verb")
    parser = argparse.ArgumentParser(
        prog=f"lkm {verb}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_global_options()],
        conflict_handler="resolve",  # a verb's own meaning of an option goes first
    )
    module.add_arguments(parser)
    del options.verb, options.arguments
    _parse(verb, module, parser, words, options)
    try:
        with Session(_target(options)) as session:
            status: int = module.run(options, session)
    except BrokenPipeError:
        raise
    except Exception as error:  # programs are told of everything that ends a verb; main tells people
        if wants_json(options):
            print_json(verb, error=as_json(as_ours(error)))
        raise
    return status


def _parse(
    verb: str, module: ModuleType, parser: argparse.ArgumentParser, words: list[str], options: argparse.Namespace
) -> None:
    """Read the verb's words into the options; what is wrong with them is told to programs, too."""
    parse = getattr(module, "parse", argparse.ArgumentParser.parse_args)  # not all words can be parted by argparse
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            parse(parser, words, options)
    except SystemExit as end:
        if end.code and (wants_json(options) or "--json" in words):
            what = told.getvalue().rstrip("\n").rpartition(": error: ")[2]
            print_json(verb, error=as_json(UsageError(what)))
            sys.stdout.flush()
        sys.stderr.write(told.getvalue())
        raise


def _global_options() -> argparse.ArgumentParser:
    """Options that may stand before the verb and after it; those not given are missing from the namespace."""
    options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = options.add_argument_group("global options")
    group.add_argument("--root", metavar="DIR", help="use DIR as / for modules and configuration")
    group.add_argument("--release", metavar="KVER", help="the kernel release (default: the running one, or DIR's)")
    group.add_argument("--kernel", metavar="KERNEL", help="live (default), emulated[:DIR] or vm[:VMLINUZ]")
    group.add_argument("--json", action="store_true", help="print one JSON object")
    group.add_argument("--debug", action="store_true", help="show where in lkm an error came from")
    return options


def _target(options: argparse.Namespace) -> "Target":
    given = {name: getattr(options, name) for name in ("root", "release", "kernel") if hasattr(options, name)}
    if given.get("root") == "":
        raise UsageError("names no directory", where="--root", hint="the machine's own root is /")
    if given.get("release") == "":
        raise UsageError("names no kernel", where="--release", hint="name it as `uname -r` prints it")
    return target_from_environment()._replace(**given)
