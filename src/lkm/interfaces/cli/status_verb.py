"""Show a system at a glance: what needs attention first, with the next command, then how everything stands.

Looked at are the kernel, what is loaded, taints, Secure Boot, lockdown, signatures, DKMS, modprobe.d, modules-load.d,
devices without a driver, and the initramfs. --root looks at an image of a system. Exit 1 if something is not as it is
meant to be.
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.interfaces.cli.output import print_json, print_line, print_table, print_text, wants_json
from lkm.interfaces.cli.shown_commands import shortened

if TYPE_CHECKING:
    from lkm.actions.status.parts import Attention
    from lkm.actions.status.report import Status

__all__ = ["add_arguments", "run"]

_NAMES = {
    "secure_boot": "Secure Boot",
    "modules_disabled": "modules disabled",
    "dkms": "DKMS",
    "block_list": "block list",
    "boot_list": "wanted at boot",
}
_STYLES = {"problem": "red", "note": "yellow"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments: it has none."""
    del parser


def run(options: argparse.Namespace, session: Session) -> int:
    """Print what needs attention, and the overview."""
    from lkm.actions.status.report import status_of  # noqa: PLC0415  --help needs none

    status = status_of(session)
    if wants_json(options):
        print_json(
            "status",
            release=status.release,
            running=status.is_running,
            attention=[_as_json(found) for found in status.attention],
            facts=[{"name": fact.name, "value": fact.value, "text": fact.text} for fact in status.facts],
        )
    else:
        _print(status)
    return 1 if status.has_problems else 0


def _as_json(found: "Attention") -> dict[str, object]:
    return {
        "id": found.id,
        "level": found.level.value,
        "text": found.text,
        "where": found.where,
        "remedy": list(found.remedy),
    }


def _print(status: "Status") -> None:
    for found in status.attention:
        where = f" ({found.where})" if found.where and found.where not in found.text else ""
        print_text(f"{found.text}{where}", lead=f"{found.level.value:8} ", style=_STYLES[found.level.value])
        for command in found.remedy:
            print_line(f"{'':8} do: {shortened(command)}")
    if not status.attention:
        print_line("nothing needs attention", "green")
    print()
    rows = [(_NAMES.get(fact.name, fact.name), fact.text) for fact in status.facts]
    print_table(("WHAT", "HOW IT STANDS"), rows)
