"""Signatures in words."""

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.serialization import pkcs7
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.signing import Signer
from tests.truth.cases.inside import certificate, message, signer_info

from lkm.formats.module_signature import MARKER, append
from lkm.rules.signatures.answer import KnownKey, SignatureAnswer, Verifier, answer
from lkm.rules.signatures.trust import Trust

MODULE = b"\x7fELF and the rest of a module" * 20
OWN, CURVE = Signer("My key", use_rsa=True), Signer("My curve")
SIGNED = OWN.signed(MODULE)
MACHINE = KnownKey(".machine", "MokListRT")
NOTHING = Verifier(Trust(), {})
TRUSTING = Verifier(Trust((OWN.der,)), {OWN.der: MACHINE})
OPTIONS = pkcs7.PKCS7Options


def _knowing(why: str, keyring: str = "MOK", **trust: object) -> Verifier:
    """Know the key, which does not count."""
    return Verifier(replace(Trust(), **trust), {OWN.der: KnownKey(keyring, "a file", why)})  # type: ignore[arg-type]


def test_accepted() -> None:
    found = answer(SIGNED, TRUSTING)
    assert found == SignatureAnswer(
        state="TRUSTED",
        is_signed=True,
        keyring=".machine",
        source="MokListRT",
        signer="My key",
        serial=f"{OWN.certificate.serial_number:x}",
        key="RSA 2048",
        digest="sha256",
        is_untouched=True,
    )
    assert found.is_accepted


def test_unsigned() -> None:
    found = answer(MODULE, TRUSTING)
    assert (found.state, found.is_signed, found.why) == ("UNSIGNED", False, "it carries no signature")


def test_by_a_stranger() -> None:
    found = answer(SIGNED, NOTHING)
    assert (found.state, found.signer, found.key, found.is_untouched) == ("UNKNOWN_KEY", "My key", "RSA 2048", None)
    assert found.why == "no keyring has the signer's key"
    assert found.can_be_enrolled
    assert "which keys the kernel holds is not known" in answer(SIGNED, replace(NOTHING, knows_all=False)).why


def test_changed() -> None:
    found = answer(b"\x7fELF X" + SIGNED[6:], TRUSTING)
    assert (found.state, found.is_untouched, found.keyring) == ("REJECTED", False, None)
    assert found.why == "its contents were changed after it was signed"


def test_a_key_that_is_known_and_does_not_count() -> None:
    found = answer(SIGNED, _knowing("Secure Boot is off"))
    assert (found.why, found.is_untouched, found.is_known_key) == ("Secure Boot is off", True, True)
    assert not found.can_be_enrolled
    changed = answer(b"\x7fELF X" + SIGNED[6:], _knowing("Secure Boot is off"))
    assert changed.why == "Secure Boot is off; and its contents were changed after it was signed"
    assert changed.is_untouched is False


def test_a_kernel_without_curves() -> None:
    verifier = Verifier(Trust((CURVE.der,), lacking=frozenset({"ecdsa"})), {CURVE.der: MACHINE})
    found = answer(CURVE.signed(MODULE), verifier)
    assert found.why.startswith("the kernel was built without EC signatures")
    assert not found.can_be_enrolled
    assert answer(CURVE.signed(MODULE), replace(verifier, trust=Trust((CURVE.der,)))).key == "EC P-256"


def test_revoked() -> None:
    number = hashlib.sha256(SIGNED).hexdigest()
    module = Trust((OWN.der,), revokes_modules=True, revoked_hashes=frozenset({f"bin:{number}"}))
    assert answer(SIGNED, replace(TRUSTING, trust=module)).why == "the module itself is revoked"
    found = answer(SIGNED, replace(TRUSTING, trust=Trust((OWN.der,), revoked=(OWN.der,))))
    assert (found.why, found.is_untouched) == ("the signer's key is revoked", True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((OPTIONS.DetachedSignature, OPTIONS.Binary, OPTIONS.NoCapabilities), "its signature has signed attributes"),
        ((OPTIONS.Binary, OPTIONS.NoAttributes), "its signature holds the contents once more"),
    ],
)
def test_made_by_other_tools(options: tuple[pkcs7.PKCS7Options, ...], why: str) -> None:
    assert answer(append(MODULE, OWN.message(MODULE, options=options)), TRUSTING).why.startswith(why)


def test_a_certificate_inside_tells_more() -> None:
    contents = append(MODULE, message([signer_info(MODULE)], [certificate(1)]))
    found = answer(contents, NOTHING)
    assert (found.signer, found.key, found.is_untouched) == ("A stranger", "RSA 2048", True)
    assert (found.state, found.is_known_key) == ("UNKNOWN_KEY", True)


def test_named_by_key_identifier() -> None:
    der = certificate(1, own_id=b"k" * 20)
    contents = append(MODULE, message([signer_info(MODULE, key_id=b"k" * 20)], version=3))
    stranger = answer(contents, NOTHING)
    assert (stranger.signer, stranger.serial, stranger.key_id) == ("", "", (b"k" * 20).hex())
    known = answer(contents, Verifier(Trust((der,)), {der: MACHINE}))
    assert (known.signer, known.keyring, known.key_id) == ("A stranger", ".machine", (b"k" * 20).hex())


