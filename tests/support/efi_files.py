"""Firmware made up for a test: a root's EFI variables and shim's table, from certificates."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lkm.formats.efi_signature_lists import SignatureType, render
from lkm.formats.efi_variables import GLOBAL, IMAGE_SECURITY, SHIM_LOCK, Attributes, EfiVariable, file_name
from lkm.formats.efi_variables import render as render_variable

__all__ = ["OF_FIRMWARE", "OF_SHIM", "REQUESTED", "lists_of", "make_firmware", "write_variable"]

OF_FIRMWARE = Attributes(0x27)
"""db and its like: kept, seen by all, written by whoever has the key."""

OF_SHIM = Attributes(0x06)
"""MokListRT and its like: made at each start, and not to be written."""

REQUESTED = Attributes(0x07)
"""MokNew and its like: kept, and written by the running system."""

_GUIDS = {"db": IMAGE_SECURITY, "dbx": IMAGE_SECURITY} | dict.fromkeys(
    ("SecureBoot", "SetupMode", "PK", "KEK", "VendorKeys"), GLOBAL
)


def write_variable(directory: Path, name: str, data: bytes, attributes: Attributes | None = None) -> Path:
    """Write one file of efivarfs.

    :param attributes: those that the variable usually has, unless they are given
    """
    guid = _GUIDS.get(name, SHIM_LOCK)
    usual = OF_FIRMWARE if guid == IMAGE_SECURITY or name in {"PK", "KEK"} else OF_SHIM
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / file_name(name, guid)
    path.write_bytes(render_variable(EfiVariable(usual if attributes is None else attributes, data)))
    return path


def lists_of(
    certificates: Sequence[bytes] = (), hashes: Mapping[SignatureType, Sequence[bytes]] | None = None
) -> bytes:
    """Make the signature lists of a variable.

    :param certificates: DER
    :param hashes: others, by their type
    """
    others = b"".join(render(kind, items, owner=SHIM_LOCK) for kind, items in (hashes or {}).items())
    return render(SignatureType.X509, certificates, owner=SHIM_LOCK) + others


def make_firmware(  # noqa: PLR0913  each is a variable of its own
    root: Path,
    *,
    secure_boot: bool | None = True,
    setup_mode: bool = False,
    validates: bool = True,
    db: Sequence[bytes] = (),
    dbx: Sequence[bytes] = (),
    revoked: Mapping[SignatureType, Sequence[bytes]] | None = None,
    mok: Sequence[bytes] = (),
    mok_denied: Sequence[bytes] = (),
    mok_new: Sequence[bytes] = (),
    has_table: bool = True,
    trusts_owner_keys: bool = False,
) -> Path:
    """Give a root a firmware, as /sys shows it.

    :param secure_boot: None for a firmware that knows no Secure Boot
    :param validates: shim was not told to validate nothing
    :param db: certificates in DER, as the following ones
    :param revoked: hashes in dbx
    :param mok_new: what mokutil asked for and MokManager has not seen yet
    :param has_table: shim hands its variables over in a table, too
    :param trusts_owner_keys: shim says MokListTrustedRT there
    :returns: the root
    """
    efivars, table = root / "sys/firmware/efi/efivars", root / "sys/firmware/efi/mok-variables"
    write_variable(efivars, "SetupMode", bytes((setup_mode,)))
    if secure_boot is not None:
        write_variable(efivars, "SecureBoot", bytes((secure_boot,)))
    if mok_new:
        write_variable(efivars, "MokNew", lists_of(mok_new), REQUESTED)
        write_variable(efivars, "MokAuth", bytes(32), REQUESTED)
    of_shim = {"MokListRT": lists_of(mok), "MokListXRT": lists_of(mok_denied)}
    of_shim["MokSBStateRT"] = b"" if validates else b"\x01"
    for name, data in {"db": lists_of(db), "dbx": lists_of(dbx, revoked), **of_shim}.items():
        if data:
            write_variable(efivars, name, data)
    if has_table:
        _write_table(table, of_shim | {"MokListTrustedRT": b"\x01" if trusts_owner_keys else b""})
    return root


def _write_table(directory: Path, variables: Mapping[str, bytes]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in variables.items():
        if data:
            (directory / name).write_bytes(data)
