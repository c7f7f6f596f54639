"""Stores of firmware variables, made here, damaged and changed."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats.efi_variable_store import StoredVariable, read, with_variables
from lkm.formats.efi_variables import GLOBAL, SHIM_LOCK, Attributes

KEPT = Attributes.NON_VOLATILE | Attributes.BOOTSERVICE_ACCESS
HEADER, STORE_SIZE = 0x48, 0x800
FIRST = HEADER + 28


def empty() -> bytes:
    """A flash memory of 4 KiB, half of which is for variables."""
    volume = struct.pack(
        "<16s16sQ4sIHHHBBIIII",
        *(bytes(16), bytes.fromhex("8d2bf1ff96768b4ca9852747075b4f50"), 0x1000, b"_FVH", 0x4FEFF, HEADER),
        *(0, 0, 0, 2, 1, 0x1000, 0, 0),
    )
    store = struct.pack("<16sIBB6x", bytes.fromhex("782cf3aa7b949a43a1802e144ec37792"), STORE_SIZE, 0x5A, 0xFE)
    return (volume + store).ljust(0x1000, b"\xff")


def variable(name: str = "MokList", data: bytes = b"abc", guid: str = SHIM_LOCK) -> StoredVariable:
    return StoredVariable(name, guid, KEPT, data)


def test_what_is_set_is_read_in_order() -> None:
    variables = (variable(), variable("PK", b"", GLOBAL), variable("Ünï", b"\xff" * 9))
    store = with_variables(empty(), variables)
    assert read(empty()) == ()
    assert read(store) == variables
    assert len(store) == len(empty())


def test_what_is_set_anew_replaces_what_was_there() -> None:
    store = with_variables(empty(), [variable(), variable("other")])
    store = with_variables(store, [variable(data=b"new")])
    assert read(store) == (variable("other"), variable(data=b"new"))


def test_names_of_others_are_not_touched() -> None:
    store = with_variables(with_variables(empty(), [variable()]), [variable(guid=GLOBAL)])
    assert read(store) == (variable(), variable(guid=GLOBAL))


def test_records_are_aligned_and_laid_out_as_the_firmware_expects() -> None:
    store = with_variables(empty(), [variable("A", b"x"), variable("B", b"")])
    assert store[FIRST : FIRST + 8] == bytes.fromhex("aa553f0003000000")
    assert store[FIRST + 36 : FIRST + 44] == struct.pack("<II", 4, 1)
    assert store[FIRST + 60 : FIRST + 68] == b"A\0\0\0x\xff\xff\xff"
    assert store[FIRST + 68 : FIRST + 71] == bytes.fromhex("aa553f")


def test_there_is_an_end_to_the_room() -> None:
    full = with_variables(empty(), [variable(data=bytes(STORE_SIZE - 28 - 60 - 16))])
    assert len(read(full)) == 1
    with pytest.raises(FormatError, match="no room for the variable other"):
        with_variables(full, [variable("other", b"")])
    with pytest.raises(FormatError, match="no room"):
        with_variables(empty(), [variable(data=bytes(STORE_SIZE))])


def changed(place: int, value: bytes) -> bytes:
    store = with_variables(empty(), [variable()])
    return store[:place] + value + store[place + len(value) :]


@pytest.mark.parametrize(
    ("store", "reason"),
    [
        (b"", "too short"),
        (bytes(4096), "no store"),
        (changed(40, b"_FVX"), "no store"),
        (changed(32, struct.pack("<Q", 1 << 40)), "lengths do not fit"),
        (changed(48, struct.pack("<H", 8)), "lengths do not fit"),
        (changed(48, struct.pack("<H", 0xFFF8)), "lengths do not fit"),
        (changed(HEADER, bytes(16)), "another kind"),
        (changed(HEADER + 20, b"\xff"), "not in order"),
        (changed(HEADER + 16, struct.pack("<I", 0xFFFFFFFF)), "longer than its volume"),
        (changed(FIRST + 36, struct.pack("<I", 0xFFFFFFFE)), "longer than the store"),
        (changed(FIRST + 36, struct.pack("<I", 3)), "longer than the store"),
        (changed(FIRST + 40, struct.pack("<I", 0xFFFFFFFF)), "longer than the store"),
        (with_variables(empty(), [variable()])[:2048], "lengths do not fit"),
    ],
)
def test_damage_is_told(store: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason) as caught:
        read(store)
    assert caught.value.offset is not None
    with pytest.raises(FormatError):
        with_variables(store, [variable()])


@settings(max_examples=60)
@given(place=st.integers(0, FIRST + 100), value=st.binary(min_size=1, max_size=8))
def test_any_damage_is_a_format_error_or_none(place: int, value: bytes) -> None:
    try:
        found = read(changed(place, value))
    except FormatError:
        return
    assert len(found) <= 2


@settings(max_examples=40)
@given(st.dictionaries(st.text("abcXYZ", min_size=1, max_size=5), st.binary(max_size=40), max_size=5))
def test_any_variables_come_back(given_: dict[str, bytes]) -> None:
    variables = tuple(variable(name, data) for name, data in given_.items())
    assert read(with_variables(empty(), variables)) == variables
