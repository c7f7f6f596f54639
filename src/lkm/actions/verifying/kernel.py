"""The kernel, or the certificates, that signatures are held against; and what the kernel makes of each answer."""

import errno
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lkm.rules.signatures.answer import OWNERS, KnownKey, SignatureAnswer, Verifier
from lkm.rules.signatures.policy import Lockdown, SignatureState
from lkm.rules.signatures.trust import Trust, asks_platform, trust_of
from lkm.rules.signatures.trusted_certificate import NEWEST_EDITION

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.actions.verifying.options import VerifyOptions
    from lkm.rules.loading.state import KernelState
    from lkm.system.kernel_keyrings import KernelKeyrings
    from lkm.system.kernel_profile import KernelProfile
    from lkm.system.trust_store import TrustStore

__all__ = ["VerifyingKernel", "by_certificates", "by_kernel", "unseen_keys"]

_GIVEN = "the given certificate"


@dataclass(frozen=True, slots=True)
class VerifyingKernel:
    """What signatures are held against.

    :param release: of the kernel; None where only given certificates count
    :param looks: it looks at signatures at all
    :param enforces: it loads only modules with a good signature
    :param lockdown: its mode
    :param secure_boot: the kernel takes Secure Boot as on; None where the firmware does not tell
    :param words: the options that name it to other verbs, quoted for a shell
    :param notes: what is not known, in words
    """

    verifier: Verifier
    release: str | None = None
    looks: bool = True
    enforces: bool = False
    lockdown: Lockdown = Lockdown.NONE
    secure_boot: bool | None = None
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def loads(self, found: SignatureAnswer) -> bool | None:
        """Tell whether the kernel's policy on signatures lets a module pass.

        :returns: None where no kernel was asked, or where that hangs on keys of it that are not known
        """
        if self.release is None:
            return None
        if found.is_accepted or not self.looks:
            return True
        passes = SignatureState[found.state].is_soft and not self.enforces and self.lockdown is Lockdown.NONE
        return None if self.may_hold_key(found) and not passes else passes

    def may_hold_key(self, found: SignatureAnswer) -> bool:
        """Whether the signer's key may be in the kernel all the same, as not all of its keys are known."""
        return found.state == SignatureState.UNKNOWN_KEY.name and not self.verifier.knows_all

    @property
    def _because(self) -> str:
        return " because of Secure Boot" if self.secure_boot else ""

    def policy(self, found: SignatureAnswer) -> str:
        """Say what the kernel's policy makes of a module; empty where no kernel was asked."""
        kernel = f"kernel {self.release}"
        if self.release is None:
            return ""
        if not self.looks:
            return f"{kernel} was built without CONFIG_MODULE_SIG and looks at no signature"
        if found.is_accepted:
            return f"{kernel} takes it, whether or not it enforces signatures"
        state = SignatureState[found.state]
        unless = ", unless it holds the signer's key" if self.may_hold_key(found) else ""
        if not state.is_soft:
            return f"{kernel} refuses it, whether or not it enforces signatures ({errno.errorcode[state.value]})"
        if self.enforces:
            return f"{kernel} enforces signatures{self._because} and refuses it (EKEYREJECTED){unless}"
        if self.lockdown is not Lockdown.NONE:
            return f"{kernel} is locked down ({self.lockdown.value}){self._because} and refuses it (EPERM){unless}"
        return f"{kernel} enforces no signatures: it loads all the same, and taints the kernel (E){unless}"


def by_certificates(session: "Session", options: "VerifyOptions") -> VerifyingKernel:
    """Hold signatures against the given certificates alone, as the newest kernel would that trusts them."""
    given = options.certificates
    trust = Trust(tuple(der for der, _ in given), edition=NEWEST_EDITION)
    verifier = Verifier(trust, {der: KnownKey(_GIVEN, path) for der, path in given})
    return VerifyingKernel(verifier, words=_words(session, options))


