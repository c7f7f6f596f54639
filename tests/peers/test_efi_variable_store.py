"""The memory of OVMF as lkm writes it and as virt-firmware does, each read by the other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.key_pair import KeyPair, make_key_pair
from tests.support.require import missing, require_path

from lkm.formats import efi_signature_lists, efi_variable_store
from lkm.formats.efi_variables import Attributes
from lkm.kernels.vm.firmware import Trusted, new_variables

pytestmark = pytest.mark.peer

_STORES = {False: "/usr/share/OVMF/OVMF_VARS_4M.fd", True: "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"}
_NOBODY = "00000000-0000-0000-0000-000000000000"
_NAMES = {"db": "db", "dbx": "dbx-cert", "mok": "mok"}


def virt_fw_vars(*words: str | Path) -> None:
    tool = Path(sys.executable).parent / "virt-fw-vars"
    if not tool.exists():
        missing("virt-fw-vars is not installed")
    subprocess.run([tool, *words], check=True, capture_output=True)


def seen_by_peer(store: Path, directory: Path) -> dict[tuple[str, str], tuple[int, bytes]]:
    virt_fw_vars("--input", store, "--output-json", directory / "variables.json")
    variables = json.loads((directory / "variables.json").read_text())["variables"]
    return {(entry["name"], entry["guid"]): (entry["attr"], bytes.fromhex(entry["data"])) for entry in variables}


def seen_by_us(store: Path) -> dict[tuple[str, str], tuple[int, bytes]]:
    found = efi_variable_store.read(store.read_bytes())
    return {variable[:2]: (int(variable.attributes), variable.data) for variable in found}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, KeyPair]:
    directory = tmp_path_factory.mktemp("keys")
    return {place: make_key_pair(directory, place, "p256") for place in _NAMES}


@pytest.mark.parametrize("path", _STORES.values())
def test_both_read_the_same_out_of_what_is_installed(path: str, tmp_path: Path) -> None:
    store = require_path(path)
    assert seen_by_us(store) == seen_by_peer(store, tmp_path)


@pytest.mark.parametrize("secure_boot", [False, True])
def test_both_write_the_same_variables(secure_boot: bool, pairs: dict[str, KeyPair], tmp_path: Path) -> None:  # noqa: FBT001
    require_path(_STORES[secure_boot])
    ours, theirs = tmp_path / "ours.fd", tmp_path / "theirs.fd"
    trusted = Trusted(**{place: [pair.der] for place, pair in pairs.items()})
    ours.write_bytes(new_variables(secure_boot=secure_boot, trusted=trusted))
    words = [(f"--add-{_NAMES[place]}", _NOBODY, pair.certificate) for place, pair in pairs.items()]
    virt_fw_vars("--input", _STORES[secure_boot], *(word for group in words for word in group), "--output", theirs)
    assert seen_by_peer(ours, tmp_path) == seen_by_us(ours)
    assert _listed(ours) == _listed(theirs)


def _listed(store: Path) -> dict[str, tuple[Attributes, list[efi_signature_lists.SignatureEntry]]]:
    """Give what the lists hold: certificates of one size may stand in one list, or in one each."""
    return {
        variable.name: (variable.attributes, sorted(efi_signature_lists.parse(variable.data)))
        for variable in efi_variable_store.read(store.read_bytes())
        if variable.name in {"db", "dbx", "MokList"}
    }
