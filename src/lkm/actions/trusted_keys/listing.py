"""Putting together what a kernel should hold, what the running one shows, and who signed the modules."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lkm.actions.trusted_keys.results import GIVEN, FirmwareList, KeyringReport, ListedKey, TrustOptions
from lkm.formats.certificate import CertificateFacts, describe
from lkm.rules.signatures.trust import asks_platform, lacking_in
from lkm.rules.signatures.trusted_certificate import as_kept
from lkm.system.firmware import REQUESTS
from lkm.system.kernel_keyrings import KernelKeyrings
from lkm.system.trust_store import Keyring, TrustedKey, TrustStore

if TYPE_CHECKING:
    from lkm.formats.efi_signature_lists import SignatureEntry
    from lkm.formats.proc_keys import KernelKey
    from lkm.system.kernel_profile import KernelProfile
    from lkm.system.module_signers import ModuleSigners

__all__ = ["Listing", "notes_on"]

_LIVE = "/proc/keys"
_INTO_KEYRINGS = frozenset({"db", "MokListRT", *(keyring.value for keyring in Keyring)})
_RUNNING_ONLY = "only its description can be seen: the kernel shows no certificates"


class Listing:
    """Keys with all that is known of them."""

    def __init__(
        self,
        profile: "KernelProfile | None",
        store: TrustStore,
        live: KernelKeyrings,
        signers: "ModuleSigners | None",
        options: TrustOptions,
    ) -> None:
        self._profile = profile
        self._lacking = frozenset() if profile is None else lacking_in(profile)
        self._store = store
        self._live = live
        self._signers = signers
        self._options = options
        self._now = options.now or dt.datetime.now(dt.UTC)

    # --- keyrings -----------------------------------------------------------------------------------------------------

    def keyrings(self) -> tuple[KeyringReport, ...]:
        """List the keyrings in the order in which the kernel asks them."""
        given = tuple(TrustedKey(der, Keyring.MACHINE, GIVEN) for der in self._options.trust)
        found = []
        for keyring in Keyring:
            computed = (*self._store.of(keyring), *(given if keyring is Keyring.MACHINE else ()))
            keys = tuple(self._keys_of(keyring, computed))
            hashes = 0
            if keyring is Keyring.BLACKLIST:
                hashes = len(self._store.revoked_hashes | self._live.revoked_hashes)
            if keys or hashes or keyring in self._live.present or keyring is Keyring.BUILTIN:
                accepts, meaning = _meaning(keyring, self._profile)
                found.append(KeyringReport(keyring, accepts, meaning, keys, hashes, self._is_known(keyring)))
        return tuple(found)

    def _is_known(self, keyring: Keyring) -> bool:
        if keyring in self._live.keys or keyring is not Keyring.BUILTIN:
            return keyring in self._live.keys or keyring not in self._live.present
        return self._profile is not None and self._profile.certificates is not None

    def _keys_of(self, keyring: Keyring, computed: Sequence[TrustedKey]) -> Iterator[ListedKey]:
        """Give what should be in a keyring, and what the running kernel shows there beyond that."""
        members = self._live.keys.get(keyring)
        shown = {key.asymmetric.key_id: key for key in members or () if key.asymmetric is not None}
        for key in computed:
            if key.source != GIVEN and not self._can_use(key.certificate):
                continue  # the list that it comes from tells of it
            listed = self._listed(key.certificate, keyring.value, key.source)
            is_live = None if members is None or key.source == GIVEN else shown.pop(listed.key_id, None) is not None
            notes = (*listed.notes, GIVEN) if key.source == GIVEN else listed.notes
            yield replace(listed, is_live=is_live, notes=notes)
        for key_id, live in shown.items():
            yield self._seen(keyring, key_id, live)

    def _seen(self, keyring: Keyring, key_id: str, live: "KernelKey") -> ListedKey:
        described = live.asymmetric
        name = described.name if described else live.description
        count = None
        with contextlib.suppress(ValueError):
            count = self._signers.by(bytes.fromhex(key_id)) if self._signers else None
        return ListedKey(
            keyring.value, name, key_id, None, None, _LIVE, count or None, is_live=True, notes=(_RUNNING_ONLY,)
        )

    def _listed(self, certificate: bytes, place: str, source: str) -> ListedKey:
        facts = describe(certificate)
        kept = as_kept(certificate)
        key_id = "" if kept is None else (kept.key_id or kept.serial).hex()
        modules = self._signers.by(kept.identifier, kept.key_id) if self._signers and kept else None
        if facts is None:
            unread = f"{len(certificate)} bytes that are no certificate"
            return ListedKey(place, unread, key_id, None, certificate, source, modules)
        notes = notes_on(facts, certificate, self._store, self._now) if place != Keyring.BLACKLIST.value else ()
        if place in _INTO_KEYRINGS and not self._can_use(certificate):
            notes = (*notes, f"not kept, as this kernel can't use {facts.key}")
        return ListedKey(place, facts.name or facts.subject, key_id, facts, certificate, source, modules, notes=notes)

    def _can_use(self, certificate: bytes) -> bool:
        """Whether the kernel was built with what the key needs (``x509_check_for_self_signed``)."""
        if self._profile is None:
            return True
        return as_kept(certificate, self._profile.traits.oid_edition, self._lacking) is not None

    # --- the firmware's lists -----------------------------------------------------------------------------------------

    def firmware_lists(self) -> tuple[FirmwareList, ...]:
        """List the variables of firmware and shim."""
        firmware = self._store.firmware
        return tuple(
            self._firmware_list(name, meaning, entries)
            for name, meaning, entries in (
                ("PK", "the platform's owner: may change KEK; not for modules", firmware.pk),
                ("KEK", "may change db and dbx; not for modules", firmware.kek),
                ("db", "trusted by the firmware", firmware.db),
                ("dbx", "never trusted by the firmware", firmware.dbx),
                ("MokListRT", "trusted by shim: of the machine's owner and shim's maker", firmware.mok_list),
                ("MokListXRT", "never trusted by shim", firmware.mok_denied),
                *(
                    (name, f"wait for the next start: MokManager will ask whether to {REQUESTS[name]}", entries)
                    for name, entries in (
                        ("MokNew", firmware.enrolling),
                        ("MokDel", firmware.deleting),
                        ("MokXNew", firmware.denying),
                        ("MokXDel", firmware.undenying),
                    )
                ),
            )
            if entries
        )

    def _firmware_list(self, name: str, meaning: str, entries: "Sequence[SignatureEntry]") -> FirmwareList:
        source = self._store.firmware.sources.get(name, name)
        certificates = [entry.certificate for entry in entries if entry.certificate is not None]
        keys = tuple(self._placed(self._listed(der, name, source)) for der in certificates)
        return FirmwareList(name, meaning, keys, len(entries) - len(certificates), source)

    def _placed(self, key: ListedKey) -> ListedKey:
        """Say in which keyring a key of the firmware ended up."""
        can_use = key.certificate is not None and self._can_use(key.certificate)
        into = [held.keyring.value for held in self._store.keys if can_use and held.certificate == key.certificate]
        return replace(key, notes=(f"in {', '.join(dict.fromkeys(into))}", *key.notes) if into else key.notes)

    # --- modules ------------------------------------------------------------------------------------------------------

    def strangers(self, keyrings: Sequence[KeyringReport]) -> tuple[tuple[str, int], ...]:
        """Name the signers of modules whose keys are in no keyring."""
        if self._signers is None:
            return ()
        known: set[bytes] = set()
        for key in (key for report in keyrings for key in report.keys):
            kept = as_kept(key.certificate) if key.certificate is not None else None
            if kept is not None:
                known |= {kept.identifier} | ({kept.key_id} if kept.key_id is not None else set())
            elif key.certificate is None:
                with contextlib.suppress(ValueError):
                    known.add(bytes.fromhex(key.key_id))
        return tuple(
            (signer.name or f"key {signer.identifier.hex()}", count)
            for signer, count in self._signers.counts.items()
            if signer.identifier not in known
        )


def _meaning(keyring: Keyring, profile: "KernelProfile | None") -> tuple[bool, str]:
    """Tell what a key in a keyring means for a module (kernel/module/signing.c, certs/system_keyring.c, 6.1)."""
    good = "modules signed by these keys are taken as signed"
    if keyring is Keyring.BLACKLIST:
        for_all = profile is None or profile.traits.revokes_for_all_keyrings
        return (
            False,
            f"modules signed by these keys are refused{'' if for_all else ', where only .platform takes them'}",
        )
    if keyring is Keyring.PLATFORM:
        if profile is None:
            return False, "the firmware's keys; whether they count for modules depends on the kernel"
        if asks_platform(profile):
            return True, f"{good}, as this distribution patched the kernel"
        return False, "not for modules: this kernel asks them about kernels for kexec only"
    if keyring is Keyring.SECONDARY:
        return True, "keys that root added to those of .builtin_trusted_keys and .machine, and that count as they do"
    if keyring is Keyring.BUILTIN or profile is None or profile.has("SECONDARY_TRUSTED_KEYRING"):
        return True, good
    return False, "not for modules: this kernel asks only .builtin_trusted_keys"


def notes_on(facts: CertificateFacts, certificate: bytes, store: TrustStore, now: dt.datetime) -> tuple[str, ...]:
    """Tell what stands against a certificate, and what only seems to.

    The kernel takes a key whatever the dates of its certificate say: it reads and prints them, and never compares them
    (crypto/asymmetric_keys/x509_public_key.c ``x509_key_preparse``, 6.1).
    """
    notes = []
    if any(key.certificate == certificate for key in store.of(Keyring.BLACKLIST)):
        notes.append("revoked: the same certificate is in .blacklist")
    elif f"tbs:{facts.tbs_sha256}" in store.revoked_hashes:
        notes.append("revoked: .blacklist has the certificate's hash")
    if facts.not_after < now:
        notes.append("expired; the kernel does not look at that")
    elif facts.not_before > now:
        notes.append("not valid yet; the kernel does not look at that")
    return tuple(notes)
