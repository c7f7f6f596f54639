"""EFI variables as files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats import efi_variables
from lkm.formats.efi_variables import GLOBAL, IMAGE_SECURITY, Attributes, EfiVariable


def test_secure_boot_as_efivarfs_shows_it() -> None:
    variable = efi_variables.parse(bytes.fromhex("0600000001"))
    assert variable == EfiVariable(Attributes.BOOTSERVICE_ACCESS | Attributes.RUNTIME_ACCESS, b"\x01")
    assert efi_variables.boolean(variable.data)


def test_attributes_without_a_name_are_kept() -> None:
    variable = efi_variables.parse(bytes.fromhex("07000080"))
    assert int(variable.attributes or 0) == 0x80000007
    assert efi_variables.render(variable) == bytes.fromhex("07000080")


@pytest.mark.parametrize("contents", [b"", b"\x06", b"\x06\0\0"])
def test_cut_short(contents: bytes) -> None:
    with pytest.raises(FormatError, match="four bytes of attributes"):
        efi_variables.parse(contents)


@pytest.mark.parametrize(("data", "value"), [(b"\x01", True), (b"\0", False), (b"\x02", False)])
def test_truth(data: bytes, value: bool) -> None:  # noqa: FBT001  a parameter of the test
    assert efi_variables.boolean(data) is value


@pytest.mark.parametrize("data", [b"", b"\x01\0", bytes(8)])
def test_no_truth(data: bytes) -> None:
    with pytest.raises(FormatError, match="where one must be"):
        efi_variables.boolean(data)


def test_names_of_files() -> None:
    assert efi_variables.name_of_file(f"db-{IMAGE_SECURITY}") == ("db", IMAGE_SECURITY)
    assert efi_variables.name_of_file(f"Boot-0001-{GLOBAL.upper()}") == ("Boot-0001", GLOBAL)
    assert efi_variables.file_name("PK", GLOBAL.upper()) == f"PK-{GLOBAL}"


@pytest.mark.parametrize("file", ["", "db", GLOBAL, f"-{GLOBAL}", f"db{GLOBAL}", f"db_{GLOBAL}", f"db-{GLOBAL[:-1]}g"])
def test_no_names_of_files(file: str) -> None:
    assert efi_variables.name_of_file(file) is None


@given(st.binary(max_size=40))
def test_any_file(contents: bytes) -> None:
    if len(contents) < 4:
        with pytest.raises(FormatError):
            efi_variables.parse(contents)
    else:
        assert efi_variables.render(efi_variables.parse(contents)) == contents


@given(st.text(max_size=60))
def test_any_name(file: str) -> None:
    parts = efi_variables.name_of_file(file)
    assert parts is None or efi_variables.file_name(*parts).lower() == file.lower()
