"""Decode what taints a kernel: which flags, what they mean, which module or event brought each.

Without an argument the kernel is asked. WHAT is a mask in decimal or hexadecimal as in /proc/sys/kernel/tainted, its
letters as in PO, a file with an oops or a log, or - to read one from the standard input. Nothing is changed.

exit status: 0 told, 2 wrong usage, or a text that says nothing of taint
"""

import argparse
from typing import TYPE_CHECKING

from lkm.errors import UsageError
from lkm.interfaces.cli.output import print_json, print_line, print_table, print_text, wants_json

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.actions.tainting import TaintReport
    from lkm.rules.taint_flags import TaintFlag

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("what", nargs="?", metavar="WHAT", help="a number, letters, a file, or - (default: the kernel)")
    parser.add_argument("--reason", action="store_true", help="say what a bug report should mention of each flag")


def run(options: argparse.Namespace, session: "Session") -> int:
    """Decode and print."""
    report = _report(options.what, session)
    if wants_json(options):
        print_json("taint", **_as_json(report))
    elif options.reason:
        _print_reasons(report)
    else:
        _print(report)
    return 0


def _report(what: str | None, session: "Session") -> "TaintReport":
    from lkm.actions import tainting  # noqa: PLC0415  --help needs none
    from lkm.interfaces.cli.pasted_text import text_from  # noqa: PLC0415  as above

    if what is None:
        return tainting.taint_of_kernel(session)
    if what == "":
        raise UsageError("an empty text is no mask", hint="without an argument the kernel's own is shown")
    report = None if what == "-" else tainting.taint_of_word(what)
    if report is None:
        hint = "give a number (4097, 0x1001), letters (PO), a file, or - for the standard input"
        return tainting.taint_of_text(text_from(what, hint=hint))
    return report


def _print(report: "TaintReport") -> None:
    print_line(_headline(report), style="bold")
    rows = [(flag.letter, str(flag.mask), _meaning(flag), _who(report, flag)) for flag in report.flags]
    if rows and any(row[3] for row in rows):
        print_table(("FLAG", "VALUE", "MEANING", "FROM"), rows, numbers=[1])
    elif rows:
        print_table(("FLAG", "VALUE", "MEANING"), [row[:3] for row in rows], numbers=[1])
    _print_rest(report)


def _headline(report: "TaintReport") -> str:
    if report.source == "number":
        return f"{report.mask} is {report.letters or 'no flag that is known'}" if report.mask else "0: not tainted"
    subject = f"kernel {report.release}" if report.release else "the kernel of this text"
    if not report.mask:
        return f"{subject} is not tainted"
    return f"{subject} is tainted: {report.mask} ({report.letters or 'no flag that is known'})"


def _meaning(flag: "TaintFlag") -> str:
    return f"{flag.meaning} (since {flag.since})" if flag.since else flag.meaning


def _who(report: "TaintReport", flag: "TaintFlag") -> str:
    modules = report.modules_with(flag.letter)
    told = [module.name if module.loaded else f"{module.name} (no longer loaded)" for module in modules]
    return ", ".join(told) or next((event.line for event in report.events_of(flag.letter)), "")


def _print_rest(report: "TaintReport") -> None:
    if report.unknown:
        bits = ", ".join(map(str, report.unknown))
        print_text(f"not known here: bit {bits}; a newer kernel, or one with a vendor's own flags, set it")
    for note in report.notes:
        print_text(note, lead="note: ")
    if report.mask:
        print_text("A flag stays until the next boot, also when what brought it is gone.")


def _print_reasons(report: "TaintReport") -> None:
    """Print what can stand in a bug report as it is."""
    print_line(_headline(report), style="bold")
    for flag in report.flags:
        print_line(f"{flag.letter}  {flag.meaning}")
        modules = report.modules_with(flag.letter)
        if modules:
            print_line(f"   modules: {', '.join(module.name for module in modules)}")
        for event in report.events_of(flag.letter)[:3]:
            print_line(f"   log: {event.line}")
        print_text(flag.advice, lead="   in a report: ")
    _print_rest(report)


def _as_json(report: "TaintReport") -> dict[str, object]:
    return {
        "mask": report.mask,
        "letters": report.letters,
        "source": report.source,
        "release": report.release,
        "flags": [
            {
                "letter": flag.letter,
                "bit": flag.bit,
                "name": flag.name,
                "meaning": flag.meaning,
                "since": flag.since,
                "modules": [module.name for module in report.modules_with(flag.letter)],
                "log": [event.line for event in report.events_of(flag.letter)],
                "advice": flag.advice,
            }
            for flag in report.flags
        ],
        "unknown_bits": list(report.unknown),
        "modules": [
            {"module": module.name, "letters": list(module.letters), "loaded": module.loaded}
            for module in report.modules
        ],
        "notes": list(report.notes),
    }
