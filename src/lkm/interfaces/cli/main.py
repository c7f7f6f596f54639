"""The command ``lkm``: global options, then a verb; or, by the name it is called by, one of the front-ends."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lkm.errors import LkmError, Unreadable, UsageError
from lkm.interfaces.target import target_from_environment

if TYPE_CHECKING:
    from lkm.actions.session import Target

__all__ = ["FRONT_ENDS", "main"]

FRONT_ENDS = ("insmod", "lsmod", "modinfo", "modprobe", "rmmod")
"""The tools that ``lkm TOOL`` and a link named TOOL stand for."""

_VERBS = {
    "list": "show the loaded modules",
    "show": "tell all about a module",
    "deps": "show what a module needs, or what needs it",
    "find": "find modules by alias, symbol, file or configuration option",
    "load": "load modules with what they need",
    "unload": "remove modules with what is left over",
    "links": "make links so that modprobe and the others run lkm",
    "demo": "see it work, on an emulated kernel",
}

_EPILOG = """\
front-ends: lkm modprobe, insmod, rmmod, lsmod and modinfo take the arguments of the tools that they stand for.

kernels: live is the running kernel; emulated:DIR answers as a real one would and keeps its state in DIR;
vm boots a real one in a throw-away virtual machine. LKM_ROOT, LKM_RELEASE and LKM_KERNEL in the environment
stand for --root, --release and --kernel, for the front-ends too.

exit status: 0 done or yes, 1 failed or no, 2 wrong usage or unreadable input
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    :param argv: without the program's name; by default the process's own
    :returns: the exit status
    """
    words = list(sys.argv[1:] if argv is None else argv)
    called = os.path.basename(sys.argv[0])  # noqa: PTH119  pathlib is dear at start-up
    if argv is None and called in FRONT_ENDS:
        return _guarded(called, lambda: _front_end(called, words))
    if words and words[0] in FRONT_ENDS:
        return _guarded(words[0], lambda: _front_end(words[0], words[1:]))
    return _guarded("lkm", lambda: _verb(words), debug="--debug" in words)


def _front_end(tool: str, arguments: list[str]) -> int:
    status: int = importlib.import_module(f"lkm.interfaces.compat.{tool}").main(arguments)
    return status


def _guarded(program: str, run: Callable[[], int], *, debug: bool = False) -> int:
    """Run, and turn what goes wrong into a message and an exit status."""
    try:
        status = run()
        sys.stdout.flush()
    except LkmError as error:
        if debug:
            raise
        return _report(program, error)
    except BrokenPipeError:
        # Whoever reads our output has seen enough; keep the interpreter from complaining at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    return status


def _report(program: str, error: LkmError) -> int:
    from lkm.interfaces.messages import explain  # noqa: PLC0415  only when something went wrong

    sys.stdout.flush()
    print(f"{program}: ", "\n  ".join(explain(error)), sep="", file=sys.stderr)
    return 2 if isinstance(error, UsageError | Unreadable) else 1


def _verb(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lkm",
        description="The toolkit for Linux loadable kernel modules.",
        epilog=f"verbs:\n{_verb_table()}\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_global_options()],
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    parser.add_argument("verb", nargs="?", metavar="VERB", help="what to do, see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.version:
        from lkm import __version__  # noqa: PLC0415  rarely asked for

        print(f"lkm {__version__}")
        return 0
    if options.verb is None:
        parser.print_help()
        return 2
    if options.verb in FRONT_ENDS:
        return _front_end(options.verb, options.arguments)
    if options.verb not in _VERBS:
        raise UsageError(f"there is no verb {options.verb!r}", hint=f"choose one of: {', '.join(_VERBS)}")
    return _run_verb(options.verb, options.arguments, options)


def _verb_table() -> str:
    return "".join(f"  {verb:8} {summary}\n" for verb, summary in _VERBS.items())


def _run_verb(verb: str, words: list[str], options: argparse.Namespace) -> int:
    from lkm.actions.session import Session  # noqa: PLC0415  --help needs none

    module = importlib.import_module(f"lkm.interfaces.cli.{verb}_verb")
    parser = argparse.ArgumentParser(
        prog=f"lkm {verb}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_global_options()],
    )
    module.add_arguments(parser)
    del options.verb, options.arguments
    parser.parse_args(words, options)
    with Session(_target(options)) as session:
        status: int = module.run(options, session)
    return status


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
    return replace(target_from_environment(), **given)
