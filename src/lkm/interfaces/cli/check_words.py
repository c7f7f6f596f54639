"""A check's answer in words: the verdict with its reason first, then what shows it and what to do."""

import errno
import os
from typing import TYPE_CHECKING

from lkm.formats.module_name import canonical
from lkm.rules.taint import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lkm.actions.checking.results import CheckResult

__all__ = ["lines"]

_SHORT = {
    "P": "proprietary",
    "F": "loaded by force",
    "C": "from the staging directory",
    "O": "out of tree",
    "E": "not signed by a key that this kernel trusts",
    "K": "a live patch",
    "N": "a test",
}
"""What a module's own taints say of it; others are those of the kernel."""

_STAGES = {
    "permission": "when it looks whether the caller may load modules",
    "flags": "when it looks at the flags of the call",
    "file": "when it reads the file",
    "compression": "when it unpacks the file",
    "signature": "when it checks the signature",
    "elf": "when it looks whether this is an object file of this machine",
    "sections": "when it looks for the parts that make an object file a module",
    "blacklist": "when it looks for the module among those that its command line forbids",
    "struct version": "when it compares the layout of its own description of a module",
    "vermagic": "when it compares the version magic, the short description of the kernel that a module is built for",
    "duplicate": "when it looks whether a module of this name is there",
    "section flags": "when it looks at what may be written and run",
    "taints": "when it looks at what the module says of itself",
    "livepatch": "when it looks whether it can be patched while it runs",
    "constructors": "when it looks for constructors",
    "export versions": "when it looks for the versions of what the module exports",
    "symbols": "when it looks for the functions and variables that the module uses",
    "relocations": "when it puts addresses into the code",
    "duplicate exports": "when it compares what the module exports with what is exported already",
    "parameters": "when it reads the module's parameters",
    "built-in name": "when it makes the module's directory in /sys/module",
}


def lines(result: "CheckResult", release: str) -> list[str]:
    """Tell a person about one module.

    :param release: the kernel's
    """
    return [_verdict(result, release), *_details(result)]


def _verdict(result: "CheckResult", release: str) -> str:
    name = result.subject or "''"
    if result.file != name and canonical(result.subject) != result.module:
        name = f"{name} ({result.module})"  # an alias
    if not result.loads:
        reason = result.causes[0].summary if result.causes else _errno_words(result.errno)
        return f"{name}: does not load on {release}: {reason}"
    if result.stage == "built in":
        return f"{name}: is built into {release}: it is always there, nothing has to be loaded"
    if result.stage == "loaded":
        return f"{name}: is loaded on {release} already: nothing has to be done"
    taints = _taints(result.taints, _SHORT)
    return f"{name}: loads on {release}; " + (f"taints: {taints}" if taints else "no taints")


def _taints(mask: int, words: dict[str, str]) -> str:
    return ", ".join(f"{letter} ({words.get(letter, meaning)})" for letter, meaning in describe(mask))


def _errno_words(code: int | None) -> str:
    return "the kernel refuses it" if code is None else os.strerror(code).lower()


def _details(result: "CheckResult") -> "Iterator[str]":
    if not result.loads and result.errno is not None:
        yield from _rows("answer", [_answer(result)])
    yield from _rows("kernel log", result.log)
    if not result.loads and result.kernel_taint & ~result.taint_before:
        left = _taints(result.kernel_taint & ~result.taint_before, {})
        yield from _rows("taint", [f"the kernel is left tainted all the same: {left}"])
    if result.before:
        yield from _rows("first", [f"{', '.join(result.before)} {'are' if len(result.before) > 1 else 'is'} loaded"])
    if result.causes:
        yield from _rows("try", result.causes[0].remedy)
        # What a module needs has its own causes, which the first one has told.
        for cause in result.causes[1:] if result.stage != "dependency" else ():
            yield from _rows("also", [cause.summary])
            yield from _rows("try", cause.remedy)
    yield from _rows("not known", result.undecidable)
    yield from _rows("note", result.notes)


def _answer(result: "CheckResult") -> str:
    code = result.errno or 0
    name = errno.errorcode.get(code, "")
    text = f"{name}, {os.strerror(code).lower()} (errno {code})"
    if result.stage == "dependency":
        return f"{text}, for the module that it needs"
    if result.stage == "unpacking":
        return f"{text}, from modprobe: the kernel is not asked"
    return f"{text}, {_STAGES.get(result.stage, f'at the check {result.stage!r}')}"


def _rows(label: str, texts: "Sequence[str]") -> "Iterator[str]":
    for number, text in enumerate(texts):
        yield f"  {f'{label}:' if not number else '':12} {text}"
