"""What a kernel demands of modules, and who said so: lockdown, signatures, loading turned off."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lkm.actions.lockdown.kernel import AskedKernel, ask_kernel
from lkm.actions.lockdown.options import OptionFact, option_facts
from lkm.rules.signatures.lockdown import Restriction, Setter, restrictions, who_locked
from lkm.rules.signatures.policy import Lockdown, enforced, lockdown_of, parse_boolean
from lkm.rules.signatures.secure_boot import SecureBoot, effect_of

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.rules.signatures.trust_table import TrustRow

__all__ = ["Demands", "LockdownReport", "demands_of", "lockdown_report"]

_LSM = "/sys/kernel/security"


@dataclass(frozen=True, slots=True)
class Demands:
    """What a kernel demands of modules.

    :param mode: the lockdown mode
    :param is_told: the kernel says the mode itself; else it follows from command line, configuration and firmware
    :param setter: who turned lockdown on; None where it is off
    :param checks_signatures: signatures are looked at at all; None where its configuration is not known
    :param sig_enforce: only modules with a good signature load
    :param is_told_signatures: the kernel says that itself; else it follows as the mode does
    :param enforcer: why, a clause; empty where it is off
    :param modules_disabled: nothing can be loaded or removed until the next boot
    :param disabler: why, likewise
    :param secure_boot: how Secure Boot stands
    """

    mode: Lockdown
    is_told: bool
    setter: Setter | None
    checks_signatures: bool | None
    sig_enforce: bool
    is_told_signatures: bool
    enforcer: str
    modules_disabled: bool
    disabler: str
    secure_boot: SecureBoot

    @property
    def knows_mode(self) -> bool:
        """Whether the mode is more than a guess: without its configuration only what the kernel tells is known."""
        return self.is_told or self.setter is not None or self.checks_signatures is not None

    @property
    def knows_signatures(self) -> bool:
        """The same of ``sig_enforce``."""
        return self.is_told_signatures or self.sig_enforce or self.checks_signatures is not None


@dataclass(frozen=True, slots=True)
class LockdownReport:
    """All that ``lkm lockdown`` tells.

    :param supported: the kernel can be locked down at all; None where its configuration is not known
    :param table: what becomes of modules, by how the kernel stands and how they are signed; empty where
        its configuration is not known, or knows no modules
    :param notes: what else to know, sentences
    """

    release: str
    is_running: bool
    demands: Demands
    supported: bool | None
    restrictions: tuple[Restriction, ...]
    options: tuple[OptionFact, ...]
    config_source: str
    table: "tuple[TrustRow, ...]"
    notes: tuple[str, ...]


def lockdown_report(session: "Session") -> LockdownReport:
    """Ask the session's kernel, or tell of one that is only installed what it will do.

    :raises TreeMissing: the root has no module tree, or several
    """
    kernel = ask_kernel(session)
    demands = demands_of(kernel)
    return LockdownReport(
        release=kernel.release,
        is_running=kernel.is_running,
        demands=demands,
        supported=kernel.profile.has("SECURITY_LOCKDOWN_LSM") if kernel.knows_config else None,
        restrictions=restrictions(demands.mode),
        options=option_facts(kernel.profile),
        config_source=kernel.profile.sources["config"],
        table=_table(kernel, demands),
        notes=tuple(_notes(kernel, demands)),
    )


def demands_of(kernel: AskedKernel) -> Demands:
    """Say what a kernel demands, by its own words, else by what its boot leads to."""
    secure = kernel.secure_boot.counts is True
    mode, is_told = _mode(kernel, secure=secure)
    enforces = _enforces(kernel, secure=secure)
    setter = None
    if mode is not Lockdown.NONE:
        setter = who_locked(mode, kernel.log, kernel.cmdline, kernel.profile, secure=secure)
    disabler = _disabler(kernel)
    return Demands(
        mode=mode,
        is_told=is_told,
        setter=setter,
        checks_signatures=kernel.profile.has("MODULE_SIG") if kernel.knows_config else None,
        sig_enforce=enforces,
        is_told_signatures=kernel.security is not None and kernel.security.sig_enforce is not None,
        enforcer=_enforcer(kernel, secure=secure) if enforces else "",
        modules_disabled=bool(disabler),
        disabler=disabler,
        secure_boot=kernel.secure_boot,
    )


def _mode(kernel: AskedKernel, *, secure: bool) -> tuple[Lockdown, bool]:
    """Give the mode, and whether the kernel itself says so."""
    told = kernel.security.lockdown if kernel.security else None
    if told in {mode.value for mode in Lockdown}:
        return Lockdown(told), True
    wanted = lockdown_of(kernel.cmdline, kernel.profile)
    by_firmware = effect_of(kernel.profile).lockdown if secure else Lockdown.NONE
    return (by_firmware if wanted is Lockdown.NONE else wanted), False


def _enforces(kernel: AskedKernel, *, secure: bool) -> bool:
    told = kernel.security.sig_enforce if kernel.security else None
    if told is not None:
        return told
    if kernel.knows_config and not kernel.profile.has("MODULE_SIG"):
        return False
    return enforced(kernel.cmdline, kernel.profile) or (secure and effect_of(kernel.profile).enforced)


def _enforcer(kernel: AskedKernel, *, secure: bool) -> str:
    if kernel.profile.has("MODULE_SIG_FORCE"):
        return "CONFIG_MODULE_SIG_FORCE of its configuration"
    if enforced(kernel.cmdline, kernel.profile):
        return "module.sig_enforce on its command line"
    if secure and effect_of(kernel.profile).enforced:
        return "Secure Boot, by IMA's rules for it (CONFIG_IMA_ARCH_POLICY)"
    return "a policy, or somebody who wrote to /sys/module/module/parameters/sig_enforce"


def _disabler(kernel: AskedKernel) -> str:
    if any(parse_boolean(value) for value in kernel.cmdline.values("nomodule")):
        return "nomodule on its command line"
    if kernel.security and kernel.security.modules_disabled:
        return "the sysctl kernel.modules_disabled"
    return ""


def _table(kernel: AskedKernel, demands: Demands) -> "tuple[TrustRow, ...]":
    if not kernel.profile.has("MODULES"):
        return ()
    from lkm.actions.lockdown.samples import make_samples  # noqa: PLC0415  dear, and an overview needs no table
    from lkm.rules.signatures.trust_table import Setting, trust_table  # noqa: PLC0415  as above

    here = Setting(demands.secure_boot.counts, demands.mode, demands.sig_enforce)
    return trust_table(kernel.profile, make_samples(), here)


def _notes(kernel: AskedKernel, demands: Demands) -> list[str]:
    notes = []
    if kernel.loads_modules is False:
        notes.append("this kernel can't load modules at all: it was built without them, or told not to")
    if kernel.is_running and not demands.is_told:
        why = "the kernel was built without it" if kernel.session.root.listdir(_LSM) else f"{_LSM} can't be read"
        notes.append(f"the kernel does not say its lockdown mode ({why}): what is shown follows from its boot")
    if not kernel.is_running:
        notes.append("this kernel does not run here: what is shown follows from its configuration and command line")
        if demands.secure_boot.counts is None and effect_of(kernel.profile).lockdown is not Lockdown.NONE:
            notes.append("under Secure Boot it will go into lockdown=integrity by itself")
    return notes
