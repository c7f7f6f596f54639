"""What is foretold of a kernel under Secure Boot, with keys that its machine's owner has enrolled."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.key_pair import KeyPair, make_key_pair
from tests.support.loader import CONFIG, PROFILE

from lkm.actions.session import Session, Target
from lkm.actions.trying.secure_boot import foretelling
from lkm.actions.trying.trying import observe, planned
from lkm.kernels import emulated_store
from lkm.system.kernel_profile import KernelProfile

_OPTIONS = (
    *("LOCK_DOWN_IN_EFI_SECURE_BOOT", "IMA_ARCH_POLICY", "IMA_SECURE_AND_OR_TRUSTED_BOOT", "LOAD_UEFI_KEYS"),
    *("INTEGRITY_MACHINE_KEYRING", "INTEGRITY_PLATFORM_KEYRING", "SECONDARY_TRUSTED_KEYRING", "CRYPTO_RSA"),
)


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return make_key_pair(tmp_path_factory.mktemp("keys"), "owner")


@pytest.fixture
def session(sample: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A kernel like a distribution's that Secure Boot locks down."""
    profile = replace(PROFILE, config={**CONFIG, **dict.fromkeys(_OPTIONS, "y")}, certificates=())

    def gather(*_: object, **__: object) -> KernelProfile:
        return profile

    monkeypatch.setattr(emulated_store, "gather", gather)
    return Session(Target(str(sample), kernel="emulated"))


def test_it_is_locked_down_and_enforces_signatures(session: Session, owner: KeyPair) -> None:
    with foretelling(session.tree, "quiet answer=42", [owner.der]) as kernel:
        security = kernel.security()
        assert (security.lockdown, security.sig_enforce) == ("integrity", True)
        assert kernel.command_line() == "quiet answer=42"


def test_what_is_not_signed_is_refused(session: Session, sample: Path) -> None:
    with foretelling(session.tree, "", []) as kernel:
        seen = observe(kernel, planned(session, f"{sample}/home/you/hello.ko", ""))
    assert (seen.errno, seen.log) == (129, ("Loading of unsigned module is rejected",))


def test_the_owners_keys_are_trusted(session: Session, owner: KeyPair, sample: Path, tmp_path: Path) -> None:
    from lkm.actions.signing.signatory import open_signatory  # noqa: PLC0415  dear, and only this signs
    from lkm.formats.module_signature import append  # noqa: PLC0415

    contents = (sample / "home/you/hello.ko").read_bytes()
    signatory = open_signatory(str(owner.key), str(owner.certificate))
    signed = tmp_path / "hello.ko"
    signed.write_bytes(append(contents, signatory.sign(contents, digest="sha256")))
    steps = planned(session, str(signed), "")
    for owners, refused in (([owner.der], None), ([], "Loading of module with unavailable key is rejected")):
        with foretelling(session.tree, "", owners) as kernel:
            assert (refused in observe(kernel, steps).log) is (refused is not None)
