"""``modinfo``: what modules say of themselves.

Facts: kmod 30, tools/modinfo.c.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import closing

from lkm.errors import LkmError
from lkm.interfaces.compat.context import Context
from lkm.interfaces.compat.getopt import Grammar, parse
from lkm.interfaces.compat.messages import Messages, put, version
from lkm.interfaces.compat.modinfo_words import Run
from lkm.interfaces.compat.output import Output
from lkm.interfaces.compat.refusals import report
from lkm.interfaces.target import target_from_environment
from lkm.system.side_by_side import in_order

__all__ = ["main"]

_GRAMMAR = Grammar(
    "adlpn0mF:k:b:Vh",
    {
        "author": "a",
        "description": "d",
        "license": "l",
        "parameters": "p",
        "filename": "n",
        "null": "0",
        "modname": "m",
        "field": "F:",
        "set-version": "k:",
        "basedir": "b:",
        "version": "V",
        "help": "h",
    },
)
_FIELDS = {"a": "author", "d": "description", "l": "license", "p": "parm", "n": "filename"}
_HELP = """\
Usage:
\tmodinfo [options] MODULE|FILE ...
Options:
\t-a, --author                only the authors
\t-d, --description           only the description
\t-l, --license               only the licence
\t-p, --parameters            only the parameters
\t-n, --filename              only the path of the file
\t-F, --field FIELD           only this field
\t-0, --null                  a NUL ends each value, instead of a newline
\t-m, --modname               what is given are names of modules, neither aliases nor files
\t-k, --set-version VERSION   the module tree of this kernel release
\t-b, --basedir DIR           the module tree is in DIR/lib/modules
\t-V, --version               print the version
\t-h, --help                  print this text
"""
_WORDS = 32  # that one task takes


def main(argv: Sequence[str]) -> int:
    """Run ``modinfo``.

    :param argv: the arguments
    :returns: the exit status
    """
    messages = Messages("modinfo")
    parsed = parse(_GRAMMAR, argv, in_order="POSIXLY_CORRECT" in os.environ)
    chosen: dict[str, str] = {}
    for key, argument in parsed.options:
        if key in "Vh":
            put(version() if key == "V" else _HELP)
            return 0
        chosen["F" if key in _FIELDS else key] = _FIELDS.get(key, argument)
    if parsed.error:
        messages.plain(parsed.error)
        return 1
    if not parsed.operands:
        messages.error("missing module or filename.")
        return 1
    output = Output(_write)
    try:
        with Context(
            target_from_environment(), directory=chosen.get("b"), release=chosen.get("k"), reads_modprobe_d=False
        ) as context:
            separator = "\0" if "0" in chosen else "\n"
            run = Run(context, output, messages, only=chosen.get("F"), separator=separator, only_names="m" in chosen)
            shown = _show_all(run, parsed.operands)
    except LkmError as error:
        output.flush()
        report(messages, error)
        return 1
    output.flush()
    return int(not shown)


def _show_all(run: Run, words: Sequence[str]) -> bool:
    """Show all words, those that need no message on all processors."""
    tasks = [words[start : start + _WORDS] for start in range(0, len(words), _WORDS)]
    well = True
    with closing(in_order(len(tasks), lambda number: _captured(run, tasks[number]))) as beforehand:
        for task, done in zip(tasks, beforehand, strict=True):
            if done is not None:
                run.output.put(done)
            else:
                shown = [run.show(word) for word in task]
                well = well and all(shown)
    return well


def _captured(run: Run, words: Sequence[str]) -> bytes | None:
    return run.output.captured(lambda: [run.show(word) for word in words])


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
