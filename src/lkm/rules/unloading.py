"""The kernel's checks before it removes a module, in its order (kernel/module/main.c ``delete_module``)."""

import errno
from dataclasses import dataclass, replace

from lkm.rules.loading.attempt import KernelState
from lkm.rules.taint import Taint
from lkm.system.kernel_profile import KernelProfile

__all__ = ["UnloadVerdict", "judge_unload"]


@dataclass(frozen=True, slots=True)
class UnloadVerdict:
    """What the kernel answers.

    :param errno: 0 where the module goes
    :param state: the kernel afterwards
    :param log: the lines that the kernel prints
    """

    errno: int
    state: KernelState
    log: tuple[str, ...] = ()


def judge_unload(
    profile: KernelProfile, state: KernelState, name: str, *, force: bool = False, privileged: bool = True
) -> UnloadVerdict:
    """Say what a kernel does when asked to remove a module.

    :param name: exact, as the kernel knows it
    :param force: O_TRUNC, which counts only with CONFIG_MODULE_FORCE_UNLOAD
    :param privileged: the caller has CAP_SYS_MODULE
    """
    if not profile.has("MODULE_UNLOAD"):
        return UnloadVerdict(errno.ENOSYS, state)
    if not privileged or state.forbids_modules:
        return UnloadVerdict(errno.EPERM, state)
    known = _name_as_read(profile, name)
    module = state.module(known) if known else None
    if module is None:
        return UnloadVerdict(errno.ENOENT, state)
    if state.users(module.name):
        return UnloadVerdict(errno.EWOULDBLOCK, state)
    can_force = force and profile.has("MODULE_FORCE_UNLOAD")
    no_exit = module.has_init and not module.has_exit
    if no_exit and not can_force:
        return UnloadVerdict(errno.EBUSY, state)
    if module.references > 0 and not can_force:
        return UnloadVerdict(errno.EWOULDBLOCK, state)
    gone = replace(state, modules=tuple(other for other in state.modules if other.name != module.name))
    forced = can_force and (no_exit or module.references > 0)
    return _forced(gone) if forced else UnloadVerdict(0, gone)


def _name_as_read(profile: KernelProfile, name: str) -> str:
    """Give the name as the kernel has it in its buffer, empty where that is too small: MODULE_NAME_LEN with a NUL."""
    longest = 63 - (8 if profile.is_64bit else 4)
    raw = name.split("\0", 1)[0].encode("utf-8", "surrogateescape")
    if len(raw) > longest and not profile.traits.cuts_long_names:
        return ""
    return raw[:longest].decode("utf-8", "surrogateescape")


def _forced(state: KernelState) -> UnloadVerdict:
    """``try_force_unload``: a taint that also ends lock debugging, once."""
    log = () if "lockdep" in state.said else ("Disabling lock debugging due to kernel taint",)
    after = replace(state, taint=state.taint | int(Taint.FORCED_RMMOD), said=state.said | {"lockdep"})
    return UnloadVerdict(0, after, log)
