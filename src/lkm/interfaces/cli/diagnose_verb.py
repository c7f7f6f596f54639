"""Say what error messages and log lines about modules mean, and what to do about it.

FILE has error messages, a piece of the kernel's log (dmesg, journalctl -k), or the log of a build (make.log); - is the
standard input. Lines of the kernel and of tools are seen together: what the kernel says decides what a tool meant. What
this system knows of the matter is added, as the line of modprobe.d at fault.

exit status: 0 a cause was found, 1 none was, 2 wrong usage or unreadable input
"""

import argparse
import sys
from typing import TYPE_CHECKING

from lkm.errors import Unreadable, UsageError
from lkm.interfaces.cli.output import print_json, print_line, print_text, wants_json

if TYPE_CHECKING:
    from lkm.actions.diagnosing.diagnose import Diagnosed, DiagnosisReport
    from lkm.actions.session import Session

__all__ = ["add_arguments", "run"]

_MOST = 6
_PASTE = (
    "what helps: the lines of the kernel's log from the moment it failed, beside what the command printed",
    "  sudo dmesg | tail -n 50 | lkm diagnose -",
    "  lkm diagnose --live -e 'modprobe: ERROR: could not insert …'",
    "for a build that failed: its whole log, from the first line on (make.log)",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="a text, or - for the standard input")
    parser.add_argument("-e", "--error", metavar="TEXT", action="append", default=[], help="an error message")
    parser.add_argument("--live", action="store_true", help="read the kernel's log as it is now")
    parser.add_argument("--text-only", action="store_true", help="judge the text alone, it is from another machine")
    parser.add_argument("--all", action="store_true", help=f"show all causes, not only the first {_MOST}")


def run(options: argparse.Namespace, session: "Session") -> int:
    """Diagnose and print."""
    from lkm.actions.diagnosing.diagnose import diagnose  # noqa: PLC0415  --help needs none

    report = diagnose(_text(options, session), None if options.text_only else session)
    if wants_json(options):
        print_json("diagnose", **_as_json(report))
    elif report.found:
        _print(report, most=None if options.all else _MOST)
    else:
        _print_nothing(report)
    return 0 if report.found else 1


def _text(options: argparse.Namespace, session: "Session") -> str:
    """Put all that is given together, the kernel's log first."""
    from lkm.interfaces.cli.pasted_text import text_from  # noqa: PLC0415  --help needs none

    files = options.files
    if not files and not options.live and not options.error:
        if sys.stdin.isatty():
            raise UsageError(
                "name a FILE, - for the standard input, --live for the kernel's log, or -e TEXT",
                hint="for example: sudo dmesg | lkm diagnose -",
            )
        files = ["-"]
    texts = ["\n".join(_log(session))] if options.live else []
    texts += [text_from(name, hint="an error message itself goes behind -e: lkm diagnose -e 'TEXT'") for name in files]
    return "\n".join(text.removesuffix("\n") for text in texts + options.error)


def _log(session: "Session") -> tuple[str, ...]:
    lines = session.kernel.log()
    if not lines:
        raise Unreadable("the kernel's log is empty, or can't be read", hint="as root: sudo lkm diagnose --live")
    return lines


def _print(report: "DiagnosisReport", most: int | None) -> None:
    for number, found in enumerate(report.found[:most]):
        if number:
            print()
        _print_one(found)
    left = len(report.found) - len(report.found[:most])
    if left:
        print()
        print_line(f"{left} more {'cause was' if left == 1 else 'causes were'} found: --all shows them")


def _print_one(found: "Diagnosed") -> None:
    print_text(f"{found.cause.id}: {found.cause.summary}", style="bold")
    if found.line:
        print_line(f"  shown by: {found.line}")
    for detail in found.details:
        print_text(detail, lead="  here: ")
    for command in found.cause.remedy:
        print_line(f"  try: {command}")


def _print_nothing(report: "DiagnosisReport") -> None:
    if not report.lines:
        print_line("the text is empty")
    else:
        lines = "the line shows" if report.lines == 1 else f"the {report.lines} lines show"
        print_line(f"{lines} nothing that lkm knows a cause for")
    for line in report.unknown:
        print_line(f"  not known: {line}")
    for line in _PASTE:
        print_line(line)


def _as_json(report: "DiagnosisReport") -> dict[str, object]:
    return {
        "lines": report.lines,
        "causes": [
            {
                "id": found.cause.id,
                "summary": found.cause.summary,
                "remedy": list(found.cause.remedy),
                "reference": found.cause.reference,
                "line": found.line or None,
                "module": found.words.get("module") or None,
                "details": list(found.details),
            }
            for found in report.found
        ],
        "unknown": list(report.unknown),
    }
