"""What verifying found, in words for people."""

from collections import Counter
from typing import TYPE_CHECKING

from lkm.actions.verifying.advice import next_steps
from lkm.interfaces.cli.output import print_line, print_table, print_text

if TYPE_CHECKING:
    from lkm.actions.verifying.verify import Verified, VerifyReport
    from lkm.rules.signatures.answer import SignatureAnswer

__all__ = ["print_modules", "print_tree"]

_MOST_NAMED = 20


def print_modules(report: "VerifyReport") -> None:
    """Print a paragraph for each module."""
    for number, module in enumerate(report.modules):
        if number:
            print()
        _print_module(module, report)
    _print_notes(report)


def _print_module(module: "Verified", report: "VerifyReport") -> None:
    found, kernel = module.answer, report.kernel
    print_text(f"{module.path}: {_headline(found, report)}")
    rows = [
        ("signer", found.signer),
        ("key", ", ".join(filter(None, (found.key, found.serial and f"serial {found.serial}")))),
        ("key id", found.key_id),
        ("hash", found.digest),
        ("contents", _contents(found)),
        ("from", found.source),
        ("policy", kernel.policy(found)),
    ]
    for name, value in rows:
        if value:
            print_text(value, lead=f"  {name:8}  ")
    for line in found.log:
        print_line(f"  {'log':8}  {line}")
    for number, step in enumerate(next_steps(found, module.path, kernel)):
        print_line(f"  {'' if number else 'next':8}  {step}")


def _headline(found: "SignatureAnswer", report: "VerifyReport") -> str:
    if not found.is_accepted:
        return f"not accepted: {found.why}"
    whose = f" of kernel {report.kernel.release}" if report.kernel.release else ""
    return f"accepted by {found.keyring or 'a key'}{whose}"


def _contents(found: "SignatureAnswer") -> str:
    if found.is_untouched is None:
        if found.state != "UNKNOWN_KEY":
            return ""
        return "can't be verified without the signer's certificate (lkm verify --certificate CERT)"
    return "as they were signed" if found.is_untouched else "changed after signing"


def print_tree(report: "VerifyReport") -> None:
    """Print how many modules each signer has, and name those that no keyring takes."""
    release = report.kernel.release
    whose = f"held against the keys of kernel {release}" if release else "held against the given certificates"
    print_line(f"{len(report.modules)} modules, {whose}")
    print()
    counts = Counter(_kind(module.answer) for module in report.modules)
    rows = [(str(count), *kind) for kind, count in counts.most_common()]
    print_table(("COUNT", "SIGNER", "KEY", "HASH", "ANSWER"), rows, numbers=[0])
    bad = [module for module in report.modules if not module.answer.is_accepted]
    if bad:
        _print_bad(bad, report)
    _print_notes(report)


def _kind(found: "SignatureAnswer") -> tuple[str, str, str, str]:
    result = f"accepted by {found.keyring or 'a key'}" if found.is_accepted else found.why
    return found.signer or "-", found.key or "-", found.digest or "-", result


def _print_bad(bad: "list[Verified]", report: "VerifyReport") -> None:
    print()
    print_line(f"{len(bad)} not accepted:")
    for module in bad[:_MOST_NAMED]:
        print_text(f"{module.relative}: {module.answer.why}", lead="  ")
    if len(bad) > _MOST_NAMED:
        print_line(f"  and {len(bad) - _MOST_NAMED} more; --json lists them all")
    policies = dict.fromkeys(policy for module in bad if (policy := report.kernel.policy(module.answer)))
    for policy in policies:
        print_text(policy, lead="policy: ")
    steps = next_steps(bad[0].answer, bad[0].path, report.kernel)
    print_line(f"next, as for the first: {steps[0]}")
    for step in steps[1:]:
        print_line(f"{'':24}{step}")


def _print_notes(report: "VerifyReport") -> None:
    for note in (*report.kernel.notes, *report.notes):
        print_text(note, lead="note: ")
