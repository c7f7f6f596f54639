"""Which keys a kernel trusts for modules, and which never: its keyrings as they are filled when it starts.

The kernel's own certificates come first, then the firmware's db and dbx, then, only under Secure Boot, the lists of the
machine's owner (certs/system_keyring.c, security/integrity/platform_certs/load_uefi.c and keyring_handler.c, 5.10 to
7.2). A certificate that was listed as revoked by then is not taken into any keyring.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from lkm.errors import FormatError
from lkm.formats.ber import Ber
from lkm.formats.certificate import describe
from lkm.formats.efi_signature_lists import SignatureEntry, SignatureType
from lkm.formats.efi_variables import Attributes
from lkm.system.firmware import FirmwareState, read_firmware

if TYPE_CHECKING:
    from lkm.system.kernel_profile import KernelProfile
    from lkm.system.root import Root

__all__ = ["Keyring", "TrustStore", "TrustedKey", "read_trust_store", "trust_store_of"]

_USUAL = ("LOAD_UEFI_KEYS", "SYSTEM_BLACKLIST_KEYRING", "IMA_SECURE_AND_OR_TRUSTED_BOOT")
_SHA256 = 32  # bytes
_OF_CERTIFICATE = "tbs:"
_SEQUENCE, _BITS = 0x30, 0x03


class Keyring(Enum):
    """A keyring of the kernel, by the name it has there."""

    BUILTIN = ".builtin_trusted_keys"
    SECONDARY = ".secondary_trusted_keys"
    MACHINE = ".machine"
    PLATFORM = ".platform"
    BLACKLIST = ".blacklist"


class TrustedKey(NamedTuple):
    """A certificate in a keyring; in ``.blacklist`` one that is never to be trusted.

    :param certificate: DER
    :param source: where it was read, for people
    """

    certificate: bytes
    keyring: Keyring
    source: str


@dataclass(frozen=True, slots=True)
class TrustStore:
    """What a kernel's keyrings hold.

    :param keys: in the order in which the kernel takes them
    :param revoked_hashes: as the kernel writes them: ``tbs:`` and the hash of a certificate's signed part, or ``bin:``
        and the hash of a file
    :param firmware: what the firmware says
    :param problems: what is not known, in words
    """

    keys: tuple[TrustedKey, ...] = ()
    revoked_hashes: frozenset[str] = frozenset()
    firmware: FirmwareState = field(default_factory=FirmwareState)
    problems: tuple[str, ...] = ()

    def of(self, keyring: Keyring) -> tuple[TrustedKey, ...]:
        """Give a keyring's own certificates, without those of keyrings that it links to."""
        return tuple(key for key in self.keys if key.keyring is keyring)


def read_trust_store(root: "Root", profile: "KernelProfile") -> TrustStore:
    """Tell what the keyrings of a kernel hold once it has started with the firmware of a root.

    :param root: the machine's own, or another, of which an image has no firmware
    """
    return trust_store_of(profile, read_firmware(root))


def trust_store_of(profile: "KernelProfile", firmware: FirmwareState) -> TrustStore:
    """Tell what the keyrings of a kernel hold once it has started with this firmware."""
    filling = _Filling(profile, firmware)
    filling.take_image()
    if firmware.is_efi and filling.has("LOAD_UEFI_KEYS"):
        filling.take_firmware()
    return TrustStore(
        keys=tuple(dict.fromkeys(filling.keys)),
        revoked_hashes=frozenset(filling.hashes),
        firmware=firmware,
        problems=(*filling.problems, *firmware.problems),
    )


