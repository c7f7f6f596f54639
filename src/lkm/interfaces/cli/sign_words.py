"""What `lkm sign` says of each module, and of all of them."""

import argparse
import os
import shlex
from collections import Counter
from typing import TYPE_CHECKING

from lkm.actions.signing.results import SignOutcome
from lkm.interfaces.cli.output import print_line, print_text
from lkm.interfaces.messages import as_json

if TYPE_CHECKING:
    from lkm.actions.initramfs_drift import Drift
    from lkm.actions.signing.results import SignedFile
    from lkm.actions.signing.sign import SignReport

__all__ = ["as_json_fields", "print_report"]

_MADE = frozenset((SignOutcome.SIGNED, SignOutcome.REPLACED, SignOutcome.ADDED))
_SUMMARY = {
    SignOutcome.SIGNED: "signed",
    SignOutcome.REPLACED: "signed anew",
    SignOutcome.ADDED: "signed over an old signature",
    SignOutcome.ALREADY: "signed so already",
    SignOutcome.KEPT: "left with somebody else's signature",
    SignOutcome.STRIPPED: "stripped",
    SignOutcome.UNSIGNED: "without a signature",
    SignOutcome.WRITTEN: "written out",
    SignOutcome.FAILED: "failed",
}
_MOST_NAMED = 4


def print_report(report: "SignReport", options: argparse.Namespace) -> None:
    """Tell people; what failed is told elsewhere."""
    names_each = options.tree is None or options.verbose
    if names_each:
        for file in report.files:
            if file.error is None:
                print_text(f"{_shown(file.path)}: {_became(file, is_dry=options.dry_run)}")
                for note in file.notes:
                    print_text(note, lead="  note: ")
    else:
        _print_notes(report.files)
    for note in report.notes:
        print_text(note, lead="note: ")
    _print_signature(report)
    if len(report.files) > 1 or options.tree is not None:
        _print_summary(report, options)
    for stale in report.stale:
        _print_stale(stale)
    _print_next(report, options)


def _became(file: "SignedFile", *, is_dry: bool) -> str:
    to = "" if file.target in {None, file.path} else f", in {_shown(file.target or '')}"
    by = f" (was signed by {file.former})" if file.former and file.outcome in _MADE else ""
    would = "would be " if is_dry else ""
    match file.outcome:
        case SignOutcome.ALREADY:
            return f"has this signature already{to}"
        case SignOutcome.KEPT:
            return f"is signed by {file.former} and left alone{to}"
        case SignOutcome.STRIPPED:
            return f"{would}stripped of its signature{f' by {file.former}' if file.former else ''}{to}"
        case SignOutcome.UNSIGNED:
            return f"has no signature{to}"
        case SignOutcome.WRITTEN:
            return f"{would}written to {_shown(file.target or '')}"
        case _:
            return f"{would}{_SUMMARY[file.outcome]} with {file.digest}{to}{by}"


def _shown(path: str) -> str:
    """Give a path as short as it can be: below the working directory without it."""
    try:
        here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118  pathlib is dear
    except OSError:
        return path
    return path.removeprefix(here)


def _print_notes(files: "tuple[SignedFile, ...]") -> None:
    """Tell what is to be known of the modules of a tree, the same only once."""
    where: dict[str, list[str]] = {}
    for file in files:
        for note in file.notes:
            where.setdefault(note, []).append(_shown(file.path))
    for note, paths in where.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        print_text(f"{paths[0]}{more}: note: {note}")


def _print_signature(report: "SignReport") -> None:
    """Tell whose signature it is, and why with this hash."""
    done = [file for file in report.files if file.error is None and file.outcome is not SignOutcome.KEPT]
    made = [file for file in done if file.digest]
    if made and report.certificate is not None:
        print_line(f"certificate: {report.certificate.name} (serial {report.certificate.serial:x})")
    for (digest, reason), count in Counter((file.digest, file.reason) for file in made).items():
        of = f" ({count} modules)" if count < len(made) else ""
        print_text(f"{digest}, {reason}{of}", lead="hash: ")


