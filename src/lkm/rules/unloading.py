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
    longest = 64 - (8 if profile.is_64bit else 4)  # MODULE_NAME_LEN, with the final NUL
    if not 0 < len(name.encode("utf-8", "surrogateescape")) < longest:
        return UnloadVerdict(errno.ENOENT, state)
    module = state.module(name)
    if module is None:
        return UnloadVerdict(errno.ENOENT, state)
    if state.users(name):
        return UnloadVerdict(errno.EWOULDBLOCK, state)
    can_force = force and profile.has("MODULE_FORCE_UNLOAD")
    no_exit = module.has_init and not module.has_exit
    if no_exit and not can_force:
        return UnloadVerdict(errno.EBUSY, state)
    if module.references > 0 and not can_force:
        return UnloadVerdict(errno.EWOULDBLOCK, state)
    gone = replace(state, modules=tuple(other for other in state.modules if other.name != name))
    forced = can_force and (no_exit or module.references > 0)
    return _forced(gone) if forced else UnloadVerdict(0, gone)


def _forced(state: KernelState) -> UnloadVerdict:
    """``try_force_unload``: a taint that also ends lock debugging, once."""
    log = () if "lockdep" in state.said else ("Disabling lock debugging due to kernel taint",)
    after = replace(state, taint=state.taint | int(Taint.FORCED_RMMOD), said=state.said | {"lockdep"})
    return UnloadVerdict(0, after, log)