def by_kernel(session: "Session", options: "VerifyOptions") -> VerifyingKernel:
    """Hold signatures against the keyrings of the kernel that the session and the options name."""
    from lkm.actions.checking.options import CheckOptions  # noqa: PLC0415  given certificates need no kernel
    from lkm.actions.checking.target import open_target  # noqa: PLC0415  as above
    from lkm.system.firmware import FirmwareState  # noqa: PLC0415  as above
    from lkm.system.trust_store import read_trust_store, trust_store_of  # noqa: PLC0415  as above

    asked = CheckOptions(
        profile_file=options.profile_file, kernel_image=options.kernel_image, use_cache=options.use_cache
    )
    target = open_target(session, asked)
    profile, state = target.profile, target.state
    is_elsewhere = options.profile_file is not None or session.kernel_kind != "live"
    store = trust_store_of(profile, FirmwareState()) if is_elsewhere else read_trust_store(session.root, profile)
    verifier = Verifier(
        trust_of(profile, state), _known(profile, state, store), knows_all=profile.certificates is not None
    )
    return VerifyingKernel(
        verifier,
        release=profile.release,
        looks=profile.has("MODULE_SIG"),
        enforces=state.enforces_signatures(profile),
        lockdown=state.lockdown_of(profile),
        secure_boot=store.firmware.enforces if store.firmware.is_efi else None,
        words=_words(session, options),
        notes=(*store.problems, *(_unseen_here(store) if target.is_running and not is_elsewhere else ())),
    )


def _unseen_here(store: "TrustStore") -> tuple[str, ...]:
    from lkm.system.kernel_keyrings import read_kernel_keyrings  # noqa: PLC0415  as above

    return unseen_keys(store, read_kernel_keyrings())


def unseen_keys(store: "TrustStore", keyrings: "KernelKeyrings") -> tuple[str, ...]:
    """Tell of the keys in a running kernel that no file shows, such as those that an administrator has added.

    :param keyrings: what the kernel shows of them, which are no certificates
    """
    from lkm.formats.certificate import describe  # noqa: PLC0415  as above
    from lkm.system.trust_store import Keyring  # noqa: PLC0415  as above

    known: set[str] = set()
    for key in store.keys:
        facts = describe(key.certificate)
        if facts is not None:
            known |= {(facts.key_id or b"").hex().lstrip("0"), f"{facts.serial:x}"}
    found = []
    for keyring in (Keyring.BUILTIN, Keyring.SECONDARY, Keyring.MACHINE):
        keys = [key.asymmetric for key in keyrings.keys.get(keyring, ()) if key.asymmetric is not None]
        found += [
            f"{keyring.value} of the running kernel has a key that no file shows, {key.name}: what it signed is"
            " accepted there, and can be verified here by its certificate (lkm verify --certificate CERT)"
            for key in keys
            if key.key_id.lstrip("0") not in known
        ]
    return tuple(found)


def _words(session: "Session", options: "VerifyOptions") -> tuple[str, ...]:
    target = session.target
    given = (
        ("--root", None if target.root == "/" else target.root),
        ("--release", target.release),
        ("--kernel", None if target.kernel == "live" else target.kernel),
        ("--profile", options.profile_file),
        ("--kernel-image", options.kernel_image),
    )
    return tuple(shlex.quote(word) for name, value in given if value for word in (name, value))


def _known(profile: "KernelProfile", state: "KernelState", store: "TrustStore") -> dict[bytes, KnownKey]:
    """Name the keyring of each certificate; those that count come first, and what counts and is revoked is revoked."""
    from lkm.formats.efi_signature_lists import SignatureType  # noqa: PLC0415  as above
    from lkm.system.trust_store import Keyring  # noqa: PLC0415  as above

    known: dict[bytes, KnownKey] = {}
    not_asked = "" if asks_platform(profile) else f"the signer's key is in {Keyring.PLATFORM.value}, which this kernel"
    for key in store.keys:
        why = f"{not_asked} asks about no module" if key.keyring is Keyring.PLATFORM and not_asked else ""
        known.setdefault(key.certificate, KnownKey(key.keyring.value, key.source, why))
    for der in state.certificates:
        known.setdefault(der, KnownKey(Keyring.SECONDARY.value, "the kernel's state"))
    for der in state.platform_certificates:
        known.setdefault(der, KnownKey(Keyring.PLATFORM.value, "the kernel's state"))
    firmware = store.firmware
    owners = "the signer's key is the machine owner's (MOK), which the kernel does not take: "
    owners += "Secure Boot is off" if not firmware.enforces else "it is revoked, or no key for modules"
    for entry in firmware.mok_list:
        if entry.type is SignatureType.X509:
            known.setdefault(entry.data, KnownKey(OWNERS, firmware.sources.get("MokListRT", "MokListRT"), owners))
    for entry in firmware.enrolling:
        if entry.type is SignatureType.X509:
            why = "the signer's key waits to be enrolled: start the machine again, and confirm in MokManager"
            known.setdefault(entry.data, KnownKey(OWNERS, firmware.sources.get("MokNew", "MokNew"), why))
    return known
