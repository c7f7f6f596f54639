"""EFI variables as files: of efivarfs, of /sys/firmware/efi/mok-variables, and of directories that they were copied to.

A file of efivarfs is named ``NAME-GUID`` and holds four bytes of attributes, little-endian, before the data
(fs/efivarfs/file.c ``efivarfs_file_read``, 6.1). What shim hands over in a table, and the kernel shows in
mok-variables, is named ``NAME`` and is data alone (drivers/firmware/efi/mokvar-table.c, 6.1).
"""

import re
from enum import IntFlag
from typing import NamedTuple

from lkm.errors import FormatError

__all__ = [
    "GLOBAL",
    "IMAGE_SECURITY",
    "SHIM_LOCK",
    "Attributes",
    "EfiVariable",
    "boolean",
    "file_name",
    "name_of_file",
    "parse",
    "render",
]

GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""EFI_GLOBAL_VARIABLE: SecureBoot, SetupMode, PK, KEK, VendorKeys (UEFI 2.10, 3.3)."""

IMAGE_SECURITY = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
"""EFI_IMAGE_SECURITY_DATABASE_GUID: db, dbx (UEFI 2.10, 32.4)."""

SHIM_LOCK = "605dab50-e046-4300-abb6-3dd810dd8b23"
"""The names that shim and MokManager keep: MokListRT, MokSBStateRT, MokNew (include/linux/efi.h, 6.1)."""

_ATTRIBUTES = 4  # bytes
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_GUID_LENGTH = 36


class Attributes(IntFlag):
    """Attributes of a variable (UEFI 2.10, 8.2); bits without a name are kept."""

    NON_VOLATILE = 0x01
    BOOTSERVICE_ACCESS = 0x02
    RUNTIME_ACCESS = 0x04
    HARDWARE_ERROR_RECORD = 0x08
    AUTHENTICATED_WRITE_ACCESS = 0x10
    TIME_BASED_AUTHENTICATED_WRITE_ACCESS = 0x20
    APPEND_WRITE = 0x40
    ENHANCED_AUTHENTICATED_ACCESS = 0x80


class EfiVariable(NamedTuple):
    """A variable's value.

    :param attributes: None where the file does not say them: in mok-variables
    :param data: the value
    """

    attributes: Attributes | None
    data: bytes


def name_of_file(file: str) -> tuple[str, str] | None:
    """Take the name of a file of efivarfs apart.

    :returns: the variable's name and its GUID in lower case; None for a file that is named otherwise
    """
    name, guid = file[: -_GUID_LENGTH - 1], file[-_GUID_LENGTH:].lower()
    if not name or file[-_GUID_LENGTH - 1] != "-" or not _GUID.fullmatch(guid):
        return None
    return name, guid


def file_name(name: str, guid: str) -> str:
    """Give the name that a variable's file has in efivarfs."""
    return f"{name}-{guid.lower()}"


def parse(contents: bytes) -> EfiVariable:
    """Read a file of efivarfs.

    :raises FormatError: it is shorter than the attributes
    """
    if len(contents) < _ATTRIBUTES:
        raise FormatError(
            f"an EFI variable of {len(contents)} bytes, where four bytes of attributes must be", offset=len(contents)
        )
    attributes = Attributes(int.from_bytes(contents[:_ATTRIBUTES], "little"))
    return EfiVariable(attributes, contents[_ATTRIBUTES:])


def render(variable: EfiVariable) -> bytes:
    """Write the file of efivarfs, or of mok-variables where there are no attributes."""
    if variable.attributes is None:
        return variable.data
    return int(variable.attributes).to_bytes(_ATTRIBUTES, "little") + variable.data


def boolean(data: bytes) -> bool:
    """Read the value of SecureBoot, SetupMode, MokSBState and their like: one byte, 1 for true.

    The kernel takes no other size (include/linux/efi.h ``efi_get_secureboot_mode``, 6.1).

    :raises FormatError: it is not one byte
    """
    if len(data) != 1:
        raise FormatError(f"a truth value of {len(data)} bytes, where one must be", offset=0)
    return data == b"\x01"
