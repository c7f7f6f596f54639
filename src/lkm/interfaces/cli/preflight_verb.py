"""Before a kernel upgrade: say what RELEASE, which is installed beside the kernel in use, does to the modules in use.

Looked at is what is loaded now, what modules-load.d asks for, what the devices need and what DKMS builds; and whether
the lines of modprobe.d still have an object. Exit 1 if something that works now will not.
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.interfaces.cli.output import print_json, print_line, wants_json

if TYPE_CHECKING:
    from lkm.actions.preflight import Preflight
    from lkm.rules.upgrade import Finding

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("target", metavar="RELEASE", help="the kernel to come; --release names the one in use")


def run(options: argparse.Namespace, session: Session) -> int:
    """Print what changes, problems first."""
    from lkm.actions.preflight import preflight  # noqa: PLC0415  --help needs none

    found = preflight(session, options.target)
    if wants_json(options):
        print_json(
            "preflight",
            current=found.current,
            release=found.release,
            wanted=[{"module": module.name, "reasons": module.reasons} for module in found.wanted],
            findings=[_as_json(finding) for finding in found.findings],
        )
    else:
        _print(found)
    return 1 if found.problems else 0


def _as_json(finding: "Finding") -> dict[str, object]:
    return {
        "change": finding.change.value,
        "subject": finding.subject,
        "problem": finding.is_problem,
        "text": finding.text,
        "where": finding.where,
        "remedy": list(finding.remedy),
    }


def _print(found: "Preflight") -> None:
    count = len(found.problems)
    verdict = f"{count} {'problem' if count == 1 else 'problems'}" if count else "no problem"
    print_line(f"from {found.current} to {found.release}: {len(found.wanted)} modules in use or wanted, {verdict}")
    for finding in found.findings:
        where = f" ({finding.where})" if finding.where else ""
        print_line(f"{'problem' if finding.is_problem else 'note':8} {finding.text}{where}")
        for command in finding.remedy:
            print_line(f"{'':8} do: {command}")
