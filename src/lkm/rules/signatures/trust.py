"""Which keys a kernel holds a module's signature against, and which keyring of it takes them.

Source: kernel/module/signing.c ``mod_verify_sig``, certs/system_keyring.c, certs/blacklist.c (5.10 to 7.2, Debian's).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import new as new_hash
from typing import TYPE_CHECKING

from lkm.rules.signatures.policy import Lockdown
from lkm.rules.signatures.public_key import ECDSA, ML_DSA
from lkm.rules.signatures.trusted_certificate import as_kept
from lkm.rules.signatures.x509_certificate import Certificate

if TYPE_CHECKING:
    from lkm.rules.loading.state import KernelState
    from lkm.system.kernel_profile import KernelProfile
    from lkm.system.trust_store import Keyring, TrustStore

__all__ = [
    "Trust",
    "accepting",
    "asks_platform",
    "lacking_in",
    "state_of_trust",
    "trust_of",
    "under_secure_boot",
]

_PLATFORM, _REVOCATIONS = "INTEGRITY_PLATFORM_KEYRING", "SYSTEM_REVOCATION_LIST"


@dataclass(frozen=True, slots=True)
class Trust:
    """What a signature is held against.

    :param certificates: those that ``.secondary_trusted_keys`` leads to: builtin, secondary and machine, DER
    :param platform: those of ``.platform``, asked where the first do not know the key; None where they are not asked
    :param revoked: the certificates of ``.blacklist``, DER; none where the kernel does not look there
    :param revoked_hashes: the hashes there: ``tbs:…`` of certificates, ``bin:…`` of modules, in hexadecimal
    :param revokes_all: what is revoked is so for every keyring, not only for ``.platform``
    :param revokes_modules: ``bin:`` hashes are looked for
    :param tbs_by_sha256: ``tbs:`` hashes are SHA-256, whatever digest the certificate names
    :param waives_attributes: signed attributes are let pass where all signatures are ML-DSA's
    :param edition: of the registry of object identifiers, as for :func:`lkm.formats.oid_registry.numbers`
    :param lacking: the algorithms that the kernel was built without, as for
        :func:`lkm.rules.signatures.public_key.verify`
    """

    certificates: tuple[bytes, ...] = ()
    platform: tuple[bytes, ...] | None = None
    revoked: tuple[bytes, ...] = ()
    revoked_hashes: frozenset[str] = frozenset()
    revokes_all: bool = True
    revokes_modules: bool = False
    tbs_by_sha256: bool = False
    waives_attributes: bool = False
    edition: int = 1
    lacking: frozenset[str] = frozenset()

    @property
    def keyring(self) -> tuple[Certificate, ...]:
        """The certificates that are asked first."""
        return _kept(self.certificates, self.edition, self.lacking)

    @property
    def platform_keyring(self) -> tuple[Certificate, ...]:
        """The certificates of the platform."""
        return _kept(self.platform or (), self.edition, self.lacking)

    @property
    def blacklist(self) -> tuple[Certificate, ...]:
        """The revoked certificates."""
        return _kept(self.revoked, self.edition, self.lacking)

    def revoked_as(self, certificate: Certificate) -> str | None:
        """Give the hash of a certificate's signed part by which it is on the blacklist (``x509_get_sig_params``)."""
        if not self.revoked_hashes:
            return None
        digest = "sha256" if self.tbs_by_sha256 else certificate.digest.replace("-", "_")
        try:
            number = new_hash(digest, certificate.signed).hexdigest()
        except ValueError:  # none that is known here
            return None
        return number if f"tbs:{number}" in self.revoked_hashes else None


@lru_cache(maxsize=16)
def _kept(certificates: tuple[bytes, ...], edition: int, lacking: frozenset[str]) -> tuple[Certificate, ...]:
    found = (as_kept(der, edition, lacking) for der in certificates)
    return tuple(certificate for certificate in found if certificate is not None)


