"""The flash memory in which a virtual machine's UEFI firmware keeps its variables, as EDK II lays it out.

A firmware volume whose first part is a variable store: records one behind the other, each with its state; a changed
variable is a new record, and the old one's state says that it is over
(``MdeModulePkg/Include/Guid/VariableFormat.h``, ``MdePkg/Include/Pi/PiFirmwareVolume.h``).
"""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from lkm.errors import FormatError
from lkm.formats.efi_variables import Attributes

__all__ = ["StoredVariable", "read", "with_variables"]

_VOLUME = struct.Struct("<16x16sQ4s4xH14x")  # … FileSystemGuid, FvLength, Signature, HeaderLength …
_STORE = struct.Struct("<16sIBB6x")  # Signature, Size, Format, State
_RECORD = struct.Struct("<HBxI8x16x4xII16s")  # StartId, State, Attributes, …, NameSize, DataSize, VendorGuid
_VOLUME_GUID = bytes.fromhex("8d2bf1ff96768b4ca9852747075b4f50")  # gEfiSystemNvDataFvGuid
_STORE_GUID = bytes.fromhex("782cf3aa7b949a43a1802e144ec37792")  # gEfiAuthenticatedVariableGuid
_FORMATTED, _HEALTHY = 0x5A, 0xFE
_START = 0x55AA
_ADDED = 0x3F
_NOT_DELETED = 0xFD  # a state loses the other bit when its record is over
_ERASED = b"\xff"


class StoredVariable(NamedTuple):
    """A variable of the firmware.

    :param name: as in ``MokList``
    :param guid: of whoever the name belongs to, in lower case
    :param attributes: who can see and change it
    :param data: its contents
    """

    name: str
    guid: str
    attributes: Attributes
    data: bytes


class _Record(NamedTuple):
    place: int
    end: int
    state: int
    variable: StoredVariable


def read(store: bytes) -> tuple[StoredVariable, ...]:
    """Read the variables that are valid.

    :param store: the whole flash memory, such as an OVMF_VARS file
    :raises FormatError: it is none, or a record lies about its size
    """
    return tuple(record.variable for record in _records(store) if record.state == _ADDED)


def with_variables(store: bytes, variables: Iterable[StoredVariable]) -> bytes:
    """Set variables, in place of those of the same name and GUID.

    :param store: as for :func:`read`
    :returns: the memory with them, of the same size
    :raises FormatError: as for :func:`read`, or there is no room
    """
    wanted = {variable[:2]: variable for variable in variables}
    changed = bytearray(store)
    place, end = _extent(store)
    for record in _records(store):
        place = record.end
        if record.state == _ADDED and record.variable[:2] in wanted:
            changed[record.place + 2] &= _NOT_DELETED
    for variable in wanted.values():
        written = _written(variable)
        if place + len(written) > end:
            raise FormatError(f"there is no room for the variable {variable.name}", offset=place)
        changed[place : place + len(written)] = written
        place += len(written)
    return bytes(changed)


def _extent(store: bytes) -> tuple[int, int]:
    """Give where the first record starts and where the room for them ends."""
    if len(store) < _VOLUME.size:
        raise FormatError("it is too short for a store of firmware variables", offset=len(store))
    guid, length, signature, header = _VOLUME.unpack_from(store)
    if (guid, signature) != (_VOLUME_GUID, b"_FVH"):
        raise FormatError("it is no store of firmware variables", offset=0)
    if length > len(store) or header < _VOLUME.size or header + _STORE.size > length:
        raise FormatError("the volume's lengths do not fit the file", offset=32)
    guid, size, form, state = _STORE.unpack_from(store, header)
    if guid != _STORE_GUID:
        raise FormatError("its variables are of another kind than authenticated ones", offset=header)
    if (form, state) != (_FORMATTED, _HEALTHY):
        raise FormatError("the variable store is not in order", offset=header + 20)
    if size < _STORE.size or header + size > length:
        raise FormatError("the variable store is longer than its volume", offset=header + 16)
    return header + _STORE.size, header + size


def _records(store: bytes) -> Iterator[_Record]:
    place, end = _extent(store)
    while place + _RECORD.size <= end:
        start, state, attributes, name_size, data_size, guid = _RECORD.unpack_from(store, place)
        if start != _START:
            return
        name_end = place + _RECORD.size + name_size
        if name_size % 2 or name_end + data_size > end:
            raise FormatError("a variable is longer than the store", offset=place)
        name = store[place + _RECORD.size : name_end].decode("utf-16-le", "replace").rstrip("\0")
        variable = StoredVariable(
            name, str(UUID(bytes_le=guid)), Attributes(attributes), store[name_end : name_end + data_size]
        )
        record = _Record(place, min(_aligned(name_end + data_size), end), state, variable)
        yield record
        place = record.end


def _written(variable: StoredVariable) -> bytes:
    name = f"{variable.name}\0".encode("utf-16-le")
    guid = UUID(variable.guid).bytes_le
    header = _RECORD.pack(_START, _ADDED, variable.attributes, len(name), len(variable.data), guid)
    written = header + name + variable.data
    return written.ljust(_aligned(len(written)), _ERASED)


def _aligned(place: int) -> int:
    return (place + 3) & ~3
