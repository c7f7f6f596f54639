"""Machines with UEFI firmware for tests, and what their firmware says, copied out."""

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.require import require_path, require_tool

from lkm.formats import efi_signature_lists, efi_variable_store
from lkm.formats.efi_signature_lists import SignatureType
from lkm.formats.efi_variable_store import StoredVariable
from lkm.formats.efi_variables import IMAGE_SECURITY, Attributes
from lkm.kernels.vm.firmware import Firmware, Trusted, new_variables
from lkm.kernels.vm.images import Image
from lkm.kernels.vm.machine import Machine

__all__ = ["copy_firmware", "machine_with_firmware", "make_variables"]

_PARTS = (
    "/usr/share/OVMF/OVMF_CODE_4M.fd",
    "/usr/lib/shim/shimx64.efi.signed",
    "/usr/lib/shim/mmx64.efi.signed",
    "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
)
_EMPTY_DBX = StoredVariable("dbx", IMAGE_SECURITY, Attributes(0x27), b"")
_BOOT_SECONDS = 240.0  # other tests run beside it


def make_variables(
    *, secure_boot: bool = True, revoked_files: Sequence[bytes] = (), **trusted: Sequence[bytes]
) -> bytes:
    """Make the memory of a machine's firmware.

    :param revoked_files: SHA-256 of files, for dbx
    :param trusted: lists of certificates in DER: ``db``, ``dbx``, ``mok``, ``mok_denied``
    """
    for part in _PARTS:
        require_path(part)
    store = new_variables(secure_boot=secure_boot, trusted=Trusted(**trusted))
    dbx = next((found for found in efi_variable_store.read(store) if found.name == "dbx"), _EMPTY_DBX)
    added = efi_signature_lists.render(SignatureType.SHA256, revoked_files)
    return efi_variable_store.with_variables(store, [dbx._replace(data=dbx.data + added)])


def machine_with_firmware(
    image: Image, variables: bytes | Path, *, boot_loader: bool = True, cmdline: str = ""
) -> Machine:
    """Give a machine that is not started yet; see :class:`lkm.kernels.vm.firmware.Firmware`."""
    require_tool("qemu-system-x86_64")
    require_tool("busybox")
    firmware = Firmware(variables, boot_loader=boot_loader)
    return Machine(image.kernel, image.modules, firmware=firmware, cmdline=cmdline, boot_timeout=_BOOT_SECONDS)


def copy_firmware(machine: Machine, root: Path) -> None:
    """Copy what the firmware of a running machine says into a root directory."""
    done = machine.run(["tar", "-c", "-C", "/", "sys/firmware/efi/efivars", "sys/firmware/efi/mok-variables"])
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(root, filter="data")
