"""Taint in texts: the letters in the kernel's reports, the modules listed there, and the lines that tell of it.

Facts: kernel/panic.c ``print_tainted``, ``print_tainted_verbose`` (6.12); kernel/module/main.c ``print_modules``,
``print_unloaded_tainted_modules``; lib/dump_stack.c ``dump_stack_print_info``.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lkm.rules.causes.templates import anchor, match
from lkm.rules.taint import Taint, letters

__all__ = ["TaintEvent", "TaintText", "read_taint", "taint_events"]

_KNOWN = letters(sum(Taint))
_NOTHING = "G"  # stands where P would
_MOST_CHARACTERS = 4 << 20
_LONGEST_LINE = 16_000  # a list of modules is long
_MOST_EVENTS = 200
_TAINTED = "Tainted: "
_UNTAINTED = "Not tainted"
_SYSCTL = ("kernel.tainted", "/proc/sys/kernel/tainted")
_LIST = "Modules linked in:"
_UNLOADED = ("Unloaded tainted modules:", "[last unloaded:")

_LINES = (  # the kernel's lines with the letter that the same function sets
    ("P", "{module}: module license '{licence*}' taints kernel."),
    ("P", "{module}: module license taints kernel."),
    ("P", "from proprietary module {owner}, inheriting taint."),
    ("F", "{module}: {reason*}: kernel tainted."),
    ("O", "{module}: loading out-of-tree module taints kernel."),
    ("E", "{module}: module verification failed: signature and/or "),
    ("C", "{module}: module is from the staging directory, the quality is unknown"),
    ("K", "{module}: tainting kernel with TAINT_LIVEPATCH"),
    ("N", "{module}: loading test module taints kernel."),
    ("U", "Setting dangerous option {parameter} - tainting kernel"),
    ("M", "[Hardware Error]: CPU {processor}: Machine Check Exception: "),
    ("B", "BUG: Bad page "),
    ("L", "BUG: soft lockup - CPU#"),
    ("W", "WARNING: CPU: {processor} PID: "),
    ("W", "WARNING: {place*}at {function}, CPU#"),  # 7.x
    ("W", "BUG: scheduling while atomic: "),
    ("D", "Oops: {what*} [#"),
    ("D", "kernel BUG at "),
    ("D", "BUG: unable to handle "),
    ("A", "Override [{table*}], this is unsafe: tainting kernel"),
    ("S", "Write to unrecognized MSR {register} by {program*}"),
)


class TaintEvent(NamedTuple):
    """A line that tells when the kernel became tainted.

    :param module: that brought it, where one did
    """

    letter: str
    module: str | None
    line: str


class TaintText(NamedTuple):
    """What a text says of taint.

    :param mask: of the last report in it; None where it says nothing of that
    :param modules: the letters of each module that a list names, in its order
    :param unloaded: of these, what was gone already
    """

    mask: int | None
    modules: dict[str, str]
    unloaded: frozenset[str]
    events: tuple[TaintEvent, ...]


def read_taint(text: str) -> TaintText:
    """Read an oops, a log, or what ``sysctl kernel.tainted`` prints; of very long text only the end."""
    mask: int | None = None
    modules: dict[str, str] = {}
    unloaded: set[str] = set()
    lines = [line[:_LONGEST_LINE] for line in text[-_MOST_CHARACTERS:].splitlines()]
    for line in lines:
        found = _mask(line)
        mask = mask if found is None else found
        for name, marks, is_gone in _listed(line):
            modules[name] = marks
            (unloaded.add if is_gone else unloaded.discard)(name)
    return TaintText(mask, modules, frozenset(unloaded), taint_events(lines))


def taint_events(lines: Iterable[str]) -> tuple[TaintEvent, ...]:
    """Find the lines that tell of taint, the first of each kind and module, in order."""
    signs = [(letter, template, anchor(template)) for letter, template in _LINES]
    found: dict[tuple[str, str | None], TaintEvent] = {}
    for line in lines:
        for letter, template, sign in signs:
            words = match(template, line) if sign in line else None
            if words is None:
                continue
            module = words.get("module")
            found.setdefault((letter, module), TaintEvent(letter, module, line.strip()))
            break
        if len(found) >= _MOST_EVENTS:
            break
    return tuple(found.values())


def _mask(line: str) -> int | None:
    if _UNTAINTED in line:
        return 0
    if _TAINTED in line:
        return _of_report(line.rpartition(_TAINTED)[2])
    for name in _SYSCTL:
        before, sign, value = line.partition(name)
        digits = value.lstrip(" =:").split(None, 1)[:1]
        if sign and not before.strip() and digits and digits[0].isascii() and digits[0].isdecimal():
            return int(digits[0][:20]) & (1 << 64) - 1
    return None


def _of_report(text: str) -> int | None:
    """Read ``G        W  OE     6.1.0`` or ``[W]=WARN, [O]=OOT_MODULE``."""
    if text.startswith("["):
        marks = {part.strip()[1:2] for part in text.split(",") if part.strip()[2:4] == "]="}
    else:
        marks = set()
        for word in text.split():
            if not set(word) <= {*_KNOWN, _NOTHING}:
                break
            marks.update(word)
        if not marks:
            return None
    return sum(1 << bit for bit, letter in enumerate(_KNOWN) if letter in marks)


def _listed(line: str) -> list[tuple[str, str, bool]]:
    """Give name, letters and whether it is gone of the modules in a list, ``nvidia(PO) fat vfat(+)``."""
    begin = next((sign for sign in (_LIST, *_UNLOADED) if sign in line), None)
    if begin is None:
        return []
    found = []
    is_gone = begin != _LIST
    for word in line.partition(begin)[2].replace("[", " [").split():
        if word.startswith(("[last", "Unloaded")):
            is_gone = True
        name, bracket, marks = word.rstrip("],").partition("(")
        marks = marks.partition(")")[0].rstrip("+-")
        if bracket and name and marks and set(marks) <= set(_KNOWN):
            found.append((name, marks, is_gone))
    return found
