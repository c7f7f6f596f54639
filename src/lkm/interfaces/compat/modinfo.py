"""``modinfo``: what modules say of themselves.

Facts: kmod 30, tools/modinfo.c.
"""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lkm.errors import LkmError
from lkm.formats.module_name import EXTENSIONS, canonical, normalise_alias
from lkm.interfaces.compat.context import Context
from lkm.interfaces.compat.getopt import Grammar, parse
from lkm.interfaces.compat.hints import not_found_hints
from lkm.interfaces.compat.messages import Messages, put, version
from lkm.interfaces.compat.modinfo_output import Layout
from lkm.interfaces.compat.modinfo_source import Fields, Signers, fields_of
from lkm.interfaces.compat.module_contents import refusal
from lkm.interfaces.compat.refusals import errno_of, explain, report, text_of
from lkm.interfaces.target import target_from_environment
from lkm.rules.resolving import Candidate
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

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


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of modinfo."""

    context: Context
    messages: Messages
    layout: Layout
    only_names: bool
    signers: Signers = field(default_factory=Signers)


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
    layout = Layout(chosen.get("F"), "\0" if "0" in chosen else "\n", messages.error)
    try:
        with Context(
            target_from_environment(), directory=chosen.get("b"), release=chosen.get("k"), reads_modprobe_d=False
        ) as context:
            run = _Run(context, messages, layout, "m" in chosen)
            shown = [_show(run, word) for word in parsed.operands]
    except LkmError as error:
        report(messages, error)
        return 1
    return int(not all(shown))


def _show(run: _Run, word: str) -> bool:
    if not run.only_names and _is_module_file(word):
        return _show_file(run, word)
    try:
        found = _named(run, word) if run.only_names else run.context.resolver.lookup(word)
        hints = () if found else not_found_hints(run.context, word, release_option="-k")
    except LkmError as error:
        found, hints = (), (str(error),)
    if not found:
        run.messages.error(f"Module {_kind(run, word)}{word} not found.")
        for hint in hints:
            run.messages.hint(hint)
    shown = [_show_candidate(run, candidate) for candidate in found]
    return bool(found) and all(shown)


def _kind(run: _Run, word: str) -> str:
    """Give kmod's word for what was not found."""
    if run.only_names:
        return "name "
    return "alias " if normalise_alias(word) is None else ""


def _is_module_file(word: str) -> bool:
    if not word.endswith(EXTENSIONS) or word in EXTENSIONS:
        return False
    try:
        return stat.S_ISREG(os.stat(word).st_mode)  # noqa: PTH116
    except (OSError, ValueError):
        return False


def _named(run: _Run, word: str) -> tuple[Candidate, ...]:
    """Look up a name of a module or a built-in (libkmod-module.c ``kmod_module_new_from_name_lookup``)."""
    name = canonical(word.split(".", 1)[0])
    tree = run.context.tree
    if tree.module(name) or tree.is_builtin(name):
        return (run.context.resolver.candidate(name),)
    return tuple(Candidate(canonical(found), name, builtin=True) for found in tree.by_builtin_alias(name)[:1])


def _show_file(run: _Run, word: str) -> bool:
    module = ModuleFile(Root(), os.path.abspath(word))  # noqa: PTH100
    path = os.path.join(os.getcwd(), word)  # noqa: PTH109, PTH118
    return _print(run, module.name, path, lambda: fields_of(module, run.signers))


def _show_candidate(run: _Run, candidate: Candidate) -> bool:
    module = run.context.resolver.module_file(candidate)
    path = run.context.printed(module) if module else None
    if candidate.builtin:
        return _print(run, candidate.name, path, lambda: _builtin_fields(run, candidate.name))
    if module is None:
        return _print(run, candidate.name, None, list)
    return _print(run, candidate.name, path, lambda: fields_of(module, run.signers))


def _builtin_fields(run: _Run, name: str) -> Fields:
    tree = run.context.tree
    if name in tree.builtin_modinfo:
        return list(tree.builtin_modinfo[name].fields)
    if not tree.root.is_file(f"{tree.directory}/modules.builtin.modinfo"):
        return []  # a kernel before 5.2: nothing is known of its built-ins
    raise refusal(errno.ENOSYS, "modules.builtin.modinfo says nothing of it")


def _print(run: _Run, name: str, path: str | None, read: Callable[[], Fields]) -> bool:
    put(run.layout.head(name, path))
    if run.layout.only == "filename":
        return True
    try:
        fields = read()
    except LkmError as error:
        run.messages.error(f"could not get modinfo from '{name}': {text_of(errno_of(error), {})}")
        explain(run.messages, error)
        return False
    put(run.layout.body(fields))
    return True
