"""What firmware starts with, out of files that stand in for the installed ones."""

from pathlib import Path

import pytest
from tests.unit.formats.test_efi_variable_store import empty

from lkm.errors import FormatError, MachineError
from lkm.formats import efi_signature_lists, efi_variable_store
from lkm.formats.efi_variable_store import StoredVariable
from lkm.formats.efi_variables import IMAGE_SECURITY, Attributes
from lkm.kernels.vm import firmware
from lkm.kernels.vm.firmware import Trusted, new_variables

_X509 = efi_signature_lists.SignatureType.X509


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A memory that trusts one certificate already."""
    path = tmp_path / "VARS.fd"
    db = StoredVariable("db", IMAGE_SECURITY, Attributes(0x27), efi_signature_lists.render(_X509, [b"before"]))
    path.write_bytes(efi_variable_store.with_variables(empty(), [db]))
    monkeypatch.setattr(firmware, "_VARIABLES", {True: path, False: tmp_path / "missing.fd"})
    return path


def test_certificates_join_those_that_are_there(store: Path) -> None:
    trusted = Trusted(db=[b"one", b"other"], mok=[b"owner's"], mok_denied=[b"denied"])
    found = {
        variable.name: variable
        for variable in efi_variable_store.read(new_variables(secure_boot=True, trusted=trusted))
    }
    lists = {name: [entry.data for entry in efi_signature_lists.parse(one.data)] for name, one in found.items()}
    assert lists == {"db": [b"before", b"one", b"other"], "MokList": [b"owner's"], "MokListX": [b"denied"]}
    assert found["db"].attributes == 0x27
    assert found["MokList"].attributes == 3  # shim drops a list that a running system can see


def test_without_certificates_nothing_changes(store: Path) -> None:
    assert new_variables(secure_boot=True) == store.read_bytes()


def test_what_is_not_installed_is_named_with_its_package(store: Path) -> None:
    with pytest.raises(MachineError, match=r"missing\.fd is not installed") as caught:
        new_variables(secure_boot=False)
    assert caught.value.hint == "apt-get install ovmf"


def test_another_file_in_its_place_is_named(store: Path) -> None:
    store.write_bytes(bytes(4096))
    with pytest.raises(FormatError, match="no store of firmware variables") as caught:
        new_variables(secure_boot=True)
    assert caught.value.where == str(store)
