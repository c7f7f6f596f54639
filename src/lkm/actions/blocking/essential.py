"""What a system can't do without: the modules of its file systems, disks, network and consoles."""

from collections.abc import Iterator, Sequence

from lkm.actions.session import Session
from lkm.actions.wanted import for_mounts
from lkm.formats.module_name import from_path
from lkm.formats.requested_aliases import filesystem
from lkm.system import drivers_in_use

__all__ = ["essential_modules"]

_PLACES = frozenset({"/", "/usr", "/boot", "/boot/efi", "/efi", "/var", "/home", "/etc"})


def essential_modules(sessions: Sequence[Session], session: Session) -> dict[str, str]:
    """Name the modules with the reason, all that they depend on included.

    On a root that does not run, /etc/fstab is all that tells.

    :param sessions: one for each kernel of the root
    :param session: the system
    """
    found: dict[str, str] = {}
    for name, reason in _needed(sessions, session):
        found.setdefault(name, reason)
    for name, reason in tuple(found.items()):
        for other in sessions:
            for module in other.tree.dependencies(name):
                found.setdefault(from_path(module.path), f"{name} needs it, {reason}")
    return found


def _needed(sessions: Sequence[Session], session: Session) -> Iterator[tuple[str, str]]:
    root = session.root
    for mount in drivers_in_use.mounts(root):
        if mount.place in _PLACES:
            reason = f"for the file system at {mount.place}"
            yield from ((name, reason) for name in _behind(sessions, filesystem(mount.type)))
            if not mount.device.startswith("0:"):
                reason = f"for the disk of {mount.place}"
                yield from ((name, reason) for name in drivers_in_use.block_device_modules(root, mount.device))
    for other in sessions:
        yield from ((want.module, want.reason) for want in for_mounts(other))
    for interface, module, kind in drivers_in_use.network_modules(root):
        reason = f"for the network interface {interface}"
        names = _behind(sessions, f"rtnl-link-{kind}") if kind else (module,)
        yield from ((name, reason) for name in names)
    for device, module in drivers_in_use.console_modules(root):
        yield module, f"for {device}, a console, screen or keyboard"


def _behind(sessions: Sequence[Session], alias: str) -> tuple[str, ...]:
    """Name the modules that an alias leads to, on any kernel."""
    return tuple(dict.fromkeys(found.name for other in sessions for found in other.resolver.lookup(alias)))
