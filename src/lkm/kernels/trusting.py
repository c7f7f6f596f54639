"""What the firmware of a root adds to the state of a kernel: the keys it trusts, and what Secure Boot forbids."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lkm.rules.loading.state import KernelState
    from lkm.system.kernel_profile import KernelProfile
    from lkm.system.root import Root

__all__ = ["with_firmware"]

_FIRMWARE = "/sys/firmware/efi"


def with_firmware(
    state: "KernelState", root: "Root", profile: "Callable[[], KernelProfile]", *, is_running: bool = False
) -> "KernelState":
    """Give a kernel's state as it is, or would be, on a machine with the firmware of a root.

    :param profile: gives the kernel's profile, where it is needed
    :param is_running: the state is a running kernel's, which says of itself how strict it is
    """
    if not root.is_dir(_FIRMWARE):
        return state
    from lkm.rules.signatures.trust import state_of_trust, under_secure_boot  # noqa: PLC0415  few roots have firmware
    from lkm.system.trust_store import read_trust_store  # noqa: PLC0415  as above

    known = profile()
    store = read_trust_store(root, known)
    state = state_of_trust(state, store, known)
    return under_secure_boot(state, known) if store.firmware.enforces and not is_running else state
