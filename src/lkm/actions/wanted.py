"""What asks for modules on a system: the boot, devices, file systems that are mounted; and what is loaded."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from lkm.actions.finding.devices import claims_of_all
from lkm.actions.session import Session
from lkm.errors import LkmError, Unreadable
from lkm.formats import fstab
from lkm.formats.requested_aliases import filesystem
from lkm.system.modules_load import wanted_at_boot

__all__ = ["Want", "for_boot", "for_devices", "for_mounts", "loaded_now"]

_FSTAB = "/etc/fstab"
_LARGEST = 1 << 20


class Want(NamedTuple):
    """One reason for a module to be there.

    :param module: canonical
    :param reason: in words
    :param alias: what it is asked for by: the modalias of a device, a name of modules-load.d; None where it is loaded
    """

    module: str
    reason: str
    alias: str | None


def loaded_now(session: Session) -> Iterator[Want]:
    """Name what the kernel has loaded; the running kernel says nothing of another root."""
    if not session.kernel_is_of_root:
        return
    try:
        loaded = session.kernel.loaded()
    except LkmError:
        return  # a kernel without modules has none loaded
    for module in loaded:
        yield Want(module.name, "loaded now", None)


def for_boot(session: Session, tell: Callable[[Unreadable], None]) -> Iterator[Want]:
    """Name what modules-load.d and the kernel command line have loaded at boot.

    :param tell: is told of each file that can't be read
    """
    for entry in wanted_at_boot(session.root, session.command_line, tell=tell):
        for candidate in session.resolver.lookup(entry.name):
            yield Want(candidate.name, f"loaded at boot by {entry.file}:{entry.line}", entry.name)


def for_devices(session: Session) -> Iterator[Want]:
    """Name what is loaded for the devices that are there, but for modules that are blacklisted."""
    if not session.root.is_dir("/sys/devices"):
        return
    for claims in claims_of_all(session):
        for claim in claims.modules:
            if not claim.missing and not claim.blacklisted:
                yield Want(claim.module, f"for the device {claims.device.path}", claims.device.modalias)


def for_mounts(session: Session) -> Iterator[Want]:
    """Name the modules of the file systems that /etc/fstab mounts, and of the character sets that it names for them."""
    try:
        text = session.root.read_text(_FSTAB, limit=_LARGEST)
    except LkmError:
        return
    where = session.root.display(_FSTAB)
    for mount in fstab.parse(text):
        aliases = [filesystem(name) for name in mount.types]
        aliases += [f"nls_{value}" for name in ("iocharset", "nls") if (value := mount.option(name))]
        aliases += [f"nls_cp{value}" for value in (mount.option("codepage"),) if value]
        for alias in aliases:
            for candidate in session.resolver.lookup(alias):
                yield Want(candidate.name, f"for {mount.place}, which {where}:{mount.line} mounts", alias)
