"""A machine under Secure Boot to try modules on, and what is foretold of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lkm.formats.efi_signature_lists import SignatureType, parse, render
from lkm.rules.loading.state import KernelState
from lkm.rules.signatures.trust import state_of_trust, under_secure_boot
from lkm.system.firmware import FirmwareState
from lkm.system.trust_store import trust_store_of

if TYPE_CHECKING:
    from lkm.kernels.emulated import EmulatedKernel
    from lkm.kernels.vm.firmware import Firmware
    from lkm.system.kernel_profile import KernelProfile
    from lkm.system.module_tree import ModuleTree

__all__ = ["firmware_with", "foretelling"]


def firmware_with(owners: Sequence[bytes]) -> "Firmware":
    """Give firmware with Microsoft's keys and Secure Boot on, which starts the kernel by shim and GRUB.

    :param owners: certificates that the machine's owner has enrolled (MOK), DER
    :raises MachineError: the firmware is not installed
    """
    from lkm.kernels.vm.firmware import Firmware, Trusted, new_variables  # noqa: PLC0415  few trials need it

    return Firmware(new_variables(secure_boot=True, trusted=Trusted(mok=owners)))


@contextmanager
def foretelling(tree: "ModuleTree", cmdline: str, owners: Sequence[bytes]) -> "Iterator[EmulatedKernel]":
    """Give an emulated kernel that has been started so; it ends with the context.

    :param cmdline: its kernel command line
    :param owners: as for :func:`firmware_with`
    """
    from lkm.kernels.emulated import EmulatedKernel  # noqa: PLC0415  as above
    from lkm.kernels.emulated_store import EmulatedStore, Snapshot  # noqa: PLC0415

    with TemporaryDirectory(prefix="lkm-emulated-") as directory:
        Path(directory, "cmdline").write_text(cmdline, encoding="utf-8", errors="surrogateescape")
        store = EmulatedStore(tree, directory)
        with store.changing() as booted:
            store.write(Snapshot(_started(booted.state, store.profile, owners)))
        yield EmulatedKernel(tree, directory)


def _started(state: KernelState, profile: "KernelProfile", owners: Sequence[bytes]) -> KernelState:
    firmware = FirmwareState(
        is_efi=True,
        secure_boot=True,
        setup_mode=False,
        mok_list=parse(render(SignatureType.X509, owners)),
        trusts_owner_keys=True,  # as shim says from 15.5 on unless its owner has turned it off
    )
    trusting = state_of_trust(state, trust_store_of(profile, firmware), profile)
    return under_secure_boot(trusting, profile)
