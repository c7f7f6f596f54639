"""The keys that a kernel trusts, in words and for programs."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lkm.interfaces.cli.output import print_line, print_table, print_text

if TYPE_CHECKING:
    from lkm.actions.trusted_keys.results import FirmwareList, KeyringReport, ListedKey, TrustReport
    from lkm.system.firmware import FirmwareState

__all__ = ["key_as_json", "print_keys", "print_report", "report_as_json"]

_SHORT = 12  # digits of a fingerprint that tell it from others
_HEADER = ("FINGERPRINT", "KEY", "UNTIL", "MODULES", "SUBJECT")
_UNKNOWN = "-"


# --- for people -------------------------------------------------------------------------------------------------------


def print_report(report: "TrustReport") -> None:
    """Print a table a keyring, then the firmware's lists, then what the modules here are signed with."""
    for line in _head(report):
        print_text(line)
    for keyring in report.keyrings:
        print()
        print_text(f"{keyring.keyring.value}: {keyring.meaning}", style="bold")
        _print_keyring(keyring)
    if report.lists:
        print()
        print_line("lists of the firmware and of shim", "bold")
        _print_lists(report.lists)
        _print_meanings(report.lists)
    endings = [*_modules(report), *(f"note: {problem}" for problem in report.problems)]
    if endings:
        print()
    for line in endings:
        print_text(line)


def _head(report: "TrustReport") -> Iterator[str]:
    if report.release:
        yield f"kernel {report.release}, {'which is running' if report.is_running else 'as it would start here'}"
    else:
        yield "the running kernel"
    yield _secure_boot(report.firmware)
    for name in report.firmware.requests:
        from lkm.system.firmware import REQUESTS  # noqa: PLC0415  rarely does anything wait

        yield f"waiting for MokManager at the next start: {REQUESTS[name]}"


def _secure_boot(firmware: "FirmwareState") -> str:
    if not firmware.is_efi:
        return "Secure Boot: none, as no UEFI firmware is there"
    if firmware.secure_boot is None:
        return "Secure Boot: not known"
    if not firmware.secure_boot:
        return "Secure Boot: off"
    if firmware.setup_mode:
        return "Secure Boot: off, as the firmware is in setup mode"
    if firmware.mok_validation_disabled:
        return "Secure Boot: off for the kernel, as shim was told not to validate"
    return "Secure Boot: on"


def _print_keyring(keyring: "KeyringReport") -> None:
    if keyring.keys:
        print_table(_HEADER, [_row(key) for key in keyring.keys], numbers=[3])
    if keyring.hashes:
        what = "hash of a certificate or file" if keyring.hashes == 1 else "hashes of certificates and files"
        print_line(f"{keyring.hashes} {what}")
    if not keyring.keys and not keyring.hashes:
        print_line("empty" if keyring.is_known else "not known")


def _row(key: "ListedKey") -> tuple[str, ...]:
    notes = list(key.notes)
    if key.is_live is False:
        notes.append("not in the running kernel's keyring")
    name = f"{key.name} ({'; '.join(notes)})" if notes else key.name
    modules = _UNKNOWN if key.modules is None else str(key.modules)
    if key.facts is None:
        return (_UNKNOWN, _UNKNOWN, _UNKNOWN, modules, name)
    return (key.facts.fingerprint[:_SHORT], key.facts.key, f"{key.facts.not_after:%Y-%m-%d}", modules, name)


def _print_lists(lists: "Sequence[FirmwareList]") -> None:
    rows: list[tuple[str, ...]] = []
    for found in lists:
        for key in found.keys:
            fingerprint, _, until, _, subject = _row(key)
            rows.append((found.name, fingerprint, until, subject))
        if found.others:
            what = "hash or other entry" if found.others == 1 else "hashes and other entries"
            rows.append((found.name, _UNKNOWN, _UNKNOWN, f"{found.others} {what}"))
    print_table(("LIST", "FINGERPRINT", "UNTIL", "SUBJECT"), rows)


def _print_meanings(lists: "Sequence[FirmwareList]") -> None:
    for found in lists:
        print_text(f"{found.name}: {found.meaning}")


