"""What kernels of other versions have in their keyrings under Secure Boot, and what is said of them beforehand."""

from pathlib import Path

import pytest
from tests.support.require import require_tool
from tests.support.secure_boot import copy_firmware, machine_with_firmware, make_variables
from tests.support.signing import Signer
from tests.truth.kernels import image_of, tree_of

from lkm.formats import efi_signature_lists, efi_variable_store
from lkm.formats.certificate import describe
from lkm.formats.efi_signature_lists import SignatureType
from lkm.kernels.vm.machine import Machine
from lkm.rules.signatures.trusted_certificate import as_kept
from lkm.system.firmware import read_firmware
from lkm.system.profile_gathering import gather
from lkm.system.root import Root
from lkm.system.trust_store import Keyring, TrustStore, trust_store_of

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("firmware")]


def _variables() -> bytes:
    """A firmware with a key of each kind; one of the owner's keys is revoked by its hash."""
    owner, revoked, maker, denied = (Signer(name, use_rsa=True) for name in ("Owner", "Revoked", "Maker", "Denied"))
    facts = describe(revoked.der)
    assert facts is not None
    store = make_variables(db=[maker.der], dbx=[denied.der], mok=[owner.der, revoked.der], mok_denied=[denied.der])
    dbx = next(found for found in efi_variable_store.read(store) if found.name == "dbx")
    added = efi_signature_lists.render(SignatureType.X509_SHA256, [bytes.fromhex(facts.tbs_sha256)])
    return efi_variable_store.with_variables(store, [dbx._replace(data=dbx.data + added)])


def _real(machine: Machine, keyring: Keyring) -> set[str]:
    """Give the keys of a keyring as the kernel describes them, without keyrings that it links to."""
    rows = machine.run(["keyctl", "list", f"%:{keyring.value}"]).stdout.decode().splitlines()[1:]
    return {row.split(None, 4)[4] for row in rows if " keyring: " not in row}


def _said(store: TrustStore, keyring: Keyring) -> set[str]:
    """Give what should be in a keyring, as the kernel would describe it."""
    found = {f"blacklist: {entry}" for entry in store.revoked_hashes} if keyring is Keyring.BLACKLIST else set()
    for key in store.of(keyring):
        facts, kept = describe(key.certificate), as_kept(key.certificate)
        assert facts is not None
        assert kept is not None
        found.add(f"asymmetric: {facts.name}: {(kept.key_id or kept.serial).hex()}")
    return found


@pytest.mark.parametrize(
    ("kernel", "owners"),
    [
        ("5.10", Keyring.PLATFORM),  # knows no .machine
        ("7.2", Keyring.MACHINE),  # only because shim says so
    ],
)
def test_each_keyring_holds_what_is_said(kernel: str, owners: Keyring, tmp_path: Path) -> None:
    require_tool("keyctl")
    with machine_with_firmware(image_of(kernel), _variables()) as machine:
        copy_firmware(machine, tmp_path)
        real = {keyring: _real(machine, keyring) for keyring in Keyring}
    profile = gather(tree_of(kernel), image_path=str(image_of(kernel).kernel), with_modules=False)
    store = trust_store_of(profile, read_firmware(Root(str(tmp_path))))
    assert {keyring: _said(store, keyring) for keyring in Keyring} == real
    assert any(": Owner: " in entry for entry in real[owners])
    assert not any(": Revoked: " in entry for entries in real.values() for entry in entries)
