"""Which keyrings are asked, in which order, and what revokes a key."""

import errno
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.efi_files import make_firmware
from tests.support.loader import NEWEST, OLD, PROFILE, configured
from tests.support.signing import Signer

from lkm.formats.efi_signature_lists import SignatureType
from lkm.formats.module_signature import append
from lkm.rules.loading.state import KernelState
from lkm.rules.signatures.check import SignatureFinding, check_by
from lkm.rules.signatures.policy import Lockdown, SignatureState
from lkm.rules.signatures.trust import Trust, accepting, lacking_in, state_of_trust, trust_of, under_secure_boot
from lkm.rules.signatures.x509_certificate import parse
from lkm.system.kernel_profile import KernelProfile
from lkm.system.root import Root
from lkm.system.trust_store import Keyring, TrustedKey, TrustStore, read_trust_store

MODULE = b"the bytes of a module " * 40
OWN, OTHER = Signer(use_rsa=True), Signer("Another")
SIGNED = OWN.signed(MODULE)
DEBIAN = configured(
    replace(PROFILE, release="6.1.0-56-amd64"), INTEGRITY_PLATFORM_KEYRING=True, INTEGRITY_MACHINE_KEYRING=True
)
TRIXIE = replace(DEBIAN, release="6.12.107+deb13-amd64")
REVOKING = configured(TRIXIE, SYSTEM_REVOCATION_LIST=True)
STRANGE_NAME = bytes.fromhex("0603550403")  # the common name's identifier in SIGNED


def _state(profile: KernelProfile, state: KernelState, contents: bytes = SIGNED) -> SignatureState:
    return check_by(contents, trust_of(profile, state)).state


# --- platform ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (DEBIAN, SignatureState.TRUSTED),
        (replace(DEBIAN, release="7.2.13+deb14-amd64"), SignatureState.TRUSTED),
        (configured(DEBIAN, INTEGRITY_PLATFORM_KEYRING=False), SignatureState.UNKNOWN_KEY),
        (replace(DEBIAN, release="6.8.9-300.fc40.x86_64"), SignatureState.UNKNOWN_KEY),
        (replace(DEBIAN, version="Linux version 6.1.0-56-amd64 (me@home) #1 SMP"), SignatureState.UNKNOWN_KEY),
    ],
    ids=["debian", "debian 7.2", "without the keyring", "of others", "built at home"],
)
def test_the_platforms_keys_count_on_debian(profile: KernelProfile, expected: SignatureState) -> None:
    assert _state(profile, KernelState(platform_certificates=(OWN.der,))) is expected


def test_the_finding_tells_the_keyring() -> None:
    by_firmware = check_by(SIGNED, trust_of(DEBIAN, KernelState(platform_certificates=(OTHER.der, OWN.der))))
    assert (by_firmware.certificate, by_firmware.by_platform) == (OWN.der, True)
    by_owner = check_by(SIGNED, trust_of(DEBIAN, KernelState((), certificates=(OWN.der,))))
    assert (by_owner.certificate, by_owner.by_platform) == (OWN.der, False)


def test_whoever_asks_twice_reads_twice() -> None:
    """What the message makes the kernel say is said again when it turns to the platform's keys."""
    odd = append(MODULE, OWN.message(MODULE).replace(STRANGE_NAME, b"\x06\x03\x55\x04\x7f"))
    assert len(check_by(odd, trust_of(PROFILE, KernelState())).log) == 1
    lines = check_by(odd, trust_of(DEBIAN, KernelState())).log
    assert len(lines) == 2
    assert lines[0] == lines[1]


def test_a_bad_signature_by_a_known_key_is_not_asked_about_again() -> None:
    state = KernelState(certificates=(OWN.der,), platform_certificates=(OWN.der,))
    touched = b"X" + SIGNED[1:]
    assert check_by(touched, trust_of(DEBIAN, state)).by_platform is False
    assert _state(DEBIAN, state, touched) is SignatureState.REJECTED


# --- revocation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "by_owner", "by_firmware"),
    [
        (REVOKING, SignatureState.REJECTED, SignatureState.REJECTED),
        (replace(REVOKING, release="6.1.0-56-amd64"), SignatureState.TRUSTED, SignatureState.REJECTED),
        (TRIXIE, SignatureState.TRUSTED, SignatureState.TRUSTED),
    ],
    ids=["6.12", "6.1", "without the list"],
)
def test_revoked_certificates(profile: KernelProfile, by_owner: SignatureState, by_firmware: SignatureState) -> None:
    revoked = KernelState(revoked_certificates=(OWN.der,))
    assert _state(profile, replace(revoked, certificates=(OWN.der,))) is by_owner
    assert _state(profile, replace(revoked, platform_certificates=(OWN.der,))) is by_firmware


def test_the_images_revoked_certificates_count() -> None:
    profile = replace(REVOKING, certificates=(OWN.der,), revoked_certificates=(OWN.der,))
    finding = check_by(SIGNED, trust_of(profile, KernelState()))
    assert (finding.state, finding.is_revoked, finding.log) == (SignatureState.REJECTED, True, ())


