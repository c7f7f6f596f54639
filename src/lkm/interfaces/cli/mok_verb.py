"""Show how Secure Boot and the machine owner's keys (MOK) stand, and ask for a key to be enrolled or deleted.

A request is left by mokutil, and MokManager carries it out at the next start, at the machine itself; what it will ask
is listed. It wants a one-time password, which is asked for on the terminal, or read with --password-fd.
"""

import argparse
import os
import shlex
import sys
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.errors import UsageError
from lkm.interfaces.cli.output import print_json, print_line, print_table, print_text, wants_json

if TYPE_CHECKING:
    from lkm.actions.mok.places import MokTest
    from lkm.actions.mok.requests import MokRequest
    from lkm.actions.mok.status import ListedKey, MokStatus

__all__ = ["add_arguments", "run"]

_ACTIONS = "status|test|enrol|revoke"
_LONGEST = 4096  # bytes that are read of a descriptor
_MOST = 1 << 20  # descriptors of a process: the kernel's own limit (fs.nr_open)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    common = argparse.ArgumentParser(add_help=False, parents=[parser])  # global options behind the action, too
    common.add_argument("--efivars", metavar="DIR", help="use EFI variables that were copied to DIR")
    one = argparse.ArgumentParser(add_help=False, parents=[common])
    one.add_argument("certificate", metavar="CERTIFICATE", help="X.509, PEM or DER")
    request = argparse.ArgumentParser(add_help=False, parents=[one])
    request.add_argument("--dry-run", action="store_true", help="check all, and say what would be run")
    secret = request.add_mutually_exclusive_group()
    secret.add_argument("--password-fd", metavar="N", type=int, help="read the one-time password from this descriptor")
    secret.add_argument("--hash-file", metavar="FILE", help="use the hash that mokutil --generate-hash has printed")
    request.add_argument(
        "--force", action="store_true", help="ask even where nothing shows that shim started this system"
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar=_ACTIONS)
    for name, summary, parent, aliases in (
        ("status", "show Secure Boot, the keys and what waits", common, ()),
        ("test", "say whether a certificate is enrolled; exit 1 if not", one, ()),
        ("enrol", "ask for a certificate to be enrolled", request, ("enroll",)),
        ("revoke", "ask for a certificate to be deleted", request, ()),
    ):
        actions.add_parser(name, help=summary, description=summary, parents=[parent], add_help=False, aliases=aliases)


def run(options: argparse.Namespace, session: Session) -> int:
    """Show or ask."""
    if options.action == "status":
        return _status(options, session)
    if options.action == "test":
        return _test(options, session)
    return _request(options, session)


# --- status -----------------------------------------------------------------------------------------------------------


