"""What is told of the keys that a kernel trusts."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lkm.formats.certificate import CertificateFacts
    from lkm.system.firmware import FirmwareState
    from lkm.system.module_signers import ModuleSigners
    from lkm.system.trust_store import Keyring, TrustStore

__all__ = ["GIVEN", "FirmwareList", "KeyringReport", "ListedKey", "TrustOptions", "TrustReport"]

GIVEN = "given by --trust"
"""The source of a certificate that the caller wants to be taken as enrolled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustOptions:
    """How to look.

    :param profile_file: a saved profile of the kernel, of the host
    :param kernel_image: a vmlinuz or vmlinux to take the facts from, of the host
    :param efivars: a directory of the host that EFI variables were copied to, in place of the root's
    :param trust: certificates to take as enrolled by the machine's owner, DER
    :param counts: count the modules that each key signed
    :param now: for what has expired
    """

    profile_file: str | None = None
    kernel_image: str | None = None
    efivars: str | None = None
    trust: tuple[bytes, ...] = ()
    counts: bool = True
    now: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key.

    :param place: the keyring or the firmware's variable that it is in
    :param name: the subject in short
    :param key_id: the subject key identifier, or without one the serial number, in hexadecimal digits
    :param facts: what the certificate says; None where only the running kernel's description of it is known, or where
        it can't be read
    :param certificate: DER, or None likewise
    :param source: where it was read
    :param modules: how many modules of the tree name it as their signer; None where they were not counted
    :param is_live: the running kernel shows it there; None where another kernel is meant, or can't be seen
    :param notes: what to know: revoked, expired, missing
    """

    place: str
    name: str
    key_id: str
    facts: "CertificateFacts | None"
    certificate: bytes | None
    source: str
    modules: int | None = None
    is_live: bool | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyringReport:
    """A keyring.

    :param accepts: modules that a key in it signed are taken as signed; for ``.blacklist`` they are refused
    :param meaning: the same in words
    :param hashes: how many certificates and files it names by hash
    :param is_known: nothing hides what should be in it
    """

    keyring: "Keyring"
    accepts: bool
    meaning: str
    keys: tuple[ListedKey, ...]
    hashes: int = 0
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class FirmwareList:
    """A variable of the firmware or of shim.

    :param name: as in ``db``
    :param meaning: what it is for, and what the kernel makes of it
    :param keys: the certificates in it
    :param others: how many entries are no certificates: hashes above all
    :param source: its file
    """

    name: str
    meaning: str
    keys: tuple[ListedKey, ...]
    others: int
    source: str


@dataclass(frozen=True, slots=True)
class TrustReport:
    """All of it.

    :param release: the kernel; empty where only the running kernel's keyrings are known
    :param is_running: it is the running one, whose keyrings were asked
    :param store: what the kernel holds once it has started, without what the running one shows
    :param signers: who signed the modules of the tree; None where they were not looked at
    :param strangers: by name the signers of modules that none of the keys belongs to, and how many modules each has
    :param problems: what is not known, and why
    """

    release: str
    is_running: bool
    store: "TrustStore"
    keyrings: tuple[KeyringReport, ...]
    lists: tuple[FirmwareList, ...]
    signers: "ModuleSigners | None"
    strangers: tuple[tuple[str, int], ...]
    problems: tuple[str, ...]

    @property
    def firmware(self) -> "FirmwareState":
        """What the firmware says."""
        return self.store.firmware

    @property
    def keys(self) -> tuple[ListedKey, ...]:
        """Give the keys of all keyrings and lists."""
        in_keyrings = (key for keyring in self.keyrings for key in keyring.keys)
        return (*in_keyrings, *(key for found in self.lists for key in found.keys))