def trust_of(profile: "KernelProfile", state: "KernelState") -> Trust:
    """Gather what a kernel in a state holds signatures against."""
    traits = profile.traits
    return Trust(
        certificates=(*(profile.certificates or ()), *state.certificates),
        platform=state.platform_certificates if asks_platform(profile) else None,
        revoked=(*profile.revoked_certificates, *state.revoked_certificates) if profile.has(_REVOCATIONS) else (),
        revoked_hashes=state.revoked_hashes,
        revokes_all=traits.revokes_for_all_keyrings,
        revokes_modules=traits.looks_for_revoked_modules,
        tbs_by_sha256=not traits.hashes_tbs_by_own_digest,
        waives_attributes=profile.has("PKCS7_WAIVE_AUTHATTRS_REJECTION_FOR_MLDSA"),
        edition=traits.oid_edition,
        lacking=lacking_in(profile),
    )


def asks_platform(profile: "KernelProfile") -> bool:
    """Tell whether a kernel asks ``.platform`` about modules: by a distribution's patch, and its configuration."""
    is_guess = profile.sources.get("config", "").startswith("guessed")
    return profile.traits.asks_platform_keyring and (is_guess or profile.has(_PLATFORM))


def lacking_in(profile: "KernelProfile") -> frozenset[str]:
    """Name the algorithms that a kernel was built without: its keyrings hold no key of theirs that signed itself.

    Only a whole configuration tells what is missing from it; without one all is taken to be there.
    """
    if "CRYPTO_RSA" not in profile.config:
        return frozenset()
    options = {ECDSA: "CRYPTO_ECDSA", ML_DSA: "CRYPTO_MLDSA"}
    return frozenset(name for name, option in options.items() if option not in profile.config)


# --- the firmware's part ----------------------------------------------------------------------------------------------


def state_of_trust(state: "KernelState", store: "TrustStore", profile: "KernelProfile") -> "KernelState":
    """Give a kernel's state with what firmware, its owner and administrators have it trust, and revoke.

    :param store: what the kernel holds; what its image brings is known of the profile, and left out
    """
    from lkm.system.trust_store import Keyring  # noqa: PLC0415  a kernel without firmware needs none

    own = frozenset((*(profile.certificates or ()), *profile.revoked_certificates))

    def of(*keyrings: "Keyring") -> tuple[bytes, ...]:
        found = (key.certificate for keyring in keyrings for key in store.of(keyring))
        return tuple(dict.fromkeys(der for der in found if der not in own))

    return replace(
        state,
        certificates=(*state.certificates, *of(Keyring.SECONDARY, Keyring.MACHINE)),
        platform_certificates=of(Keyring.PLATFORM),
        revoked_certificates=of(Keyring.BLACKLIST),
        revoked_hashes=store.revoked_hashes,
    )


def under_secure_boot(state: "KernelState", profile: "KernelProfile") -> "KernelState":
    """Give a kernel's state as Secure Boot leaves it behind when it boots.

    Lockdown comes with CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT, which is a distribution's patch and not upstream's;
    enforcement with IMA's architecture policy (security/integrity/ima/ima_efi.c ``arch_get_ima_policy``, which up to
    6.x is arch/x86/kernel/ima_arch.c).
    """
    mode = state.lockdown_of(profile)
    if mode is Lockdown.NONE and profile.has("LOCK_DOWN_IN_EFI_SECURE_BOOT"):
        state = replace(state, lockdown=Lockdown.INTEGRITY)
    sees_it = not profile.traits.asks_ima_for_secure_boot or profile.has("IMA_SECURE_AND_OR_TRUSTED_BOOT")
    has_policy = profile.has("IMA_ARCH_POLICY") and profile.has("MODULE_SIG")
    if sees_it and has_policy and state.sig_enforce is None:
        state = replace(state, sig_enforce=True)
    return state


def accepting(certificate: bytes, store: "TrustStore", profile: "KernelProfile") -> "Keyring | None":
    """Name the keyring by which a kernel takes a certificate for modules, in the order in which it looks.

    :param certificate: DER
    :returns: None where no keyring that counts has it
    """
    from lkm.system.trust_store import Keyring  # noqa: PLC0415  as above

    order = [Keyring.BUILTIN, Keyring.SECONDARY, Keyring.MACHINE]
    if asks_platform(profile):
        order.append(Keyring.PLATFORM)
    having = {key.keyring for key in store.keys if key.certificate == certificate}
    return next((keyring for keyring in order if keyring in having), None)
