"""One key in detail: of a keyring or list, by its fingerprint or other number, or out of a file."""

import datetime as dt
import os
from typing import TYPE_CHECKING

from lkm.actions.trusted_keys.listing import notes_on
from lkm.actions.trusted_keys.results import ListedKey, TrustReport
from lkm.errors import LkmError
from lkm.formats.certificate import describe
from lkm.rules.signatures.trusted_certificate import as_kept
from lkm.system.trust_store import Keyring

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["keys_named"]

_SHORTEST = 6  # digits of a fingerprint, below which it is more likely a word
_DIGITS = frozenset("0123456789abcdef")


def keys_named(report: TrustReport, word: str) -> tuple[ListedKey, ...]:
    """Find the keys that a word means.

    :param report: of the kernel
    :param word: a keyring (``.machine``, ``machine``) or a variable (``db``); the first digits of a fingerprint, or a
        key identifier or a serial number; or the path of a file with certificates, PEM or DER
    :returns: none for a keyring that holds none
    :raises Unreadable: the file can't be read, or holds none
    :raises LkmError: the kernel has no such key
    """
    places = {place.lstrip(".").lower(): place for place in _places(report)}
    place = places.get(word.lstrip(".").lower())
    if place is not None and "/" not in word:
        return tuple(key for key in report.keys if key.place == place)
    if os.path.exists(word) or "/" in word:  # noqa: PTH110  pathlib is dear at start-up
        return tuple(_of_file(report, word))
    digits = word.lower().replace(":", "").removeprefix("0x")
    if len(digits) >= _SHORTEST and _DIGITS.issuperset(digits):
        found = tuple(key for key in report.keys if _has_number(key, digits))
        if found:
            return found
        raise LkmError(f"no key here has the number {word[:80]}", hint="lkm keys lists the fingerprints")
    raise LkmError(
        f"{word[:80]!r} is no keyring, no number of a key, and no file",
        hint=f"name one of {', '.join(_places(report))}; or a fingerprint, or a file with a certificate",
    )


def _places(report: TrustReport) -> tuple[str, ...]:
    """Name all keyrings, those that are empty or missing too, and the lists that are there."""
    return (*(keyring.value for keyring in Keyring), *(found.name for found in report.lists))


def _has_number(key: ListedKey, digits: str) -> bool:
    if key.facts is not None and key.facts.fingerprint.startswith(digits):
        return True
    serial = "" if key.facts is None else f"{key.facts.serial:x}"
    return digits in {key.key_id, serial} or key.key_id.startswith(digits)


def _of_file(report: TrustReport, path: str) -> "Iterator[ListedKey]":
    from lkm.actions.certificate_files import read_certificates_as_der  # noqa: PLC0415  few keys come out of files

    for certificate in read_certificates_as_der(path):
        yield _described(report, certificate, path)


def _described(report: TrustReport, certificate: bytes, path: str) -> ListedKey:
    facts, kept = describe(certificate), as_kept(certificate)
    identifiers = (kept.identifier, kept.key_id) if kept else ()
    held = dict.fromkeys(key.place for key in report.keys if key.certificate == certificate)
    keyrings = [place for place in held if place.startswith(".")]
    notes = [f"in {', '.join(held)}" if held else "in no keyring and no list here"]
    if held and not keyrings:
        notes.append("in no keyring of this kernel")
    against = notes_on(facts, certificate, report.store, dt.datetime.now(dt.UTC)) if facts else ()
    return ListedKey(
        place="",
        name=f"{len(certificate)} bytes that are no certificate" if facts is None else facts.name or facts.subject,
        key_id=(kept.key_id or kept.serial).hex() if kept else "",
        facts=facts,
        certificate=certificate,
        source=path,
        modules=report.signers.by(*identifiers) if report.signers else None,
        notes=(*notes, *against),
    )
