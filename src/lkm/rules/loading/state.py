"""What changes in a kernel as modules come and go."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lkm.formats.kernel_cmdline import Cmdline
from lkm.formats.ksymtab import Export
from lkm.rules.signatures.policy import Lockdown, enforced, lockdown_of, parse_boolean

if TYPE_CHECKING:
    from lkm.system.kernel_profile import KernelProfile

__all__ = ["KernelState", "ModuleRecord", "read_cmdline"]


@lru_cache(maxsize=8)
def read_cmdline(text: str) -> Cmdline:
    """Read a command line, which is the same for all modules of a kernel."""
    return Cmdline(text)


@dataclass(frozen=True, slots=True)
class ModuleRecord:
    """A module in a kernel.

    :param size: bytes of memory
    :param exports: what it offers to later modules
    :param uses: the modules whose symbols it uses
    :param taints: its own taint mask
    :param parameters: name to value as sysfs would show it, in declared order
    :param references: uses that are not other modules: open files, mounts
    :param has_init: it has an init function
    :param has_exit: it has an exit function; init without exit can't be removed
    :ivar by_name: the exports by name, of several of one name the first
    """

    name: str
    size: int = 0
    exports: tuple[Export, ...] = ()
    uses: tuple[str, ...] = ()
    taints: int = 0
    parameters: tuple[tuple[str, str], ...] = ()
    references: int = 0
    has_init: bool = True
    has_exit: bool = True
    by_name: Mapping[str, Export] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {export.name: export for export in reversed(self.exports)})


@dataclass(frozen=True, slots=True)
class KernelState:
    """What changes in a kernel as modules come and go.

    :param modules: newest first, as /proc/modules lists them
    :param taint: the kernel's taint mask
    :param said: the names of lines that are printed once per boot and have been
    :param command_line: the kernel's own
    :param modules_disabled: the sysctl kernel.modules_disabled
    :param certificates: those that the kernel trusts beyond the ones in its image, DER: of its owner
    :param platform_certificates: those of the firmware, which some kernels trust for modules too, DER
    :param revoked_certificates: those on the kernel's blacklist beyond the ones in its image, DER
    :param revoked_hashes: the hashes there: ``tbs:…`` of certificates, ``bin:…`` of modules, in hexadecimal
    :param lockdown: what firmware did, or None for what command line and configuration say
    :param sig_enforce: likewise
    """

    modules: tuple[ModuleRecord, ...] = ()
    taint: int = 0
    said: frozenset[str] = frozenset()
    command_line: str = ""
    modules_disabled: bool = False
    certificates: tuple[bytes, ...] = ()
    platform_certificates: tuple[bytes, ...] = ()
    revoked_certificates: tuple[bytes, ...] = ()
    revoked_hashes: frozenset[str] = frozenset()
    lockdown: Lockdown | None = None
    sig_enforce: bool | None = None

    @property
    def forbids_modules(self) -> bool:
        """Whether the sysctl, or ``nomodule`` on the command line, keeps all from loading and removing modules."""
        is_off = self.modules_disabled
        for value in read_cmdline(self.command_line).values("nomodule"):
            parsed = parse_boolean(value)  # core_param of type bint
            is_off = is_off if parsed is None else parsed or self.modules_disabled
        return is_off

    @property
    def panics_on(self) -> int:
        """The taints upon which it panics: ``panic_on_taint=`` (kernel/panic.c ``panic_on_taint_setup``, from 5.8)."""
        mask = 0
        for value in read_cmdline(self.command_line).values("panic_on_taint"):
            digits = (value or "").partition(",")[0]
            with contextlib.suppress(ValueError):
                mask = int(digits, 16) if digits[:1].isalnum() and "_" not in digits else mask
        return mask

    def lockdown_of(self, profile: "KernelProfile") -> Lockdown:
        """Give the lockdown mode that counts."""
        return lockdown_of(read_cmdline(self.command_line), profile) if self.lockdown is None else self.lockdown

    def enforces_signatures(self, profile: "KernelProfile") -> bool:
        """Tell whether only modules with a good signature load."""
        return enforced(read_cmdline(self.command_line), profile) if self.sig_enforce is None else self.sig_enforce

    def module(self, name: str) -> ModuleRecord | None:
        """Find a loaded module by its exact name."""
        return next((module for module in self.modules if module.name == name), None)

    def users(self, name: str) -> tuple[str, ...]:
        """Name the modules that use this one, newest first."""
        return tuple(module.name for module in self.modules if name in module.uses)