def test_a_bad_signature_by_a_revoked_key_is_not_by_that_key() -> None:
    state = KernelState(revoked_certificates=(OWN.der,))
    assert _state(REVOKING, state, b"X" + SIGNED[1:]) is SignatureState.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (DEBIAN, SignatureState.REJECTED),
        (TRIXIE, SignatureState.REJECTED),
        (replace(DEBIAN, release="7.2.13+deb14-amd64"), SignatureState.TRUSTED),
        (PROFILE, SignatureState.TRUSTED),
    ],
    ids=["6.1", "6.12", "7.2", "upstream"],
)
def test_revoked_modules(profile: KernelProfile, expected: SignatureState) -> None:
    number = hashlib.sha256(SIGNED).hexdigest()
    state = KernelState(certificates=(OWN.der,), revoked_hashes=frozenset({f"bin:{number}"}))
    finding = check_by(SIGNED, trust_of(profile, state))
    assert finding.state is expected
    assert finding.is_revoked is (expected is SignatureState.REJECTED)
    assert finding.log == ((f"Module hash {number} is blacklisted",) if finding.is_revoked else ())


def test_a_revoked_module_by_a_stranger_is_a_strangers() -> None:
    state = KernelState(revoked_hashes=frozenset({f"bin:{hashlib.sha256(SIGNED).hexdigest()}"}))
    assert _state(DEBIAN, state) is SignatureState.UNKNOWN_KEY


# --- what a kernel lacks ----------------------------------------------------------------------------------------------


def test_a_kernel_without_curves_takes_no_such_keys() -> None:
    whole = configured(DEBIAN, CRYPTO_RSA=True)
    signed = OTHER.signed(MODULE)
    state = KernelState(certificates=(OTHER.der,))
    assert lacking_in(whole) == {"ecdsa", "mldsa"}
    assert _state(whole, state, signed) is SignatureState.UNKNOWN_KEY
    assert _state(configured(whole, CRYPTO_ECDSA=True), state, signed) is SignatureState.TRUSTED
    assert lacking_in(DEBIAN) == frozenset()  # of this one little is known


# --- firmware ---------------------------------------------------------------------------------------------------------


def test_the_firmwares_keys(tmp_path: Path) -> None:
    hashed = {SignatureType.X509_SHA256: [bytes(48)]}
    make_firmware(tmp_path, db=[OTHER.der], mok=[OWN.der], revoked=hashed, trusts_owner_keys=True)
    profile = configured(
        DEBIAN, LOAD_UEFI_KEYS=True, SYSTEM_BLACKLIST_KEYRING=True, IMA_SECURE_AND_OR_TRUSTED_BOOT=True
    )
    store = read_trust_store(Root(str(tmp_path)), profile)
    state = state_of_trust(KernelState(command_line="quiet"), store, profile)
    assert state.command_line == "quiet"
    assert state.certificates == (OWN.der,)
    assert state.platform_certificates == (OTHER.der,)
    assert state.revoked_hashes == {"tbs:" + bytes(48).hex()}
    assert accepting(OWN.der, store, profile) is Keyring.MACHINE
    assert accepting(OTHER.der, store, profile) is Keyring.PLATFORM
    assert accepting(OTHER.der, store, replace(profile, release="6.1.0")) is None
    assert accepting(b"none", store, profile) is None


def test_what_the_image_brings_is_not_told_twice() -> None:
    profile = replace(DEBIAN, certificates=(OWN.der,), revoked_certificates=(OTHER.der,))
    store = TrustStore(
        (TrustedKey(OWN.der, Keyring.BUILTIN, "image"), TrustedKey(OTHER.der, Keyring.BLACKLIST, "image"))
    )
    assert state_of_trust(KernelState(), store, profile) == KernelState()
    assert accepting(OWN.der, store, profile) is Keyring.BUILTIN


def test_secure_boot_locks_down_and_enforces() -> None:
    options = {"LOCK_DOWN_IN_EFI_SECURE_BOOT": True, "IMA_ARCH_POLICY": True, "IMA_SECURE_AND_OR_TRUSTED_BOOT": True}
    strict = configured(DEBIAN, **options)
    state = under_secure_boot(KernelState(), strict)
    assert (state.lockdown, state.sig_enforce) == (Lockdown.INTEGRITY, True)
    kept = under_secure_boot(KernelState(command_line="lockdown=confidentiality"), strict)
    assert kept.lockdown_of(strict) is Lockdown.CONFIDENTIALITY
    old = configured(replace(OLD, release="5.10.0-32-amd64"), LOCK_DOWN_IN_EFI_SECURE_BOOT=True)
    assert under_secure_boot(KernelState(), old) == KernelState(lockdown=Lockdown.INTEGRITY)
    assert under_secure_boot(KernelState(), NEWEST) == KernelState()


# --- certificates inside ----------------------------------------------------------------------------------------------


def test_hashes_of_revoked_certificates() -> None:
    certificate = parse(OWN.der, 1)
    number = hashlib.sha256(certificate.signed).hexdigest()
    trust = Trust(revoked_hashes=frozenset({f"tbs:{number}"}))
    assert trust.revoked_as(certificate) == number
    assert Trust(revoked_hashes=frozenset({"tbs:00"})).revoked_as(certificate) is None
    assert Trust().revoked_as(certificate) is None


def test_equal_findings_are_equal_whatever_the_key() -> None:
    assert SignatureFinding(SignatureState.TRUSTED, certificate=OWN.der) == SignatureFinding(SignatureState.TRUSTED)
    assert SignatureState.of_errno(errno.ENOKEY) is SignatureState.UNKNOWN_KEY
    assert SignatureState.of_errno(errno.ENOMEM) is SignatureState.INVALID
