"""What every kernel can be asked, whether it runs here, is emulated, or runs in a virtual machine."""

from enum import IntFlag
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from lkm.formats.proc_modules import LoadedModule
    from lkm.system.module_file import ModuleFile

__all__ = ["Kernel", "LoadFlags", "Security", "UnloadFlags"]


class LoadFlags(IntFlag):
    """Flags of finit_module (include/uapi/linux/module.h)."""

    NONE = 0
    IGNORE_MODVERSIONS = 1
    IGNORE_VERMAGIC = 2
    COMPRESSED_FILE = 4


class UnloadFlags(IntFlag):
    """Flags of delete_module; the kernel waits for nobody, with or without O_NONBLOCK."""

    NONE = 0
    FORCE = 0o1000  # O_TRUNC


class Security(NamedTuple):
    """What a kernel demands of modules.

    :param lockdown: ``none``, ``integrity`` or ``confidentiality``; None where it can't be read
    :param sig_enforce: only modules with a good signature load; None where it can't be read
    :param modules_disabled: no module can be loaded or removed until the next boot
    """

    lockdown: str | None
    sig_enforce: bool | None
    modules_disabled: bool


class Kernel(Protocol):
    """A kernel that modules can be loaded into."""

    @property
    def release(self) -> str:
        """The kernel release, as ``uname -r`` prints it."""
        ...

    def load(self, module: "ModuleFile", parameters: str, flags: LoadFlags = LoadFlags.NONE) -> tuple[str, ...]:
        """Load one module file.

        :param parameters: the parameter string for the kernel
        :param flags: IGNORE_MODVERSIONS, IGNORE_VERMAGIC; COMPRESSED_FILE is set where it fits
        :returns: the lines that the kernel printed meanwhile
        :raises LoadRefused: the kernel's errno and lines
        :raises ModuleSupportMissing: the kernel can't load modules at all
        :raises Unreadable: the file can't be read or unpacked
        """
        ...

    def unload(self, name: str, flags: UnloadFlags = UnloadFlags.NONE) -> tuple[str, ...]:
        """Remove one module.

        :returns: the lines that the kernel printed meanwhile
        :raises UnloadRefused: the kernel's errno and lines
        :raises ModuleSupportMissing: the kernel can't load modules at all
        """
        ...

    def loaded(self) -> "tuple[LoadedModule, ...]":
        """List the modules, newest first.

        :raises ModuleSupportMissing: the kernel can't load modules at all
        """
        ...

    def state(self, name: str) -> str | None:
        """Give a module's state, ``live``, ``coming`` or ``going``; None where it is not in the kernel.

        :param name: canonical
        """
        ...

    def parameters(self, name: str) -> dict[str, str]:
        """Give the visible parameters of a module or built-in with their values; unreadable ones are left out."""
        ...

    def taint(self) -> int:
        """Give the kernel's taint mask.

        :raises Unreadable: it does not tell
        """
        ...

    def security(self) -> Security:
        """Tell what the kernel demands of modules."""
        ...

    def log(self) -> tuple[str, ...]:
        """Give the kernel's log, oldest first, without time stamps."""
        ...

    def command_line(self) -> str:
        """Give the kernel's command line."""
        ...
