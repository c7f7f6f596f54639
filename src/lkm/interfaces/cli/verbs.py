"""The verbs of ``lkm``: global options, which may stand before the verb and after it, and the verb's own."""

import argparse
import contextlib
import io
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from lkm.errors import UsageError
from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.cli.output import print_json, wants_json
from lkm.interfaces.cli.parsers import command_parser, module_of_verb, verb_parser
from lkm.interfaces.color import chosen_color
from lkm.interfaces.messages import as_json, as_ours
from lkm.interfaces.target import target_from_environment

if TYPE_CHECKING:
    from lkm.actions.session import Target

__all__ = ["EPILOG", "main_parser", "run", "verbs_by_group"]

_VERBS = {
    "status": "show this machine at a glance, and what needs attention",
    "list": "show the loaded modules",
    "show": "tell all about a module",
    "explain": "tell why a module is there or not: what asks for it, which lines count",
    "deps": "show what a module needs, or what needs it",
    "find": "find modules by device, alias, symbol, file or configuration option",
    "block": "keep modules out, and prove that nothing leads to them",
    "unblock": "allow modules again that were blocked",
    "blocked": "list the modules that are kept out, by what, and whether that holds",
    "allow-only": "allow only the modules that this system needs",
    "load": "load modules with what they need",
    "unload": "remove modules with what is left over",
    "param": "show or set the parameters of a module, now or for each load",
    "boot": "show or change which modules are loaded at boot",
    "undo": "take back what lkm changed in configuration files",
    "index": "write the indexes of a module tree, as depmod does",
    "check": "say what a kernel will do with a module, and why, without loading it",
    "profile": "show or save what is known of a kernel",
    "sign": "sign modules, or take their signatures away",
    "mok": "show Secure Boot and machine owner keys, and ask for one to be enrolled",
    "verify": "verify signatures of modules, and tell which keyring takes them",
    "keys": "show which keys a kernel trusts, and what each signed; make one",
    "lockdown": "tell what the kernel demands of modules, and who said so",
    "diagnose": "say what error messages and log lines mean, and what to do",
    "taint": "say what taints a kernel, and which module brought it",
    "help": "explain a verb or a topic, as in lkm help signing",
    "completion": "print the completion script of a shell",
    "preflight": "say what a kernel upgrade will do to the modules in use",
    "try": "load a module into real kernels in throw-away machines",
    "links": "make links so that modprobe and the others run lkm",
    "demo": "see it work, on an emulated kernel",
}

_GROUPS = {
    "see": ("status", "list", "show", "explain", "deps", "find", "taint", "profile"),
    "ask": ("check", "diagnose", "preflight", "try"),
    "change": ("load", "unload", "param", "block", "unblock", "blocked", "allow-only", "boot", "undo"),
    "trust": ("sign", "verify", "keys", "mok", "lockdown"),
    "build": ("index",),
    "lkm itself": ("help", "completion", "links", "demo"),
}

EPILOG = """\
front-ends: lkm modprobe, insmod, rmmod, lsmod, modinfo, depmod, kmod and sign-file take the arguments
of the tools they stand for.

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
    parser = main_parser()
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
        raise UsageError(f"there is no verb {options.verb!r}", hint=_nearest(options.verb))
    return _run_verb(options.verb, _behind_verb(words, options.arguments), options)


def main_parser() -> argparse.ArgumentParser:
    """Make the parser of the command itself."""
    return command_parser(f"{_verb_table()}\n{EPILOG}")


def verbs_by_group() -> dict[str, dict[str, str]]:
    """Give the verbs with a line about each, by what they are for."""
    grouped = {name: {verb: _VERBS[verb] for verb in verbs if verb in _VERBS} for name, verbs in _GROUPS.items()}
    named = {verb for verbs in grouped.values() for verb in verbs}
    grouped["more"] = {verb: summary for verb, summary in _VERBS.items() if verb not in named}
    return {name: verbs for name, verbs in grouped.items() if verbs}


def _nearest(word: str) -> str:
    from lkm.rules.suggestions import similar  # noqa: PLC0415  only for an error

    near = similar(word, (*_VERBS, *FRONT_ENDS))
    if near:
        return f"did you mean {' or '.join(near)}? lkm help lists all verbs"
    return f"choose one of: {', '.join(_VERBS)}"


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
    """Say what each verb does, those for the same purpose together."""
    return "\n".join(
        f"{group}:\n" + "".join(f"  {verb:11} {summary}\n" for verb, summary in verbs.items())
        for group, verbs in verbs_by_group().items()
    )


def _run_verb(verb: str, words: list[str], options: argparse.Namespace) -> int:
    from lkm.actions.session import Session  # noqa: PLC0415  --help needs none

    module = module_of_verb(verb)
    parser = verb_parser(verb)
    del options.verb, options.arguments
    _parse(verb, module, parser, words, options)
    try:
        with chosen_color(getattr(options, "color", None)), Session(_target(options)) as session:
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


def _target(options: argparse.Namespace) -> "Target":
    given = {name: getattr(options, name) for name in ("root", "release", "kernel") if hasattr(options, name)}
    if given.get("root") == "":
        raise UsageError("names no directory", where="--root", hint="the machine's own root is /")
    if given.get("release") == "":
        raise UsageError("names no kernel", where="--release", hint="name it as `uname -r` prints it")
    return target_from_environment()._replace(**given)
