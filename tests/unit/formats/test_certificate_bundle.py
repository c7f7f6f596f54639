"""Files of certificates: what is read, and what is no certificate."""

import contextlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.signing import Signer

from lkm.errors import FormatError
from lkm.formats.certificate import describe
from lkm.formats.certificate_bundle import certificates_of, pem_blocks

ONE, TWO = Signer("one"), Signer("two")
PEM, OTHER_PEM = (signer.certificate.public_bytes(Encoding.PEM) for signer in (ONE, TWO))
_VERSION_3 = bytes.fromhex("a003020102")
_NAME = b"\x0c\x03one"  # a UTF8String
ODD = {
    "of a version that there is not": ONE.der.replace(_VERSION_3, bytes.fromhex("a003020105")),
    "with a name that is a BIT STRING": ONE.der.replace(_NAME, b"\x03\x03\x00ne"),
}


def test_one_and_several() -> None:
    assert certificates_of(ONE.der) == (ONE.certificate,)
    assert certificates_of(b"# some keys\n" + PEM + OTHER_PEM) == (ONE.certificate, TWO.certificate)


@pytest.mark.parametrize("data", ODD.values(), ids=ODD.keys())
def test_what_the_library_has_errors_of_its_own_for(data: bytes) -> None:
    assert data != ONE.der
    with pytest.raises(FormatError, match="holds no certificate that can be read"):
        certificates_of(data)
    assert describe(data) is None


@pytest.mark.parametrize(
    ("data", "what", "hint"),
    [
        (b"", "holds no certificate that can be read", "in PEM or DER"),
        (bytes(100), "holds no certificate that can be read", "in PEM or DER"),
        (b"\x30\x82\xff\xff", "holds no certificate that can be read", "in PEM or DER"),
        (ONE.der + b"\0", "holds no certificate that can be read", "in PEM or DER"),
        (PEM[:-40], "holds no certificate", "was cut short"),
        (b"-----BEGIN CERTIFICATE-----\nx\n", "holds no certificate", "was cut short"),
        (PEM.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"), "holds no certificate", "in PEM or DER"),
        (
            ONE.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "holds no certificate",
            "a private key, which stays secret",
        ),
    ],
)
def test_no_certificate(data: bytes, what: str, hint: str) -> None:
    with pytest.raises(FormatError, match=what) as caught:
        certificates_of(data)
    assert hint in str(caught.value.hint)


def test_certificates_in_pem_are_not_described() -> None:
    assert describe(PEM) is None  # facts such as fingerprints are of DER


def test_what_is_cut_off_is_no_block() -> None:
    assert [label for label, _ in pem_blocks(b"text\n" + PEM + OTHER_PEM[:-9])] == [b"CERTIFICATE"]


@given(place=st.integers(0, len(PEM)), patch=st.binary(max_size=3), start=st.sampled_from([PEM, ONE.der]))
@settings(max_examples=80, deadline=None)
def test_damaged_files_are_errors_of_ours(start: bytes, place: int, patch: bytes) -> None:
    data = start[:place] + patch + start[place + len(patch) :]
    with contextlib.suppress(FormatError):
        assert certificates_of(data)
    describe(data)
