"""Where a certificate stands, and whether a kernel takes it for modules."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.loader import PROFILE, configured
from tests.support.mok import copied_variables, write_certificate
from tests.support.signing import Signer

from lkm.actions.mok.certificate import MokCertificate, read_mok_certificate
from lkm.actions.mok.places import Place, firmware_of, look_up, taken_by
from lkm.actions.mok.requests import plan_request
from lkm.actions.session import Session, Target
from lkm.errors import UsageError
from lkm.formats.efi_signature_lists import SignatureEntry, SignatureType
from lkm.rules.signatures.mok_manager import RequestKind
from lkm.system.firmware import FirmwareState
from lkm.system.trust_store import Keyring

_SIGNER = Signer("mine", use_rsa=True)
_KERNEL = configured(
    PROFILE,
    **dict.fromkeys(
        (
            "LOAD_UEFI_KEYS",
            "IMA_SECURE_AND_OR_TRUSTED_BOOT",
            "SECONDARY_TRUSTED_KEYRING",
            "INTEGRITY_MACHINE_KEYRING",
        ),
        True,
    ),
)


@pytest.fixture
def mine(tmp_path: Path) -> MokCertificate:
    write_certificate(tmp_path, "mine.der", signer=_SIGNER)
    return read_mok_certificate(str(tmp_path / "mine.der"))


def _entry(kind: SignatureType, data: bytes) -> SignatureEntry:
    return SignatureEntry(kind.value, "", data)


def _firmware(**lists: tuple[SignatureEntry, ...]) -> FirmwareState:
    return FirmwareState(is_efi=True, secure_boot=True, trusts_owner_keys=True, **lists)  # type: ignore[arg-type]


def test_a_certificate_may_be_denied_by_its_hash(mine: MokCertificate) -> None:
    signed = _SIGNER.certificate.tbs_certificate_bytes
    hashes = {
        SignatureType.X509_SHA256: hashlib.sha256(signed).digest(),
        SignatureType.X509: mine.der,
    }
    for kind, data in hashes.items():
        entries = (_entry(kind, data + (bytes(16) if kind is SignatureType.X509_SHA256 else b"")),)
        assert look_up(mine, _firmware(dbx=entries), None).places == (Place.DENIED_BY_FIRMWARE,)
    other = (_entry(SignatureType.X509_SHA256, bytes(48)), _entry(SignatureType.X509_SHA512, bytes(80)))
    assert look_up(mine, _firmware(dbx=other), None).places == ()


def test_by_which_keyring_it_is_taken(mine: MokCertificate) -> None:
    firmware = _firmware(mok_list=(_entry(SignatureType.X509, mine.der),))
    assert taken_by(mine.der, firmware, _KERNEL) == (Keyring.MACHINE, "")
    built_in = replace(_KERNEL, certificates=(mine.der,))
    assert look_up(mine, _firmware(), built_in).keyring is Keyring.BUILTIN
    assert look_up(mine, _firmware(), built_in).places == (Place.BUILTIN,)


def test_why_it_is_not_taken(mine: MokCertificate) -> None:
    enrolled = (_entry(SignatureType.X509, mine.der),)
    off = replace(_firmware(mok_list=enrolled), secure_boot=False)
    found = look_up(mine, off, _KERNEL)
    assert (found.is_enrolled, found.keyring) == (True, None)
    assert "takes Secure Boot as off" in found.why
    without = configured(_KERNEL, INTEGRITY_MACHINE_KEYRING=False)
    assert "asks no keyring about modules that has it" in look_up(mine, _firmware(mok_list=enrolled), without).why


def test_a_key_that_the_kernel_was_built_without(tmp_path: Path) -> None:
    write_certificate(tmp_path, "curve.der", signer=Signer("curve"))
    curve = read_mok_certificate(str(tmp_path / "curve.der"))
    firmware = _firmware(mok_list=(_entry(SignatureType.X509, curve.der),))
    knowing = configured(_KERNEL, CRYPTO_RSA=True, CRYPTO_ECDSA=True)
    assert look_up(curve, firmware, knowing).keyring is Keyring.MACHINE
    found = look_up(curve, firmware, configured(_KERNEL, CRYPTO_RSA=True))
    assert (found.is_enrolled, found.keyring) == (True, None)
    assert "can't use EC" in found.why


def test_a_request_that_will_not_help_says_so(
    mine: MokCertificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lkm.actions.mok.requests.profile_of", lambda _: _KERNEL)
    for secure_boot, notes in ((True, 0), (False, 1)):
        directory = copied_variables(
            tmp_path / str(secure_boot), mok=[Signer().der], secure_boot=secure_boot, trusts_owner_keys=True
        )
        with Session(Target()) as session:
            planned = plan_request(session, RequestKind.ENROL, mine.path, efivars=str(directory))
            assert str(firmware_of(session, str(directory)).sources["MokListRT"]).startswith(str(directory))
        assert len(planned.notes) == notes, planned.notes
        assert all("even when it is enrolled" in note for note in planned.notes)


def test_keys_that_no_kernel_can_use(tmp_path: Path) -> None:
    from cryptography import x509  # noqa: PLC0415  beside their use
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    key = ed25519.Ed25519PrivateKey.generate()
    made = _SIGNER.certificate
    builder = x509.CertificateBuilder(
        made.issuer,
        made.subject,
        key.public_key(),
        1,
        made.not_valid_before_utc,
        made.not_valid_after_utc,
    )
    path = tmp_path / "modern.pem"
    path.write_bytes(builder.sign(key, None).public_bytes(Encoding.PEM))
    with pytest.raises(UsageError, match="Ed25519") as refused:
        read_mok_certificate(str(path))
    assert refused.value.where == str(path)
