"""Where a certificate stands: enrolled, waiting, known anyway, or denied; and whether modules are taken for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lkm.errors import LkmError, Unreadable, UsageError
from lkm.formats.certificate import describe
from lkm.formats.efi_signature_lists import SignatureEntry, SignatureType
from lkm.rules.signatures.trust import accepting, lacking_in
from lkm.rules.signatures.trusted_certificate import as_kept
from lkm.system.firmware import FirmwareState, read_dump, read_firmware
from lkm.system.trust_store import Keyring, trust_store_of

if TYPE_CHECKING:
    from lkm.actions.mok.certificate import MokCertificate
    from lkm.actions.session import Session
    from lkm.formats.certificate import CertificateFacts
    from lkm.system.kernel_profile import KernelProfile

__all__ = ["MokTest", "Place", "firmware_of", "look_up", "profile_of", "taken_by"]


_OWNERS_LIST = "MokListRT"


class Place(Enum):
    """A list that has the certificate; the value is for programs."""

    ENROLLED = "enrolled"
    PENDING = "pending"
    DELETING = "deleting"
    DB = "db"
    BUILTIN = "builtin"
    DENIED = "denied"
    DENIED_BY_FIRMWARE = "dbx"
    DENYING = "denying"

    @property
    def words(self) -> str:
        """Say it, as an end of "it …"."""
        return _WORDS[self]

    @property
    def is_denied(self) -> bool:
        """Whether nothing that its key signed is to be trusted."""
        return self in {Place.DENIED, Place.DENIED_BY_FIRMWARE}


_WORDS = {
    Place.ENROLLED: "is enrolled as a machine owner's key (MokListRT)",
    Place.PENDING: "waits to be enrolled at the next start (MokNew)",
    Place.DELETING: "waits to be deleted at the next start (MokDel)",
    Place.DB: "is among the firmware's own keys (db)",
    Place.BUILTIN: "is built into the kernel",
    Place.DENIED: "is denied by the machine's owner (MokListXRT)",
    Place.DENIED_BY_FIRMWARE: "is denied by the firmware (dbx)",
    Place.DENYING: "waits to be denied at the next start (MokXNew)",
}


@dataclass(frozen=True, slots=True)
class MokTest:
    """Where a certificate stands.

    :param places: the lists that have it
    :param keyring: the keyring of the kernel by which modules that its key signed are taken; None where by none
    :param why: why modules are not taken, though it is enrolled, or what is not known; may be empty
    :param is_efi: the system was started by UEFI firmware, without which there are no such keys
    """

    certificate: "MokCertificate"
    places: tuple[Place, ...]
    keyring: Keyring | None
    why: str
    is_efi: bool = True

    @property
    def is_enrolled(self) -> bool:
        """Whether it is a machine owner's key now."""
        return Place.ENROLLED in self.places


def firmware_of(session: "Session", efivars: str | None) -> FirmwareState:
    """Read the firmware of the session's root, or variables that were copied to a directory of the host.

    :raises UsageError: the directory is none, or holds no variables
    """
    if efivars is not None:
        if not efivars:
            raise UsageError("the path of the copied EFI variables is empty", where="--efivars")
        return read_dump(efivars)
    return read_firmware(session.root)


def profile_of(session: "Session") -> "KernelProfile | None":
    """Give what is known of the kernel; None where that is nothing."""
    from lkm.actions.profile import profile_for  # noqa: PLC0415  dear

    try:
        return profile_for(session)
    except LkmError:
        return None


def look_up(certificate: "MokCertificate", firmware: FirmwareState, profile: "KernelProfile | None") -> MokTest:
    """Look a certificate up everywhere.

    :raises Unreadable: the owner's list can't be read, so that nobody can say whether it is there
    """
    places = tuple(_places(certificate.der, certificate.facts, firmware, profile))
    if _OWNERS_LIST in firmware.unread and Place.ENROLLED not in places:
        what = f"whether it is enrolled is not known, as {_OWNERS_LIST} can't be read"
        raise Unreadable(what, where=certificate.path, hint="lkm mok status tells why; run as root")
    if profile is None:
        unknown = "what the kernel makes of it is not known: neither its image nor its configuration was found"
        return MokTest(certificate, places, None, unknown, firmware.is_efi)
    keyring, why = taken_by(certificate.der, firmware, profile)
    if keyring is None and Place.ENROLLED in places:
        return MokTest(certificate, places, None, f"modules that its key signed are not taken: {why}", firmware.is_efi)
    return MokTest(certificate, places, keyring, "", firmware.is_efi)


def taken_by(der: bytes, firmware: FirmwareState, profile: "KernelProfile") -> tuple[Keyring | None, str]:
    """Tell by which keyring a kernel takes a certificate for modules, or why by none.

    :param der: of a certificate that is enrolled
    """
    if as_kept(der, profile.traits.oid_edition, lacking_in(profile)) is None:
        facts = describe(der)
        return None, f"the kernel {profile.release} can't use {facts.key if facts else 'this'}"
    store = trust_store_of(profile, firmware)
    keyring = accepting(der, store, profile)
    if keyring is not None:
        return keyring, ""
    otherwise = f"the kernel {profile.release} asks no keyring about modules that has it"
    return None, next((problem for problem in store.problems if "MOK" in problem), otherwise)


def _places(
    der: bytes, facts: "CertificateFacts", firmware: FirmwareState, profile: "KernelProfile | None"
) -> Iterable[Place]:
    lists = (
        (Place.ENROLLED, firmware.mok_list),
        (Place.PENDING, firmware.enrolling),
        (Place.DELETING, firmware.deleting),
        (Place.DB, firmware.db),
    )
    for place, entries in lists:
        if any(entry.certificate == der for entry in entries):
            yield place
    if profile is not None and der in (profile.certificates or ()):
        yield Place.BUILTIN
    denials = (
        (Place.DENIED, firmware.mok_denied),
        (Place.DENIED_BY_FIRMWARE, firmware.dbx),
        (Place.DENYING, firmware.denying),
    )
    for place, entries in denials:
        if any(_is_of(entry, der, facts) for entry in entries):
            yield place


def _is_of(entry: SignatureEntry, der: bytes, facts: "CertificateFacts") -> bool:
    """Tell whether an entry means a certificate: by itself, or by the hash of what its issuer signed."""
    if entry.type is SignatureType.X509_SHA256:  # the time of revocation stands behind the hash
        return entry.data[:32].hex() == facts.tbs_sha256
    if entry.type in {SignatureType.X509_SHA384, SignatureType.X509_SHA512}:
        size = 48 if entry.type is SignatureType.X509_SHA384 else 64
        return entry.data[:size].hex() == facts.tbs_own_digest
    return entry.certificate == der
