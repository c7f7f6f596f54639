"""The kernel whose demands on modules are asked for: what it says itself, or what files say it will do."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lkm.errors import LkmError
from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.signatures.secure_boot import SecureBoot, says_secure_boot, secure_boot_stand
from lkm.system.boot_command_line import find_command_line
from lkm.system.kernel_config import find_config
from lkm.system.kernel_profile import KernelProfile

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.kernels.base import Security
    from lkm.system.firmware import FirmwareState

__all__ = ["AskedKernel", "ask_kernel"]

_FIRMWARE = "/sys/firmware"


@dataclass(frozen=True)
class AskedKernel:
    """A kernel and what surrounds it.

    :param session: what it was found by
    :param release: as ``uname -r`` prints it
    :param is_running: it answers itself; else it is one that is only installed
    :param profile: its configuration and command line, and nothing else: reading no image keeps this fast
    :param security: what it says of itself; None where it does not run
    :param firmware: of the machine that it runs on; None where that is not known
    """

    session: "Session"
    release: str
    is_running: bool
    profile: KernelProfile
    security: "Security | None"
    firmware: "FirmwareState | None"

    @property
    def knows_config(self) -> bool:
        """Whether its build configuration was found."""
        return bool(self.profile.config)

    @cached_property
    def cmdline(self) -> Cmdline:
        """Its command line."""
        return Cmdline(self.profile.command_line)

    @property
    def secure_boot(self) -> SecureBoot:
        """How Secure Boot stands; what the firmware does not tell, the kernel's log may."""
        stand = SecureBoot.UNKNOWN if self.firmware is None else secure_boot_stand(self.firmware)
        return SecureBoot.ON if stand is SecureBoot.UNKNOWN and says_secure_boot(self.log) else stand

    @cached_property
    def log(self) -> tuple[str, ...]:
        """Its log, as far as the caller may read it."""
        return self.session.kernel.log() if self.is_running else ()

    @cached_property
    def loads_modules(self) -> bool | None:
        """Whether it can load modules at all; None where nothing tells."""
        if self.is_running:
            try:
                self.session.kernel.loaded()
            except LkmError:
                return False
            return True
        return self.profile.has("MODULES") if self.knows_config else None


def ask_kernel(session: "Session") -> AskedKernel:
    """Find out which kernel is meant, and ask it.

    A named root or release means the kernel that is installed there, unless it is the one that runs.

    :raises TreeMissing: the root has no module tree, or several; or it has nothing of the release that was named
    """
    release, is_running = _release(session)
    config, source = _config(session)
    if not is_running and not config and not session.tree.root.is_dir(session.tree.directory):
        session.tree.require_indexes()  # says so, and which trees there are
    command_line = session.kernel.command_line() if is_running else find_command_line(session.tree)[0]
    profile = KernelProfile(
        release=release,
        machine=0,
        vermagic="",
        struct_module_size=None,
        exports={},
        config=config,
        command_line=command_line,
        sources={"config": source},
    )
    security = session.kernel.security() if is_running else None
    return AskedKernel(session, release, is_running, profile, security, _firmware(session))


def _release(session: "Session") -> tuple[str, bool]:
    """Give the release, and whether its kernel can be asked."""
    kind = session.kernel_kind
    if kind != "live":
        return session.tree.release, kind == "vm" or bool(session.kernel_argument)
    running = os.uname().release
    if not session.root.is_host:
        return session.tree.release, False
    wanted = session.target.release
    return wanted or running, wanted in {None, running}


def _config(session: "Session") -> tuple[dict[str, str], str]:
    found = find_config(session.tree, None)
    if found is None:
        return {}, f"unknown: there is neither /boot/config-{session.tree.release} nor /proc/config.gz"
    return found


def _firmware(session: "Session") -> "FirmwareState | None":
    """Read what the firmware says: of this machine, or as a root keeps a copy of it."""
    if session.kernel_kind != "live" or not session.root.is_dir(_FIRMWARE):
        return None
    from lkm.system.firmware import read_firmware  # noqa: PLC0415  an image of a system has none

    return read_firmware(session.root)
