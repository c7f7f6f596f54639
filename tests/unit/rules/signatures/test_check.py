"""Checking signatures as the kernel does, with keys made here."""

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.signing import Signer

from lkm.formats.module_signature import MARKER, append
from lkm.rules.signatures.check import UNSIGNED, SignatureFinding, check
from lkm.rules.signatures.policy import SignatureState

MODULE = b"the bytes of a module " * 40
ELLIPTIC, RSA, STRANGER = Signer(), Signer(use_rsa=True), Signer("A stranger")
SIGNED = ELLIPTIC.signed(MODULE)
KNOWN = (b"no certificate", STRANGER.der, ELLIPTIC.der, RSA.der)
OPTIONS = pkcs7.PKCS7Options
MALFORMED = SignatureFinding(SignatureState.MALFORMED)


def _state(contents: bytes, *certificates: bytes) -> SignatureState:
    return check(contents, certificates or KNOWN).state


@pytest.mark.parametrize("signer", [ELLIPTIC, RSA], ids=["ecdsa", "rsa"])
@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA512()], ids=["sha256", "sha512"])
def test_good(signer: Signer, digest: hashes.SHA256) -> None:
    signed = append(MODULE, signer.message(MODULE, digest=digest))
    assert check(signed, KNOWN) == SignatureFinding(SignatureState.TRUSTED)


@pytest.mark.parametrize("contents", [b"", MODULE, MARKER, MODULE + MARKER[:-1], SIGNED + b"\n"])
def test_unsigned(contents: bytes) -> None:
    assert check(contents, KNOWN) is UNSIGNED


@pytest.mark.parametrize("certificates", [(), (STRANGER.der,), (b"",), (RSA.der,)])
def test_by_an_unknown_key(certificates: tuple[bytes, ...]) -> None:
    assert check(SIGNED, certificates) == SignatureFinding(SignatureState.UNKNOWN_KEY)


def test_a_namesake_with_another_number_is_another_key() -> None:
    other = ELLIPTIC.certified().public_bytes(serialization.Encoding.DER)
    assert _state(SIGNED, other) is SignatureState.UNKNOWN_KEY


def test_another_issuer_with_the_same_number_is_another_key() -> None:
    number = ELLIPTIC.certificate.serial_number
    other = STRANGER.certified(serial=number).public_bytes(serialization.Encoding.DER)
    assert _state(SIGNED, other) is SignatureState.UNKNOWN_KEY


def test_another_key_under_the_same_name_and_number() -> None:
    impostor = Signer(ELLIPTIC.name).certified(serial=ELLIPTIC.certificate.serial_number)
    assert _state(SIGNED, impostor.public_bytes(serialization.Encoding.DER)) is SignatureState.REJECTED
    rsa = Signer(ELLIPTIC.name, use_rsa=True).certified(serial=ELLIPTIC.certificate.serial_number)
    assert _state(SIGNED, rsa.public_bytes(serialization.Encoding.DER)) is SignatureState.REJECTED


@pytest.mark.parametrize("place", [0, 1, len(MODULE) - 1])
def test_tampered_with(place: int) -> None:
    changed = bytearray(SIGNED)
    changed[place] ^= 1
    assert _state(bytes(changed)) is SignatureState.REJECTED
    assert _state(bytes(changed), STRANGER.der) is SignatureState.UNKNOWN_KEY


# --- the trailer ------------------------------------------------------------------------------------------------------


def _trailer(**fields: int) -> bytes:
    """Change fields of the trailer of a good module."""
    places = {"algo": 0, "hash": 1, "id_type": 2, "signer_len": 3, "key_id_len": 4, "pad": 7}
    changed = bytearray(SIGNED)
    start = len(SIGNED) - len(MARKER) - 12
    for name, value in fields.items():
        if name == "sig_len":
            changed[start + 8 : start + 12] = value.to_bytes(4, "big")
        else:
            changed[start + places[name]] = value
    return bytes(changed)


@pytest.mark.parametrize("field", ["algo", "hash", "signer_len", "key_id_len", "pad"])
def test_fields_that_must_be_zero(field: str) -> None:
    line = "module: PKCS#7 signature info has unexpected non-zero params"
    assert check(_trailer(**{field: 1}), KNOWN) == SignatureFinding(SignatureState.MALFORMED, (line,))


@pytest.mark.parametrize("kind", [0, 1, 3, 255])
def test_other_kinds_of_signature(kind: int) -> None:
    line = "module: not signed with expected PKCS#7 message"
    expected = SignatureFinding(SignatureState.UNSUPPORTED, (line,))
    assert check(_trailer(id_type=kind, algo=1), KNOWN) == expected  # which is noticed before the rest


@pytest.mark.parametrize("length", [len(SIGNED) - len(MARKER) - 12, 2**32 - 1], ids=["all of it", "far more"])
def test_lengths_that_lie(length: int) -> None:
    assert check(_trailer(sig_len=length, id_type=9), KNOWN) == MALFORMED  # without a line, and before the kind