def _modules(report: "TrustReport") -> Iterator[str]:
    signers = report.signers
    if signers is None:
        return
    for name, count in report.strangers:
        yield f"{_count(count)} signed by {name!r}, whose key is in no keyring that is known"
    if signers.unsigned:
        yield f"{_count(signers.unsigned)} not signed"
    if signers.unreadable:
        yield f"{signers.unreadable} of the modules can't be read, or hold a signature that can't be"


def _count(number: int) -> str:
    return "1 module here is" if number == 1 else f"{number} modules here are"


def print_keys(keys: "Sequence[ListedKey]") -> None:
    """Print all about some keys."""
    for number, key in enumerate(keys):
        if number:
            print()
        print_line(key.name, "bold")
        for name, value in _facts(key):
            print_text(value, lead=f"  {name + ':':13}")


def _facts(key: "ListedKey") -> Iterator[tuple[str, str]]:
    if key.place:
        yield "in", key.place
    facts = key.facts
    if facts is not None:
        yield "subject", facts.subject
        yield "issuer", "itself" if facts.is_self_signed else facts.issuer
        yield "serial", f"{facts.serial:x}"
    yield "key id", _key_id(key) or "none"
    if facts is not None:
        yield "valid", f"{facts.not_before:%Y-%m-%d %H:%M} to {facts.not_after:%Y-%m-%d %H:%M} UTC"
        yield "key", facts.key + (f", certified with {facts.signed_with}" if facts.signed_with else "")
        yield "purposes", ", ".join((*facts.usages, *(("certificate authority",) if facts.is_ca else ()))) or "any"
        yield "fingerprint", f"{facts.fingerprint} (SHA-256)"
    yield "read from", key.source
    if key.modules is not None:
        yield "modules", f"{_count(key.modules)} signed with it" if key.modules else "none here is signed with it"
    if key.is_live is not None:
        yield (
            "running",
            "the running kernel has it there" if key.is_live else "the running kernel does not have it there",
        )
    for note in key.notes:
        yield "note", note


def _key_id(key: "ListedKey") -> str:
    """Give the subject key identifier; of what only the kernel describes, whatever it calls the key by."""
    if key.facts is None:
        return key.key_id
    return "" if key.facts.key_id is None else key.facts.key_id.hex()


# --- for programs -----------------------------------------------------------------------------------------------------


def report_as_json(report: "TrustReport") -> dict[str, object]:
    """Give a report as what ``json.dumps`` takes."""
    firmware, signers = report.firmware, report.signers
    return {
        "release": report.release or None,
        "running": report.is_running,
        "secure_boot": {
            "efi": firmware.is_efi,
            "enforced": firmware.enforces,
            "secure_boot": firmware.secure_boot,
            "setup_mode": firmware.setup_mode,
            "shim_validation_disabled": firmware.mok_validation_disabled,
            "requests": list(firmware.requests),
        },
        "keyrings": [
            {
                "name": found.keyring.value,
                "accepts_modules": found.accepts,
                "text": found.meaning,
                "revoked_hashes": found.hashes,
                "known": found.is_known,
                "keys": [key_as_json(key) for key in found.keys],
            }
            for found in report.keyrings
        ],
        "lists": [
            {
                "name": found.name,
                "text": found.meaning,
                "source": found.source,
                "others": found.others,
                "keys": [key_as_json(key) for key in found.keys],
            }
            for found in report.lists
        ],
        "modules": None
        if signers is None
        else {
            "total": signers.total,
            "unsigned": signers.unsigned,
            "unreadable": signers.unreadable,
            "by_unknown_keys": [{"signer": name, "modules": count} for name, count in report.strangers],
        },
        "problems": list(report.problems),
    }


def key_as_json(key: "ListedKey") -> dict[str, object]:
    """Give a key likewise."""
    facts = key.facts
    return {
        "in": key.place or None,
        "name": key.name,
        "key_id": _key_id(key) or None,
        "subject": facts.subject if facts else None,
        "issuer": facts.issuer if facts else None,
        "serial": f"{facts.serial:x}" if facts else None,
        "not_before": facts.not_before.isoformat() if facts else None,
        "not_after": facts.not_after.isoformat() if facts else None,
        "key": facts.key if facts else None,
        "usages": list(facts.usages) if facts else None,
        "ca": facts.is_ca if facts else None,
        "fingerprint": facts.fingerprint if facts else None,
        "source": key.source,
        "modules": key.modules,
        "live": key.is_live,
        "notes": list(key.notes),
    }
