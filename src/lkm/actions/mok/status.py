"""How Secure Boot and the machine owner's keys stand, and what waits for the next start."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lkm.actions.mok.places import firmware_of
from lkm.formats.certificate import CertificateFacts, describe
from lkm.rules.signatures.secure_boot import SecureBoot, secure_boot_stand
from lkm.system.firmware import REQUESTS, FirmwareState

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.formats.efi_signature_lists import SignatureEntry

__all__ = ["ListedKey", "MokStatus", "Pending", "mok_status"]

_TRUTHS = ("SecureBoot", "SetupMode", "MokSBState")
_LISTS_OF_REQUESTS = {"MokNew": "enrolling", "MokDel": "deleting", "MokXNew": "denying", "MokXDel": "undenying"}


@dataclass(frozen=True, slots=True)
class ListedKey:
    """An entry of a list.

    :param facts: None where it is no certificate that can be read, but a hash
    :param words: a line about it
    """

    facts: CertificateFacts | None
    words: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that waits for MokManager.

    :param variable: as in ``MokNew``
    :param text: what it asks for
    :param keys: what about, where it names keys
    """

    variable: str
    text: str
    keys: tuple[ListedKey, ...]


@dataclass(frozen=True, slots=True)
class MokStatus:
    """All that ``lkm mok status`` tells.

    :param variables: the variables that decide: name, what it says (None where it is missing), file
    :param enrolled: the machine owner's keys
    :param knows_enrolled: their list could be read, or there is none
    :param remedy: the next commands, where there is something to be done
    :param counts: how many entries each list has, by the list's name
    """

    secure_boot: SecureBoot
    variables: tuple[tuple[str, bool | None, str], ...]
    enrolled: tuple[ListedKey, ...]
    knows_enrolled: bool
    pending: tuple[Pending, ...]
    counts: dict[str, int]
    problems: tuple[str, ...]
    remedy: tuple[str, ...]


def mok_status(session: "Session", efivars: str | None = None) -> MokStatus:
    """Read the firmware, and say what it means.

    :param efivars: a directory of the host with copied EFI variables
    :raises UsageError: it holds none
    """
    firmware = firmware_of(session, efivars)
    stand = _stand(session, firmware)
    validate = ("sudo mokutil --enable-validation",) if stand is SecureBoot.UNVALIDATED else ()
    confirm = ("sudo reboot",) if validate or firmware.requests else ()  # and MokManager asks
    return MokStatus(
        secure_boot=stand,
        variables=_variables(firmware) if firmware.is_efi else (),
        enrolled=_listed(firmware.mok_list),
        knows_enrolled="MokListRT" not in firmware.unread,
        pending=tuple(_pending(firmware, name) for name in firmware.requests),
        counts={
            "MokList": len(firmware.mok_list),
            "MokListX": len(firmware.mok_denied),
            "db": len(firmware.db),
            "dbx": len(firmware.dbx),
        },
        problems=firmware.problems,
        remedy=(*validate, *confirm),
    )


def _stand(session: "Session", firmware: FirmwareState) -> SecureBoot:
    """Tell how Secure Boot stands; an image of a system knows nothing of the machine that it will run on."""
    if not firmware.is_efi and not session.root.is_host:
        return SecureBoot.UNKNOWN
    return secure_boot_stand(firmware)


def _variables(firmware: FirmwareState) -> tuple[tuple[str, bool | None, str], ...]:
    values = (firmware.secure_boot, firmware.setup_mode, firmware.mok_validation_disabled)
    names = ("SecureBoot", "SetupMode", "MokSBStateRT")
    return tuple(
        (shown, value, firmware.sources.get(name) or firmware.sources.get(shown, ""))
        for shown, name, value in zip(_TRUTHS, names, values, strict=True)
    )


def _pending(firmware: FirmwareState, variable: str) -> Pending:
    entries: tuple[SignatureEntry, ...] = getattr(firmware, _LISTS_OF_REQUESTS.get(variable, ""), ())
    return Pending(variable, REQUESTS[variable], _listed(entries))


def _listed(entries: "tuple[SignatureEntry, ...]") -> tuple[ListedKey, ...]:
    return tuple(_key(entry) for entry in entries)


def _key(entry: "SignatureEntry") -> ListedKey:
    facts = describe(entry.certificate) if entry.certificate is not None else None
    if facts is not None:
        return ListedKey(facts, f"{facts.subject}, {facts.key}, until {facts.not_after:%Y-%m-%d}")
    kind = entry.type.name.lower() if entry.type else entry.guid
    return ListedKey(None, f"{kind} {entry.data[:32].hex()}")