def _print_summary(report: "SignReport", options: argparse.Namespace) -> None:
    counts = Counter(file.outcome for file in report.files)
    parts = ", ".join(f"{counts[outcome]} {words}" for outcome, words in _SUMMARY.items() if counts[outcome])
    total = len(report.files)
    dry = "; nothing was written (--dry-run)" if options.dry_run else ""
    print_line(f"{total} {'module' if total == 1 else 'modules'}: {parts}{dry}")
    if counts[SignOutcome.KEPT]:
        signers = Counter(file.former for file in report.files if file.outcome is SignOutcome.KEPT)
        names = ", ".join(f"{name} ({count})" for name, count in signers.most_common(_MOST_NAMED))
        print_line(f"  signed by {names}; --replace or --add signs them, too")


def _print_stale(stale: "Drift") -> None:
    if stale.holds is None:
        print_line(f"{stale.image} may hold these modules as they were ({stale.problem})", "yellow")
    else:
        named = ", ".join(stale.holds[:_MOST_NAMED])
        more = f" and {len(stale.holds) - _MOST_NAMED} more" if len(stale.holds) > _MOST_NAMED else ""
        print_line(f"{stale.image} holds {named}{more} as before: early boot loads that", "yellow")
    if stale.rebuild:
        print_line(f"build it anew: sudo {stale.rebuild}")


def _print_next(report: "SignReport", options: argparse.Namespace) -> None:
    """Name the command that tells whether a kernel takes the modules: a signature alone does not say so."""
    if not options.dry_run:
        _print_offline(report, options)
    targets = [file.target for file in report.files if file.outcome in _MADE and file.target is not None]
    if not targets or options.dry_run:
        return
    if options.tree is not None:
        place = options.output or options.tree
        words = ["--tree", *([place] if place else [])]
    elif len(targets) > _MOST_NAMED:
        words = ["--tree", _shown(os.path.commonpath(map(os.path.dirname, targets))) or "."]
    else:
        words = [_argument(_shown(target)) for target in targets]
    root, release = getattr(options, "root", None), getattr(options, "release", None) or report.kernel
    target = [*(["--root", root] if root else []), *(["--release", release] if release else [])]
    print_line(f"does a kernel take it? {shlex.join(['lkm', 'verify', *target, *words])}")


def _print_offline(report: "SignReport", options: argparse.Namespace) -> None:
    """Name what is to be done with what was written out: for the first, as for all others."""
    first = next((file for file in report.files if file.outcome is SignOutcome.WRITTEN), None)
    if first is None or first.target is None:
        return
    written, module = _argument(_shown(first.target)), _argument(_shown(first.path))
    old = [] if first.former is None else ["--add" if options.add else "--replace"]
    if options.detached:
        print_line(f"to put it to the module: {shlex.join(['lkm', 'sign', '--attach', written, *old, module])}")
        return
    signature = f"{written.removesuffix('.data')}.sig"
    signing = ["openssl", "dgst", f"-{first.digest}", "-sign", "KEY", "-out", signature, written]
    print_line(f"to be signed elsewhere: {shlex.join(signing)}")
    putting = ["lkm", "sign", "--raw-signature", signature, "--hash", first.digest, "--certificate", "CERT", *old]
    print_line(f"then: {shlex.join([*putting, module])}")


def _argument(path: str) -> str:
    """Keep a path from being taken for an option."""
    return f"./{path}" if path.startswith("-") else path


def as_json_fields(report: "SignReport") -> dict[str, object]:
    """Give the report as what ``json.dumps`` takes."""
    counts = Counter(file.outcome for file in report.files)
    fields: dict[str, object] = {
        "certificate": None
        if report.certificate is None
        else {"name": report.certificate.name, "serial": f"{report.certificate.serial:x}"},
        "counts": {outcome.value: counts[outcome] for outcome in SignOutcome},
        "files": [_file_as_json(file) for file in report.files],
        "notes": list(report.notes),
        "initramfs": [
            {
                "release": stale.release,
                "image": stale.image,
                "holds": None if stale.holds is None else list(stale.holds),
                "rebuild": stale.rebuild or None,
            }
            for stale in report.stale
        ],
    }
    if report.errors:
        fields["error"] = as_json(report.errors[0])
        fields["not_found"] = [as_json(error) for error in report.failures]
    return fields


def _file_as_json(file: "SignedFile") -> dict[str, object]:
    return {
        "file": file.path,
        "outcome": file.outcome.value,
        "written": file.target,
        "hash": file.digest or None,
        "reason": file.reason or None,
        "former_signer": file.former,
        "notes": list(file.notes),
        "error": None if file.error is None else as_json(file.error),
    }
