"""``kmod static-nodes``: the device nodes whose opening loads a module, as modules.devname lists them.

Facts: kmod 30, tools/static-nodes.c.
"""

import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from lkm.errors import LkmError, Unreadable
from lkm.interfaces.compat.context import Context
from lkm.interfaces.compat.getopt import Grammar, parse
from lkm.interfaces.compat.messages import Messages, put
from lkm.interfaces.messages import printable
from lkm.interfaces.target import target_from_environment
from lkm.system.atomic import write_atomically

__all__ = ["main"]

_GRAMMAR = Grammar("o:f:h", {"output": "o:", "format": "f:", "help": "h"})
_HELP = """\
Usage:
\tkmod static-nodes [options]

Shows the device nodes that the running kernel's module tree asks for.

Options:
\t-f, --format FORMAT  human, tmpfiles or devname, see below
\t-o, --output FILE    write to FILE
\t-h, --help           print this text

Formats:
\thuman        for people; the default
\ttmpfiles     for systemd-tmpfiles, see tmpfiles.d(5)
\tdevname      as in modules.devname
"""
_LONGEST_LINE = 4095  # bytes that kmod reads at once; a longer line counts as several
_ROW = re.compile(r"\s*(\S+)\s+(\S+)\s+(\S)\s*([+-]?[0-9]+):\s*([+-]?[0-9]+)", re.ASCII)  # "%s %s %c%u:%u" of scanf(3)
_LARGEST_LONG = (1 << 64) - 1
_MASK = (1 << 32) - 1


class _Node(NamedTuple):
    module: str
    path: str
    type: str
    major: int
    minor: int


def main(argv: Sequence[str]) -> int:
    """Run ``kmod static-nodes``.

    :param argv: the arguments of the command
    :returns: the exit status
    """
    parsed = parse(_GRAMMAR, argv, in_order=True)  # kmod has asked for that before it knows the command
    output = None
    show = _FORMATS["human"]
    for key, argument in parsed.options:
        match key:
            case "h":
                put(_HELP)
                return 0
            case "o":
                output = argument
            case _ if argument in _FORMATS:
                show = _FORMATS[argument]
            case _:
                sys.stderr.write(f"Unknown format: '{printable(argument)}'.\n")
                put(_HELP)
                return 1
    if parsed.error:
        Messages("static-nodes").plain(parsed.error)
        return 1
    return _write_nodes(show, output)


def _write_nodes(show: Callable[[_Node], str], output: str | None) -> int:
    try:
        with Context(target_from_environment()) as context:
            where = f"{context.directory}/modules.devname"
            data = context.tree.root.read_bytes(f"{context.tree.directory}/modules.devname")
    except LkmError as error:
        return _no_list(where, error) if isinstance(error, Unreadable) else _fail(str(error))
    nodes = list(_nodes(data))
    text = "".join(show(node) for node in nodes if isinstance(node, _Node))
    bad = [line for line in nodes if isinstance(line, str)]
    if output is None or output == "/dev/stdout":
        put(text)
    else:
        try:
            _write(output, text.encode("utf-8", "surrogateescape"))
        except OSError as error:
            return _fail(f"could not create {output} - {error.strerror}")
    sys.stdout.flush()
    for line in bad:
        sys.stderr.write(f"Error: invalid devname entry: {printable(line.rstrip(chr(10)))}\n")
    return 1 if bad else 0


def _no_list(where: str, error: Unreadable) -> int:
    """Say that there is no list, which is no failure: a kernel may need no such nodes."""
    if isinstance(error.__cause__, FileNotFoundError):
        sys.stderr.write(f"Warning: {where} not found - ignoring\n")
        return 0
    cause = error.__cause__.strerror if isinstance(error.__cause__, OSError) else error.what
    return _fail(f"could not open {where} - {cause}")


def _fail(text: str) -> int:
    sys.stderr.write(f"Error: {printable(text)}\n")
    return 1


def _nodes(data: bytes) -> Iterator[_Node | str]:
    """Take the lines apart; one that is none comes as it is."""
    for whole in io.BytesIO(data):
        for start in range(0, len(whole), _LONGEST_LINE):
            line = whole[start : start + _LONGEST_LINE].partition(b"\0")[0].decode("utf-8", "surrogateescape")
            if not line.startswith("#"):
                yield _node(line) or line


def _node(line: str) -> _Node | None:
    found = _ROW.match(line)
    if found is None or found[3] not in {"b", "c"}:
        return None
    return _Node(found[1], found[2], found[3], _number(found[4]), _number(found[5]))


def _number(text: str) -> int:
    """Read a number as scanf(3) does: what is too large becomes the largest, and what is negative wraps."""
    value = int(text)
    return (value if abs(value) <= _LARGEST_LONG else _LARGEST_LONG) & _MASK


def _human(node: _Node) -> str:
    kind = "character" if node.type == "c" else "block"
    return (
        f"Module: {node.module}\n\tDevice node: /dev/{node.path}\n"
        f"\t\tType: {kind} device\n\t\tMajor: {node.major}\n\t\tMinor: {node.minor}\n"
    )


def _tmpfiles(node: _Node) -> str:
    directory, slash, _ = node.path.rpartition("/")
    parent = f"d /dev/{directory} 0755 - - -\n" if slash else ""
    return f"{parent}{node.type}! /dev/{node.path} 0600 - - - {node.major}:{node.minor}\n"


def _devname(node: _Node) -> str:
    return f"{node.module} {node.path} {node.type}{node.major}:{node.minor}\n"


_FORMATS: dict[str, Callable[[_Node], str]] = {"human": _human, "tmpfiles": _tmpfiles, "devname": _devname}


def _write(path: str, data: bytes) -> None:
    """Write a file, with the directories above it; what is no plain file, such as a pipe, is written to in place."""
    target = os.path.realpath(path)
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
    if os.path.exists(target) and not os.path.isfile(target):  # noqa: PTH110, PTH113
        with open(target, "wb") as file:  # noqa: PTH123
            file.write(data)
    else:
        write_atomically(target, data)
