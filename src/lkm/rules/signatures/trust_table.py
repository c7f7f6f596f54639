"""What becomes of a module, by how it is signed and by what the kernel demands: the rules asked for every case."""

import errno
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from lkm.formats.efi_signature_lists import SignatureEntry, SignatureType
from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.loading.attempt import Attempt, Request
from lkm.rules.loading.signature import check_signature
from lkm.rules.loading.state import KernelState
from lkm.rules.loading.taints import taint_by_signature
from lkm.rules.signatures.policy import Lockdown, enforced, lockdown_of
from lkm.rules.signatures.secure_boot import effect_of
from lkm.rules.signatures.trust import state_of_trust
from lkm.rules.taint import letters
from lkm.system.firmware import FirmwareState
from lkm.system.trust_store import trust_store_of

if TYPE_CHECKING:
    from lkm.system.kernel_profile import KernelProfile

__all__ = ["Outcome", "Samples", "Setting", "Signing", "TrustRow", "trust_table"]


class Signing(Enum):
    """How a module is signed; the value is the name for programs.

    MOK: with a key that the machine's owner enrolled; REVOKED: with one that is denied (dbx, MokListX), too
    """

    UNSIGNED = "unsigned"
    UNKNOWN = "unknown-key"
    BUILTIN = "builtin-key"
    MOK = "mok-key"
    DB = "db-key"
    REVOKED = "revoked-key"
    CHANGED = "changed"


class Samples(NamedTuple):
    """What to ask with.

    :param certificate: DER
    :param unsigned: contents without a signature
    :param signed: contents with a good signature by the certificate's key
    :param changed: other contents with that signature
    """

    certificate: bytes
    unsigned: bytes
    signed: bytes
    changed: bytes


class Setting(NamedTuple):
    """How a kernel stands.

    :param secure_boot: Secure Boot is on to the kernel; None where that is not known
    """

    secure_boot: bool | None
    lockdown: Lockdown
    sig_enforce: bool


class Outcome(NamedTuple):
    """What becomes of a module.

    :param errno: 0 where the signature does not keep it from loading
    :param taints: the letters of the taints that its signature brings
    :param log: the line of the kernel's log that says why it was refused; empty where there is none
    """

    errno: int
    taints: str
    log: str

    @property
    def loads(self) -> bool:
        """Whether the signature does not keep it from loading."""
        return self.errno == 0

    @property
    def errno_name(self) -> str:
        """As in ``EPERM``; empty where it loads."""
        return errno.errorcode.get(self.errno, str(self.errno)) if self.errno else ""


class TrustRow(NamedTuple):
    """One way for a kernel to stand, with what becomes of each kind of module.

    :param is_here: the kernel that was asked about stands so
    """

    setting: Setting
    is_here: bool
    outcomes: dict[Signing, Outcome]


def trust_table(profile: "KernelProfile", samples: Samples, here: Setting) -> tuple[TrustRow, ...]:
    """Ask the rules for all cases.

    :param profile: the kernel; of it only configuration and traits count
    :param here: how the kernel stands; where none of the usual ways is that one, it gets a row of its own
    """
    settings = list(dict.fromkeys(_settings(profile)))
    present = here if here in settings else _alike(here, settings)
    if present is None:
        settings.append(here)
        present = here
    return tuple(
        TrustRow(setting, setting == present, {kind: _outcome(profile, samples, setting, kind) for kind in Signing})
        for setting in settings
    )


def _alike(here: Setting, settings: list[Setting]) -> Setting | None:
    """Find the row of a kernel of which only Secure Boot is not known.

    The rows for Secure Boot do not come into question: there the owner's keys count, and here nobody knows.
    """
    if here.secure_boot is not None:
        return None
    return next((setting for setting in settings if not setting.secure_boot and setting[1:] == here[1:]), None)


def _settings(profile: "KernelProfile") -> Iterator[Setting]:
    """Go through the usual ways: what a command line can turn on, without and with Secure Boot."""
    effect = effect_of(profile)
    plain = Cmdline("")
    always, least = enforced(plain, profile), lockdown_of(plain, profile)
    for secure in (False, True):
        enforces = always or (secure and effect.enforced)
        mode = effect.lockdown if secure and least is Lockdown.NONE else least
        yield Setting(secure, mode, enforces)
        if profile.has("MODULE_SIG"):
            yield Setting(secure, mode, sig_enforce=True)
        if profile.has("SECURITY_LOCKDOWN_LSM"):
            yield Setting(secure, Lockdown.INTEGRITY if mode is Lockdown.NONE else mode, enforces)


def _outcome(profile: "KernelProfile", samples: Samples, setting: Setting, kind: Signing) -> Outcome:
    """Ask the stage that checks signatures, and the one that taints for them."""
    own = (samples.certificate,) if kind in {Signing.BUILTIN, Signing.CHANGED} else ()
    kernel = replace(profile, certificates=own, revoked_certificates=())
    store = trust_store_of(kernel, _firmware(samples, setting, kind))
    state = KernelState(lockdown=setting.lockdown, sig_enforce=setting.sig_enforce)
    contents = {Signing.UNSIGNED: samples.unsigned, Signing.CHANGED: samples.changed}.get(kind, samples.signed)
    attempt = Attempt(
        Request(contents), kernel, state_of_trust(state, store, kernel), kernel.traits, Cmdline(""), setting.lockdown
    )
    attempt.name = "NAME"  # which a whole module would tell
    refusal = check_signature(attempt)
    if refusal is not None:
        return Outcome(refusal.errno, "", attempt.log[-1] if attempt.log else "")
    taint_by_signature(attempt)
    return Outcome(0, letters(attempt.taints), "")


def _firmware(samples: Samples, setting: Setting, kind: Signing) -> FirmwareState:
    """Make up a firmware that knows the key in one way."""
    entry = (SignatureEntry(SignatureType.X509.value, "", samples.certificate),)
    return FirmwareState(
        is_efi=True,
        secure_boot=bool(setting.secure_boot),
        setup_mode=False,
        db=entry if kind is Signing.DB else (),
        mok_list=entry if kind in {Signing.MOK, Signing.REVOKED} else (),
        mok_denied=entry if kind is Signing.REVOKED else (),
        trusts_owner_keys=True,
    )