def test_chain() -> None:
    """A trusted root vouches for a certificate inside."""
    root = certificate(2, "The root", own_id=b"2" * 20, serial=(1 << 158) + 2)
    leaf = certificate(1, issuer="The root", signed_by=2, own_id=b"1" * 20, issuer_id=b"2" * 20)
    contents = append(MODULE, message([signer_info(MODULE, named=leaf)], [leaf]))
    found = answer(contents, Verifier(Trust((root,)), {root: MACHINE}))
    assert (found.state, found.keyring, found.is_untouched) == ("TRUSTED", ".machine", True)
    changed = answer(b"\x7fELF X" + contents[6:], Verifier(Trust((root,)), {root: MACHINE}))
    assert changed.state == "REJECTED"


def _trailer(place: int, value: bytes) -> bytes:
    at = len(SIGNED) - len(MARKER) - 12 + place
    return SIGNED[:at] + value + SIGNED[at + len(value) :]


@pytest.mark.parametrize(
    ("contents", "why"),
    [
        (b"x" + MARKER, "the file is too short for the module signature that its end announces"),
        (_trailer(8, b"\xff" * 4), "its signature claims 4294967295 bytes, and "),
        (_trailer(2, b"\x01"), "its signature is of type 1 (X.509, of before kernel 4.3), and not PKCS#7"),
        (_trailer(2, b"\x00"), "its signature is of type 0 (PGP), and not PKCS#7"),
        (_trailer(2, b"\x09"), "its signature is of type 9, and not PKCS#7"),
        (_trailer(0, b"\x01"), "the trailer behind its signature has fields set that must be zero"),
        (append(MODULE, b"rubbish"), "its signature can't be read: it is damaged, or no PKCS#7 message"),
        (append(MODULE, OWN.message(MODULE)[:-9]), "its signature can't be read: it is damaged, or no PKCS#7 message"),
        (append(MODULE, b"\x30" + bytes(70_000)), "its signature is longer than the kernel reads"),
    ],
)
def test_damaged(contents: bytes, why: str) -> None:
    found = answer(contents, TRUSTING)
    assert found.why.startswith(why)
    assert not found.is_accepted
    assert found.is_untouched is None


def test_huge_numbers_are_not_shown_whole() -> None:
    contents = append(MODULE, message([signer_info(MODULE, key_id=b"k" * 50_000)], version=3))
    assert len(answer(contents, NOTHING).key_id) == 128
    assert answer(append(MODULE, message([signer_info(MODULE, named=_numbered())])), NOTHING).serial == "7f" * 20


def _numbered() -> bytes:
    return certificate(1, serial=int("7f" * 20, 16))


def test_bytes_behind_the_message_do_no_harm() -> None:
    assert answer(append(MODULE, OWN.message(MODULE) + b"more"), TRUSTING).is_accepted


def test_a_digest_that_the_kernel_does_not_know() -> None:
    odd = OWN.message(MODULE).replace(bytes.fromhex("0609608648016503040201"), bytes.fromhex("0609608648016503040208"))
    found = answer(append(MODULE, odd), TRUSTING)
    assert (found.state, found.digest, found.signer) == ("UNSUPPORTED", "sha3-256", "My key")
    assert found.why == "the kernel does not know its digest or its kind of key"


# --- ML-DSA -----------------------------------------------------------------------------------------------------------


def test_ml_dsa() -> None:
    signed, der = _lattice_signed()
    newest = Trust((der,), edition=3)
    found = answer(signed, Verifier(newest, {der: MACHINE}))
    assert (found.state, found.key, found.is_untouched) == ("TRUSTED", "ML-DSA-65", True)
    assert answer(b"\x7fELF X" + signed[6:], Verifier(newest, {der: MACHINE})).state == "REJECTED"
    assert answer(signed, Verifier(replace(newest, edition=2), {der: MACHINE})).state == "UNSUPPORTED"
    lacking = Verifier(replace(newest, lacking=frozenset({"mldsa"})), {der: MACHINE})
    assert answer(signed, lacking).state == "UNKNOWN_KEY"


def _lattice_signed() -> tuple[bytes, bytes]:
    """Sign as sign-file does with ML-DSA where attributes can be left out."""
    import datetime as dt  # noqa: PLC0415  as in the other tests of certificates

    from cryptography import x509  # noqa: PLC0415
    from tests.support.der import algorithm, tlv  # noqa: PLC0415

    own = mldsa.MLDSA65PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A lattice")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(own.public_key())
    dated = builder.serial_number(7).not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=9))
    der = dated.sign(own, None).public_bytes(serialization.Encoding.DER)
    info = tlv(
        0x30,
        tlv(0x02, b"\x01"),
        tlv(0x30, name.public_bytes(), tlv(0x02, b"\x07")),
        algorithm("608648016503040203"),
        algorithm("608648016503040312"),
        tlv(0x04, own.sign(MODULE)),
    )
    return append(MODULE, message([info])), der


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 700), value=st.integers(0, 255))
def test_hostile(place: int, value: int) -> None:
    at = max(0, len(SIGNED) - 1 - place)
    changed = SIGNED[:at] + bytes((value,)) + SIGNED[at + 1 :]
    for verifier in (TRUSTING, NOTHING, _knowing("why")):
        found = answer(changed, verifier)
        assert found.is_accepted or found.why
