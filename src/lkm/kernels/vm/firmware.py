"""UEFI firmware for machines: what it starts with, whom it trusts, and what it keeps between two boots."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lkm.errors import FormatError, MachineError, Unreadable
from lkm.formats import efi_signature_lists, efi_variable_store
from lkm.formats.efi_signature_lists import SignatureType
from lkm.formats.efi_variable_store import StoredVariable
from lkm.formats.efi_variables import IMAGE_SECURITY, SHIM_LOCK, Attributes

__all__ = ["CODE", "Firmware", "Trusted", "find", "new_variables"]

_OVMF = Path("/usr/share/OVMF")  # Debian's and Ubuntu's package
CODE = _OVMF / "OVMF_CODE_4M.fd"
"""The firmware: it enforces Secure Boot, and without SMM a guest could get around that, which nobody here tries."""

_VARIABLES = {False: _OVMF / "OVMF_VARS_4M.fd", True: _OVMF / "OVMF_VARS_4M.ms.fd"}  # True: Microsoft's keys are in it

_KEPT = Attributes.NON_VOLATILE | Attributes.BOOTSERVICE_ACCESS
_SIGNED = _KEPT | Attributes.RUNTIME_ACCESS | Attributes.TIME_BASED_AUTHENTICATED_WRITE_ACCESS
_PLACES = {
    "db": ("db", IMAGE_SECURITY, _SIGNED),
    "dbx": ("dbx", IMAGE_SECURITY, _SIGNED),
    "mok": ("MokList", SHIM_LOCK, _KEPT),  # shim takes no list that a running system could have written
    "mok_denied": ("MokListX", SHIM_LOCK, _KEPT),
}


@dataclass(frozen=True, slots=True)
class Firmware:
    """UEFI for a machine.

    :param variables: what the firmware's memory holds: bytes are copied for each boot; a file is changed, and so keeps
        between boots what the firmware, the boot loader and the kernel write
    :param boot_loader: start through shim and GRUB, as a distribution does: shim has the owner's keys (MOK). Without,
        the firmware starts the kernel itself, which is faster; Secure Boot then does not keep a kernel out
    """

    variables: bytes | Path
    boot_loader: bool = True


@dataclass(frozen=True, slots=True)
class Trusted:
    """Certificates, in DER, for the firmware and for shim.

    :param db: trusted by the firmware
    :param dbx: revoked by the firmware
    :param mok: trusted by shim (MokList)
    :param mok_denied: revoked by shim (MokListX)
    """

    db: Sequence[bytes] = ()
    dbx: Sequence[bytes] = ()
    mok: Sequence[bytes] = ()
    mok_denied: Sequence[bytes] = ()


def new_variables(*, secure_boot: bool, trusted: Trusted | None = None) -> bytes:
    """Make the memory of a firmware.

    :param secure_boot: with Microsoft's keys and Secure Boot on, as computers are sold; else without any
    :param trusted: more certificates
    :raises MachineError: the firmware is not installed
    :raises FormatError: its memory has another form than expected, or the certificates find no room
    """
    path = find(_VARIABLES[secure_boot], "ovmf")
    given = trusted or Trusted()
    try:
        store = path.read_bytes()
        present = efi_variable_store.read(store)
        return efi_variable_store.with_variables(store, _additions(present, given))
    except FormatError as error:
        error.where = str(path)
        raise
    except OSError as error:
        raise Unreadable((error.strerror or str(error)).lower(), where=str(path)) from error


def _additions(present: Sequence[StoredVariable], trusted: Trusted) -> Iterable[StoredVariable]:
    for place, (name, guid, attributes) in _PLACES.items():
        certificates: Sequence[bytes] = getattr(trusted, place)
        before = next((variable.data for variable in present if variable[:2] == (name, guid)), b"")
        added = efi_signature_lists.render(SignatureType.X509, certificates)
        if added:
            yield StoredVariable(name, guid, attributes, before + added)


def find(path: Path, package: str) -> Path:
    """Make sure that a part of the boot chain is installed.

    :param package: the Debian package that brings it
    :raises MachineError: it is not
    """
    if not path.is_file():
        raise MachineError(f"{path} is not installed", hint=f"apt-get install {package}")
    return path