class _Filling:
    """Keyrings while they are filled.

    :ivar keys: what was taken
    :ivar hashes: what was listed as revoked
    :ivar problems: what is not known
    """

    def __init__(self, profile: "KernelProfile", firmware: FirmwareState) -> None:
        self._profile = profile
        self._firmware = firmware
        self._knows_config = not profile.sources.get("config", "").startswith("guessed")
        self.keys: list[TrustedKey] = []
        self.hashes: list[str] = []
        self.problems: list[str] = []

    def has(self, option: str) -> bool:
        """Tell whether the kernel was built so; where that is not known, whether distributions do."""
        return self._profile.has(option) if self._knows_config else option in _USUAL

    def take_image(self) -> None:
        """Take what the kernel's build put into the image."""
        profile = self._profile
        source = profile.sources.get("certificates", "the kernel image")
        if profile.certificates is None:
            self.problems.append(f"the keys in the kernel image are not known: {source.removeprefix('unknown: ')}")
        self._add(profile.certificates or (), Keyring.BUILTIN, source)
        self._add(profile.revoked_certificates, Keyring.BLACKLIST, source)
        if profile.config.get("SYSTEM_BLACKLIST_HASH_LIST"):
            self.problems.append("the hashes that the kernel's build lists as revoked are not known")
        if self._firmware.is_efi and not self._knows_config:
            self.problems.append("the kernel's configuration is not known, so where the firmware's keys go is a guess")

    def take_firmware(self) -> None:
        """``load_uefi_certs``."""
        firmware = self._firmware
        if firmware.is_apple_t2:
            self.problems.append("the kernel reads no keys of the firmware of Apple's computers with a T2 chip")
            return
        if not firmware.ignores_db and self._is_taken("db", is_owners=False):
            self._add(_certificates(firmware.db), Keyring.PLATFORM, self._source("db"))
        if self._is_taken("dbx", is_owners=False):
            self._revoke(firmware.dbx, self._source("dbx"))
        if not self._sees_secure_boot():
            if firmware.mok_list:
                self.problems.append("the owner's keys (MOK) count for nothing: the kernel takes Secure Boot as off")
            return
        if self._is_taken("MokListXRT", is_owners=True):
            self._revoke(firmware.mok_denied, self._source("MokListXRT"))
        if self._is_taken("MokListRT", is_owners=True):
            for certificate in _certificates(firmware.mok_list):
                self._add((certificate,), self._keyring_for_owners(certificate), self._source("MokListRT"))

    def _sees_secure_boot(self) -> bool:
        asks_ima = self._profile.traits.asks_ima_for_secure_boot
        return bool(self._firmware.enforces) and (not asks_ima or self.has("IMA_SECURE_AND_OR_TRUSTED_BOOT"))

    def _source(self, name: str) -> str:
        return self._firmware.sources.get(name, name)

    def _is_taken(self, name: str, *, is_owners: bool) -> bool:
        """``get_cert_list``: some kernels look at the attributes of a variable."""
        attributes = self._firmware.attributes.get(name)
        from_table = "mok-variables" in self._firmware.sources.get(name, "")
        if attributes is None or from_table or not self._profile.traits.checks_efi_attributes:
            return True
        if is_owners:
            is_taken = Attributes.NON_VOLATILE not in attributes
        else:
            is_taken = Attributes.TIME_BASED_AUTHENTICATED_WRITE_ACCESS in attributes
        if not is_taken:
            self.problems.append(f"{self._source(name)}: anybody could have written this, so the kernel ignores it")
        return is_taken

    def _add(self, certificates: Sequence[bytes], keyring: Keyring, source: str) -> None:
        for certificate in certificates:
            if not _looks_like_certificate(certificate):
                self.problems.append(f"{source}: {len(certificate)} bytes where a certificate should be")
            elif keyring is Keyring.BLACKLIST or not self._is_revoked(certificate):
                self.keys.append(TrustedKey(certificate, keyring, source))

    def _is_revoked(self, certificate: bytes) -> bool:
        """``x509_key_preparse``: a certificate whose hash is listed by now is not taken."""
        if not any(number.startswith(_OF_CERTIFICATE) for number in self.hashes):
            return False  # as in nearly every dbx; to describe a certificate is dear
        facts = describe(certificate)
        if facts is None:
            return False
        own = self._profile.traits.hashes_tbs_by_own_digest
        return f"{_OF_CERTIFICATE}{facts.tbs_own_digest if own else facts.tbs_sha256}" in self.hashes

    def _revoke(self, entries: Sequence[SignatureEntry], source: str) -> None:
        """``get_handler_for_dbx``: hashes of certificates and files, and certificates where the kernel can list them.

        The kernel takes an entry for a hash with all that stands behind it, the time of revocation, too.
        """
        if not self.has("SYSTEM_BLACKLIST_KEYRING"):
            return
        for entry in entries:
            if entry.type is SignatureType.X509_SHA256:
                self.hashes.append(f"{_OF_CERTIFICATE}{entry.data.hex()}")
            elif entry.type is SignatureType.SHA256:
                self.hashes.append(f"bin:{entry.data.hex()}")
        if any(entry.type is SignatureType.X509_SHA256 and len(entry.data) != _SHA256 for entry in entries):
            self.problems.append(
                f"{source} revokes certificates by a hash with a time, to no effect: the kernel takes the time for a"
                " part of the hash"
            )
        certificates = _certificates(entries)
        if self.has("SYSTEM_REVOCATION_LIST"):
            self._add(certificates, Keyring.BLACKLIST, source)
        elif certificates:
            number = "a certificate" if len(certificates) == 1 else f"{len(certificates)} certificates"
            self.problems.append(
                f"{source} revokes {number}, to no effect: this kernel keeps no list of revoked certificates"
                " (SYSTEM_REVOCATION_LIST is not set)"
            )

    def _keyring_for_owners(self, certificate: bytes) -> Keyring:
        """``get_handler_for_mok``, ``add_to_machine_keyring``, ``restrict_link_by_ca``."""
        traits = self._profile.traits
        is_trusted = traits.trusts_all_owner_keys or self._firmware.trusts_owner_keys
        has_keyring = self.has("INTEGRITY_MACHINE_KEYRING") or (not self._knows_config and traits.trusts_all_owner_keys)
        if not (has_keyring and is_trusted):
            return Keyring.PLATFORM
        facts = describe(certificate) if self.has("INTEGRITY_CA_MACHINE_KEYRING") else None
        if facts is None:
            return Keyring.MACHINE
        may_certify = facts.is_ca and "keyCertSign" in facts.usages
        is_strict = self.has("INTEGRITY_CA_MACHINE_KEYRING_MAX")
        is_taken = may_certify and not (is_strict and "digitalSignature" in facts.usages)
        return Keyring.MACHINE if is_taken else Keyring.PLATFORM


def _certificates(entries: Sequence[SignatureEntry]) -> tuple[bytes, ...]:
    return tuple(entry.certificate for entry in entries if entry.certificate is not None)


def _looks_like_certificate(der: bytes) -> bool:
    """Tell a certificate by its three parts; whether a kernel can use it is not asked here."""
    try:
        outer = Ber(der)
        parts = outer.inside(outer.take(_SEQUENCE))
        for tag in (_SEQUENCE, _SEQUENCE, _BITS):
            parts.take(tag)
    except FormatError:
        return False
    return True
