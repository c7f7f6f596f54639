"""CMS messages as sign-file writes them; their bytes are held against the real one's in tests/peers."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import der
from tests.support.signing_keys import certified, der_of

from lkm.errors import FormatError
from lkm.formats import cms_sign_file
from lkm.formats.cms import parse
from lkm.formats.cms_writer import DIGESTS, KeyAlgorithm, issuer_and_serial, key_identifier, signed_data

SIGNER = der.issuer_and_serial()
CERTIFICATE = der_of(certified(ec.generate_private_key(ec.SECP256R1()), serial=0x1234))


def test_the_bytes_of_an_rsa_message() -> None:
    written = signed_data(b"\x5a" * 256, signer=SIGNER, digest="sha256", algorithm=KeyAlgorithm.RSA)
    assert written == der.message(der.signer_info())


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize("digest", DIGESTS)
def test_what_is_written_is_read(algorithm: KeyAlgorithm, digest: str) -> None:
    for signer, key_id in ((SIGNER, None), (key_identifier(b"k" * 20), b"k" * 20)):
        message = parse(signed_data(b"signature", signer=signer, digest=digest, algorithm=algorithm))
        assert (message.has_content, message.has_certificates, len(message.signers)) == (False, False, 1)
        info = message.signers[0]
        assert (info.digest, info.signature, info.key_id) == (digest, b"signature", key_id)
        assert not info.has_signed_attributes
        assert (info.serial is None) == (key_id is not None)


def test_each_algorithm_has_an_identifier_of_its_own() -> None:
    def identifier(algorithm: KeyAlgorithm, digest: str) -> str:
        return parse(signed_data(b"", signer=SIGNER, digest=digest, algorithm=algorithm)).signers[0].algorithm

    assert {identifier(KeyAlgorithm.RSA, digest) for digest in DIGESTS} == {"1.2.840.113549.1.1.1"}
    curves = {digest: identifier(KeyAlgorithm.ECDSA, digest) for digest in DIGESTS}
    assert curves["sha256"] == "1.2.840.10045.4.3.2"
    assert curves["sha3-512"] == "2.16.840.1.101.3.4.3.12"
    assert len(set(curves.values())) == len(DIGESTS)
    assert identifier(KeyAlgorithm.ML_DSA_65, "sha512") == "2.16.840.1.101.3.4.3.18"


@given(signature=st.binary(max_size=600), serial=st.integers(0, 1 << 158), digest=st.sampled_from(DIGESTS[:3]))
@settings(max_examples=50)
def test_the_quick_reader_reads_what_is_written_with_rsa(signature: bytes, serial: int, digest: str) -> None:
    number = serial.to_bytes(serial.bit_length() // 8 + 1)
    signer = der.issuer_and_serial(serial=number)
    written = signed_data(signature, signer=signer, digest=digest, algorithm=KeyAlgorithm.RSA)
    quick = cms_sign_file.read(written)
    assert quick == parse(written).signers[0]
    assert quick.signature == signature


@pytest.mark.parametrize("size", [0, 1, 20, 127, 128, 255, 256, 65535])
def test_key_identifiers_of_any_length(size: int) -> None:
    written = signed_data(b"", signer=key_identifier(b"i" * size), digest="sha256", algorithm=KeyAlgorithm.ECDSA)
    assert parse(written).signers[0].key_id == b"i" * size


def test_a_key_identifier_without_end() -> None:
    with pytest.raises(FormatError, match="64 KiB"):
        key_identifier(bytes(65536))


def test_a_signer_that_is_none() -> None:
    for wrong in (b"", b"\x30", b"\x30\x05\x02", b"\x30\0\0"):
        with pytest.raises(FormatError, match="no element"):
            signed_data(b"", signer=wrong, digest="sha256", algorithm=KeyAlgorithm.RSA)


# --- names out of certificates ----------------------------------------------------------------------------------------


def test_issuer_and_serial_are_the_certificates_own() -> None:
    name = der.tlv(0x30, der.attribute(der.COMMON_NAME, b"A test"))
    assert issuer_and_serial(CERTIFICATE) == der.issuer_and_serial(name, b"\x12\x34")


def test_a_certificate_of_version_1() -> None:
    serial, algorithm = der.tlv(0x02, b"\x05"), der.algorithm(der.RSA)
    signed = der.tlv(0x30, serial, algorithm, der.NAME, der.tlv(0x30))
    assert issuer_and_serial(der.tlv(0x30, signed, algorithm, der.tlv(0x03, b"\0"))) == der.issuer_and_serial(
        serial=b"\x05"
    )


def test_no_certificate() -> None:
    few = der.tlv(0x30, der.tlv(0x30, der.tlv(0xA0), der.tlv(0x02, b"\1")), der.NULL, der.NULL)
    for wrong in (b"", few, CERTIFICATE + b"\0", *(CERTIFICATE[:size] for size in range(0, len(CERTIFICATE), 7))):
        with pytest.raises(FormatError):
            issuer_and_serial(wrong)


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_a_certificate_or_an_error(data: bytes) -> None:
    try:
        found = issuer_and_serial(data)
    except FormatError:
        return
    assert found[:1] == b"\x30"


@given(st.integers(0, len(CERTIFICATE) - 1), st.integers(0, 255))
@settings(max_examples=150)
def test_a_certificate_with_one_byte_changed(place: int, byte: int) -> None:
    changed = bytearray(CERTIFICATE)
    changed[place] = byte
    try:
        found = issuer_and_serial(bytes(changed))
    except FormatError:
        return
    assert found[:1] == b"\x30"