@pytest.mark.parametrize("length", [0, 1, 5, 100])
def test_lengths_that_cut_the_message(length: int) -> None:
    assert check(_trailer(sig_len=length), KNOWN).state in {SignatureState.MALFORMED, SignatureState.INVALID}


@pytest.mark.parametrize("before", [0, 1, 11])
def test_too_short_for_a_trailer(before: int) -> None:
    assert check(b"x" * before + MARKER, KNOWN) == (MALFORMED if before else UNSIGNED)


# --- the message ------------------------------------------------------------------------------------------------------


def test_garbage_in_place_of_a_message() -> None:
    assert check(append(MODULE, b"\x30\x03abc"), KNOWN) == MALFORMED
    assert check(append(MODULE, bytes(200)), KNOWN) == MALFORMED


def test_what_follows_the_message_is_not_looked_at() -> None:
    message = ELLIPTIC.message(MODULE)
    assert _state(append(MODULE, message + b"more")) is SignatureState.TRUSTED


def test_attributes_are_refused() -> None:
    message = ELLIPTIC.message(MODULE, options=(OPTIONS.DetachedSignature, OPTIONS.Binary, OPTIONS.NoCapabilities))
    line = "PKCS7: Invalid module sig (has authattrs)"
    assert check(append(MODULE, message), KNOWN) == SignatureFinding(SignatureState.REJECTED, (line,))


def test_contents_inside_are_refused() -> None:
    message = ELLIPTIC.message(MODULE, options=(OPTIONS.Binary, OPTIONS.NoAttributes))
    lines = ("PKCS7: Data already supplied", "PKCS#7 signature with non-detached data")
    assert check(append(MODULE, message), KNOWN) == SignatureFinding(SignatureState.MALFORMED, lines)


def test_certificates_inside_do_no_harm() -> None:
    message = ELLIPTIC.message(MODULE, options=(OPTIONS.DetachedSignature, OPTIONS.Binary, OPTIONS.NoAttributes))
    assert _state(append(MODULE, message)) is SignatureState.TRUSTED


SHA256 = bytes.fromhex("0609608648016503040201")


@pytest.mark.parametrize(
    ("digest", "old", "new"),
    [
        ("0609608648016503040208", SignatureState.UNSUPPORTED, SignatureState.REJECTED),  # SHA3-256
        ("0609608648016503040279", SignatureState.UNSUPPORTED, SignatureState.UNSUPPORTED),  # nobody's
        ("0609608648016503040202", SignatureState.REJECTED, SignatureState.REJECTED),  # SHA-384, which it is not
    ],
)
def test_digests_that_a_kernel_may_not_know(digest: str, old: SignatureState, new: SignatureState) -> None:
    message = RSA.message(MODULE)
    assert SHA256 in message
    signed = append(MODULE, message.replace(SHA256, bytes.fromhex(digest)))
    assert check(signed, KNOWN).state is old
    assert check(signed, KNOWN, edition=2).state is new


def test_an_unknown_kind_of_key() -> None:
    rsa = bytes.fromhex("06092a864886f70d010101")
    message = RSA.message(MODULE)
    signed = append(MODULE, message.replace(rsa, bytes.fromhex("06092a864886f70d01010a")))  # RSASSA-PSS
    lines = ("PKCS7: Unknown OID: [129] 1.2.840.113549.1.1.10", "Unsupported pkey algo: 98")
    assert check(signed, KNOWN) == SignatureFinding(SignatureState.UNSUPPORTED, lines)


def _two(first: Signer, second: Signer, *, spoilt: bool) -> bytes:
    """Make a message with two signatures, the second of which may be of other contents."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(MODULE)
    for signer in (first, second):
        builder = builder.add_signer(signer.certificate, signer.key, hashes.SHA256())
    options = [OPTIONS.DetachedSignature, OPTIONS.Binary, OPTIONS.NoAttributes, OPTIONS.NoCerts]
    message = bytearray(builder.sign(serialization.Encoding.DER, options))
    if spoilt:  # by a larger number, as DER sorts the signatures
        message[-1 if message[-1] < 0xFF else -2] += 1
    return append(MODULE, bytes(message))


def test_one_of_two_signatures_may_be_by_a_stranger() -> None:
    both = _two(RSA, STRANGER, spoilt=False)
    assert _state(both, RSA.der) is _state(both, STRANGER.der) is SignatureState.TRUSTED
    assert _state(both, ELLIPTIC.der) is SignatureState.UNKNOWN_KEY


def test_one_bad_signature_by_a_known_key_spoils_the_good_one() -> None:
    assert _state(_two(RSA, RSA, spoilt=False), RSA.der) is SignatureState.TRUSTED
    assert _state(_two(RSA, RSA, spoilt=True), RSA.der) is SignatureState.REJECTED


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SIGNED) - 1), st.integers(0, 255), st.integers(0, 40))
def test_any_damage_gets_a_state(place: int, value: int, cut: int) -> None:
    changed = bytearray(SIGNED)
    changed[place] = value
    assert isinstance(_state(bytes(changed)), SignatureState)
    assert isinstance(_state(bytes(changed[cut:])), SignatureState)
