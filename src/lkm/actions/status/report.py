"""A system at a glance: what needs attention, and how everything about its modules stands."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lkm.actions.lockdown.kernel import ask_kernel
from lkm.actions.status.configuration import block_list, boot_list, devices, initramfs
from lkm.actions.status.dkms import dkms
from lkm.actions.status.kernel import kernel_line, lockdown, modules, modules_disabled, secure_boot, signatures, taint
from lkm.actions.status.parts import Attention, Fact, Level, Overview, Part
from lkm.errors import LkmError
from lkm.system.module_tree import releases
from lkm.system.release_order import natural

if TYPE_CHECKING:
    from lkm.actions.session import Session

__all__ = ["Status", "status_of"]

_PARTS: tuple[tuple[str, Callable[[Overview], Part]], ...] = (
    ("kernel", kernel_line),
    ("modules", modules),
    ("taint", taint),
    ("secure_boot", secure_boot),
    ("lockdown", lockdown),
    ("signatures", signatures),
    ("modules_disabled", modules_disabled),
    ("dkms", dkms),
    ("block_list", block_list),
    ("boot_list", boot_list),
    ("devices", devices),
    ("initramfs", initramfs),
)


@dataclass(frozen=True, slots=True)
class Status:
    """An overview.

    :param is_running: it is of a kernel that runs; else of one that is installed
    :param attention: what somebody should look at, problems first
    :param facts: how everything stands, in a fixed order
    """

    release: str
    is_running: bool
    attention: tuple[Attention, ...]
    facts: tuple[Fact, ...]

    @property
    def has_problems(self) -> bool:
        """Whether something does not work as it is meant to."""
        return any(found.level is Level.PROBLEM for found in self.attention)


def status_of(session: "Session") -> Status:
    """Look at everything; what can't be looked at is said so in its line.

    Of several kernels that are installed in another root, the newest is meant.

    :raises TreeMissing: the root has no module tree
    :raises UsageError: the root is no directory
    """
    session = _chosen(session)
    kernel = ask_kernel(session)
    overview = Overview(session, kernel)
    parts = [_part(name, look, overview) for name, look in _PARTS]
    found = [attention for part in parts for attention in part.attention]
    ordered = sorted(found, key=lambda attention: attention.level is not Level.PROBLEM)
    return Status(kernel.release, kernel.is_running, tuple(ordered), tuple(part.fact for part in parts))


def _chosen(session: "Session") -> "Session":
    """Choose the newest of several kernels of a root."""
    if session.root.is_host or session.target.release is not None or session.kernel_kind == "vm":
        return session
    found = sorted(releases(session.root), key=natural)
    return type(session)(session.target._replace(release=found[-1])) if len(found) > 1 else session


def _part(name: str, look: Callable[[Overview], Part], overview: Overview) -> Part:
    try:
        return look(overview)
    except LkmError as error:
        return Part(Fact(name, None, f"unknown: {error}"))
