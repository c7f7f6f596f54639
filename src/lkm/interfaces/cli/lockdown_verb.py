"""Tell what a kernel demands of modules and who said so: lockdown, good signatures, loading turned off.

With it come what lockdown forbids of what concerns modules, what the kernel's configuration decides, and what becomes
of a module by how it is signed. --root and --release name a kernel that is only installed: then it is what it will do.
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.interfaces.cli.output import print_json, print_line, print_table, print_text, wants_json

if TYPE_CHECKING:
    from lkm.actions.lockdown.report import Demands, LockdownReport
    from lkm.rules.signatures.trust_table import Outcome, TrustRow

__all__ = ["add_arguments", "run"]

_COLUMNS = ("UNSIGNED", "UNKNOWN", "BUILT-IN", "MOK", "DB", "REVOKED", "CHANGED")
_UNKNOWN = "not known, as the kernel's configuration is not"
_LEGEND = (
    "> marks how this kernel stands. Columns: unsigned; signed with an unknown key,",
    "  with one of the kernel's own, of the machine's owner (MOK), of the firmware",
    "  (db), with an owner's that is denied, too (MokListX); changed after signing.",
    "E: it taints the kernel. EPERM: Operation not permitted. 129: EKEYREJECTED, Key",
    "  was rejected by service.",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments: it has none."""
    del parser


def run(options: argparse.Namespace, session: Session) -> int:
    """Print what is demanded, and the table."""
    from lkm.actions.lockdown.report import lockdown_report  # noqa: PLC0415  --help needs none

    report = lockdown_report(session)
    if wants_json(options):
        print_json("lockdown", **_as_json(report))
    else:
        _print(report)
    return 0


def _as_json(report: "LockdownReport") -> dict[str, object]:
    demands = report.demands
    setter = demands.setter
    return {
        "release": report.release,
        "running": report.is_running,
        "lockdown": {
            "mode": demands.mode.value,
            "told_by_kernel": demands.is_told,
            "supported": report.supported,
            "set_by": setter.origin.name.lower().replace("_", "-") if setter else None,
            "evidence": setter.evidence if setter else "",
            "restrictions": [
                {"reason": found.reason, "text": found.words, "source": found.source} for found in report.restrictions
            ],
        },
        "sig_enforce": {
            "value": demands.sig_enforce,
            "by": demands.enforcer,
            "signatures_checked": demands.checks_signatures,
        },
        "modules_disabled": {"value": demands.modules_disabled, "by": demands.disabler},
        "secure_boot": {"state": demands.secure_boot.value, "text": demands.secure_boot.words},
        "config": [{"option": fact.option, "value": fact.value, "text": fact.words} for fact in report.options],
        "config_source": report.config_source,
        "table": [_row_as_json(row) for row in report.table],
        "notes": list(report.notes),
    }


def _row_as_json(row: "TrustRow") -> dict[str, object]:
    return {
        "here": row.is_here,
        "secure_boot": row.setting.secure_boot,
        "lockdown": row.setting.lockdown.value,
        "sig_enforce": row.setting.sig_enforce,
        "outcomes": {
            kind.value: {
                "loads": outcome.loads,
                "errno": outcome.errno,
                "errno_name": outcome.errno_name,
                "taints": outcome.taints,
                "log": outcome.log,
            }
            for kind, outcome in row.outcomes.items()
        },
    }


def _print(report: "LockdownReport") -> None:
    print_line(f"kernel {report.release}{'' if report.is_running else ', which does not run here'}")
    print_table(("WHAT", "HOW IT STANDS"), _rows(report.demands))
    for note in report.notes:
        print_text(note, lead="note: ")
    if report.restrictions:
        print()
        print_line("what this lockdown forbids of what concerns modules:")
        rows = [(found.reason, found.words) for found in report.restrictions]
        print_table(("THE KERNEL'S WORDS", "MEANING"), rows)
    print()
    if not report.options:
        print_line(f"the kernel's configuration is {report.config_source}")
        return
    print_line(f"what its configuration decides ({report.config_source}):")
    print_table(
        ("OPTION", "VALUE", "MEANING"), [(fact.option, fact.value or "-", fact.words) for fact in report.options]
    )
    if report.table:
        _print_table(report.table)


def _rows(demands: "Demands") -> list[tuple[str, str]]:
    lockdown = demands.mode.value if demands.knows_mode else _UNKNOWN
    if demands.setter is not None:
        lockdown += f", by {demands.setter.origin.words}"
    rows = [("lockdown", lockdown)]
    if demands.setter is not None and demands.setter.evidence:
        rows.append(("", f"shown by: {demands.setter.evidence}"))
    signatures = "not enforced: modules without a good one may load, too"
    if demands.checks_signatures is False:
        signatures = "not looked at: the kernel was built without CONFIG_MODULE_SIG"
    elif demands.sig_enforce:
        signatures = f"enforced: only modules with a good one load; by {demands.enforcer}"
    elif not demands.knows_signatures:
        signatures = _UNKNOWN
    disabled = f"yes, until the next boot: by {demands.disabler}" if demands.modules_disabled else "no"
    return [
        *rows,
        ("Secure Boot", demands.secure_boot.words),
        ("signatures", signatures),
        ("modules disabled", disabled),
    ]


def _print_table(table: "tuple[TrustRow, ...]") -> None:
    print()
    print_line("what becomes of a module, by how it is signed:")
    rows = []
    for row in table:
        setting = row.setting
        mark = ">" if row.is_here else " "
        secure = {True: "on", False: "off", None: "?"}[setting.secure_boot]
        force = "both" if setting.sig_enforce else "lockdown"
        if setting.lockdown.value == "none":
            force = "signing" if setting.sig_enforce else "nothing"
        rows.append((f"{mark} {secure}", force, *map(_cell, row.outcomes.values())))
    print_table(("S. BOOT", "IN FORCE", *_COLUMNS), rows)
    for line in _LEGEND:
        print_line(line)


def _cell(outcome: "Outcome") -> str:
    if outcome.loads:
        return f"loads {outcome.taints}".rstrip()
    return "129" if outcome.errno_name == "EKEYREJECTED" else outcome.errno_name