def _status(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.mok.status import mok_status  # noqa: PLC0415  --help needs none

    status = mok_status(session, options.efivars)
    if wants_json(options):
        print_json(
            "mok",
            action="status",
            secure_boot={"state": status.secure_boot.value, "text": status.secure_boot.words},
            variables=[
                {"name": name, "value": value, "source": source or None} for name, value, source in status.variables
            ],
            enrolled=[_key_as_json(key) for key in status.enrolled],
            pending=[
                {"variable": found.variable, "text": found.text, "keys": [_key_as_json(key) for key in found.keys]}
                for found in status.pending
            ],
            counts=status.counts,
            problems=list(status.problems),
            remedy=list(status.remedy),
        )
    else:
        _print_status(status, _do(options, session))
    return 0


def _do(options: argparse.Namespace, session: Session) -> str:
    """Introduce a command, which is for the machine whose variables were read."""
    return "do" if options.efivars is None and session.root.is_host else "do on that machine"


def _key_as_json(key: "ListedKey") -> dict[str, object]:
    facts = key.facts
    return {
        "text": key.words,
        "subject": facts.subject if facts else None,
        "key": facts.key if facts else None,
        "fingerprint": facts.fingerprint if facts else None,
        "not_after": facts.not_after.isoformat() if facts else None,
    }


def _print_status(status: "MokStatus", do: str) -> None:
    print_text(status.secure_boot.words, lead="Secure Boot: ")
    for name, value, source in status.variables:
        said = {True: "yes", False: "no", None: "can't be read" if source else "not there"}[value]
        print_line(f"  {name}: {said}{f' ({source})' if source else ''}")
    for problem in status.problems:
        print_text(problem, lead="  problem: ")
    if not status.variables:
        print_text("there is no list of machine owner's keys: UEFI firmware keeps them")
        return
    print_text(
        f"lists: MokList {status.counts['MokList']}, MokListX (denied) {status.counts['MokListX']},"
        f" db {status.counts['db']}, dbx (denied) {status.counts['dbx']} entries"
    )
    if status.knows_enrolled:
        _print_keys("enrolled machine owner's keys:", status.enrolled)
    else:
        print_line("which machine owner's keys are enrolled is not known")
    for found in status.pending:
        print_line(f"waits for the next start: {found.text} ({found.variable})", "yellow")
        for key in found.keys:
            print_line(f"  {key.words}")
    if not status.pending:
        print_line("no request waits for the next start")
    for command in status.remedy:
        print_line(f"{do}: {command}")


def _print_keys(title: str, keys: "tuple[ListedKey, ...]") -> None:
    if not keys:
        print_line("no machine owner's key is enrolled")
        return
    print_line(title)
    for key in keys:
        print_line(f"  {key.words}")


# --- test -------------------------------------------------------------------------------------------------------------


def _test(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.mok.certificate import read_mok_certificate  # noqa: PLC0415  (as above)
    from lkm.actions.mok.places import firmware_of, look_up, profile_of  # noqa: PLC0415

    certificate = read_mok_certificate(options.certificate)
    found = look_up(certificate, firmware_of(session, options.efivars), profile_of(session))
    if wants_json(options):
        print_json("mok", action="test", **_test_as_json(found))
    else:
        _print_test(found, _do(options, session))
    return 0 if found.is_enrolled else 1


def _test_as_json(found: "MokTest") -> dict[str, object]:
    facts = found.certificate.facts
    return {
        "certificate": found.certificate.path,
        "subject": facts.subject,
        "key": facts.key,
        "fingerprint": facts.fingerprint,
        "enrolled": found.is_enrolled,
        "places": [place.value for place in found.places],
        "keyring": found.keyring.value if found.keyring else None,
        "why": found.why,
        "is_efi": found.is_efi,
        "notes": list(found.certificate.notes),
    }


def _print_test(found: "MokTest", do: str) -> None:
    path, facts = found.certificate.path, found.certificate.facts
    verdict = "is enrolled" if found.is_enrolled else "is not enrolled"
    print_text(f"{path}: {verdict} ({facts.subject}, {facts.key})")
    for place in found.places:
        print_text(f"it {place.words}", lead="  ")
    if found.keyring is not None:
        print_text(
            f"modules that its key signed are taken by the kernel: the key is in {found.keyring.value}", lead="  "
        )
    elif found.why:
        print_text(found.why, lead="  note: ")
    for note in found.certificate.notes:
        print_text(note, lead="  note: ")
    if not found.is_efi:
        print_text(
            "this system was not started by UEFI firmware, and so keeps no machine owner's keys", lead="  note: "
        )
    elif not found.places:
        print_line(f"  {do}: sudo lkm mok enrol {shlex.quote(path)}")


# --- requests ---------------------------------------------------------------------------------------------------------


def _request(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.mok.requests import carry_out, plan_request  # noqa: PLC0415  (as above)
    from lkm.rules.signatures.mok_manager import RequestKind  # noqa: PLC0415

    kind = RequestKind.REVOKE if options.action == "revoke" else RequestKind.ENROL
    request = plan_request(
        session,
        kind,
        options.certificate,
        efivars=options.efivars,
        hash_file=options.hash_file,
        even_without_shim=options.force,
    )
    done = request.needed and not options.dry_run
    said = ""
    if not wants_json(options):
        _print_intent(request)
    if done:
        said = carry_out(session, request, lambda: _password(options.password_fd))
    if wants_json(options):
        print_json(
            "mok",
            action=kind.value,
            certificate=request.test.certificate.path,
            text=request.text,
            needed=request.needed,
            done=done,
            cancels=request.cancels,
            command=list(request.command) if request.needed else [],
            steps=[{"screen": step.screen, "action": step.action} for step in request.steps],
            said=said,
            notes=list(request.notes),
        )
    else:
        _print_request(request, done=done)
    return 0


def _print_intent(request: "MokRequest") -> None:
    print_text(request.text)
    for note in request.notes:
        print_text(note, lead="note: ")
    sys.stdout.flush()


def _print_request(request: "MokRequest", *, done: bool) -> None:
    path = request.test.certificate.path
    if done:
        print_line("mokutil has left the request" if request.steps else "mokutil has taken it back")
    elif request.needed:
        if not request.test.certificate.is_der:
            print_line(f"would convert {path} to DER")
        print_line(f"would run: {request.shown_command}")
    if not request.steps:
        return
    print_text("at the next start MokManager of shim asks, and only there and then:")
    rows = [(str(number), step.screen or "-", step.action) for number, step in enumerate(request.steps, 1)]
    print_table(("", "THE SCREEN SAYS", "WHAT TO DO"), rows, numbers=[0])
    print_line(f"afterwards: lkm mok test {shlex.quote(path)}; lkm keys")


def _password(descriptor: int | None) -> str:
    """Get the one-time password: from a descriptor, else twice from the terminal.

    :raises UsageError: there is no terminal, the descriptor can't be read, or the two differ
    """
    if descriptor is not None:
        return _from_descriptor(descriptor)
    from getpass import getpass  # noqa: PLC0415  only for people

    if not os.access("/dev/tty", os.R_OK | os.W_OK) or not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask for the one-time password on",
            hint="give it by --password-fd N, or its hash by --hash-file FILE",
        )
    print("a one-time password, which MokManager will ask for; its keyboard is a US one", file=sys.stderr)
    try:
        first, again = getpass("one-time password: "), getpass("the same again: ")
    except EOFError:
        print(file=sys.stderr)
        raise UsageError("no password was given, so nothing was asked for", hint="try again") from None
    if first != again:
        raise UsageError("the two passwords differ, so nothing was asked for", hint="try again")
    return first


def _from_descriptor(descriptor: int) -> str:
    where = f"--password-fd {descriptor}"
    if not 0 <= descriptor < _MOST:
        raise UsageError("is no number of an open file", where=where)
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            line = file.readline(_LONGEST)
    except OSError as error:
        raise UsageError(f"can't be read: {(error.strerror or str(error)).lower()}", where=where) from error
    return line.decode("utf-8", "replace").rstrip("\r\n")
