"""Find modules: which one claims a device or alias, exports a symbol, is a file, or is built by an option.

Without a kind all are tried that the text can be. Names, symbols and files may have wildcards. --all-devices shows
which modules claim the devices of this system.
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.errors import UsageError
from lkm.interfaces.cli.output import print_json, print_line, print_table, wants_json

if TYPE_CHECKING:
    from lkm.actions.finding.devices import Claim, Claims

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("text", nargs="?", help="what to look for")
    for kind, meaning in (
        ("name", "a module's name"),
        ("alias", "a device's modalias or another alias, as in fs-vfat"),
        ("device", "a device: /sys/..., /dev/..., its number (10:200, c10:200, b7:0), IDs (8086:10d3) or modalias"),
        ("filesystem", "a file-system type, as in vfat"),
        ("socket", "a socket family, as in 29 or AF_CAN"),
        ("symbol", "an exported symbol"),
        ("file", "a module file, by its path or name"),
        ("config", "an option of the kernel's configuration"),
    ):
        parser.add_argument(f"--{kind}", dest="kinds", action="append_const", const=kind, help=f"only: {meaning}")
    parser.add_argument("--all-devices", action="store_true", help="match all devices of /sys/devices")


def run(options: argparse.Namespace, session: Session) -> int:
    """Print what was found; exit 1 for nothing."""
    if options.all_devices:
        if options.text is not None or options.kinds:
            raise UsageError("--all-devices takes neither a text nor a kind")
        return _run_all(options, session)
    if options.text is None:
        raise UsageError("name what to look for, or say --all-devices")
    from lkm.actions.finding.find import find  # noqa: PLC0415  --help needs none

    kinds = tuple(options.kinds or ())
    found = find(session, options.text, kinds)
    reasons = () if found else _reasons(session, options.text, kinds)
    if wants_json(options):
        print_json(
            "find",
            release=session.tree.release,
            text=options.text,
            found=[
                {"module": hit.module, "kind": hit.kind, "evidence": hit.evidence, "builtin": hit.builtin}
                for hit in found
            ],
            hints=list(reasons),
        )
    elif found:
        rows = [(hit.module, hit.kind, hit.evidence + (" (built in)" if hit.builtin else "")) for hit in found]
        print_table(("MODULE", "BY", "BECAUSE"), rows)
    else:
        print_line(f"nothing in {session.tree.display_directory} answers to {options.text}")
        for reason in reasons:
            print_line(f"  hint: {reason}")
    return 0 if found else 1


def _reasons(session: Session, text: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    from lkm.actions.finding.nothing import why_nothing  # noqa: PLC0415  only where nothing is found

    return why_nothing(session, text, kinds)


def _run_all(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.finding.devices import claims_of_all  # noqa: PLC0415  (as above)

    found = claims_of_all(session)
    if wants_json(options):
        print_json("find", release=session.tree.release, devices=[_as_json(claims) for claims in found])
    elif found:
        rows = [(claims.device.path, claims.device.driver or "-", _modules(claims)) for claims in found]
        print_table(("DEVICE", "DRIVER", "MODULES"), rows)
    else:
        print_line("no device here has a modalias")
    return 0 if any(claims.modules for claims in found) else 1


def _as_json(claims: "Claims") -> dict[str, object]:
    return {
        "path": claims.device.path,
        "modalias": claims.device.modalias,
        "driver": claims.device.driver,
        "modules": [
            {
                "module": claim.module,
                "builtin": claim.builtin,
                "missing": claim.missing,
                "blacklisted": claim.blacklisted,
            }
            for claim in claims.modules
        ],
    }


def _modules(claims: "Claims") -> str:
    return ", ".join(map(_module, claims.modules)) or f"none for {claims.device.modalias}"


def _module(claim: "Claim") -> str:
    notes = (("built in", claim.builtin), ("missing", claim.missing), ("blacklisted", claim.blacklisted))
    told = ", ".join(note for note, applies in notes if applies)
    return f"{claim.module} ({told})" if told else claim.module
