"""CMS SignedData, from messages made here."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.der import (
    COMMON_NAME,
    DATA,
    NAME,
    NULL,
    ORGANIZATION,
    SERIAL,
    SHA256,
    SIGNED_DATA,
    algorithm,
    attribute,
    issuer_and_serial,
    message,
    oid,
    signer_info,
    tlv,
)

from lkm.errors import FormatError
from lkm.formats import cms


def test_what_sign_file_writes() -> None:
    parsed = cms.parse(message(signer_info()))
    (info,) = parsed.signers
    assert info.signer == "Build key"
    assert info.issuer is not None
    assert tlv(0x30, info.issuer) == NAME
    assert info.serial == info.sig_key == SERIAL
    assert info.key_id is None
    assert info.digest == "sha256"
    assert info.algorithm == "1.2.840.113549.1.1.1"
    assert info.signature == b"\x5a" * 256
    assert not info.has_signed_attributes
    assert not parsed.has_content
    assert not parsed.has_certificates


def test_a_signer_by_key_identifier() -> None:
    (info,) = cms.parse(message(signer_info(signer=tlv(0x80, b"\x01\x02\x03"), version=3), version=3)).signers
    assert (info.signer, info.issuer, info.serial) == ("", None, None)
    assert info.key_id == info.sig_key == b"\x01\x02\x03"


def test_several_signers_keep_their_order() -> None:
    first, second = signer_info(signer=tlv(0x80, b"a")), signer_info(signer=tlv(0x80, b"b"))
    assert [info.key_id for info in cms.parse(message(first, second)).signers] == [b"a", b"b"]


def test_what_the_kernel_refuses_is_told() -> None:
    attributes = tlv(0xA0, tlv(0x30, oid(DATA), tlv(0x31, NULL)))
    content = tlv(0xA0, tlv(0x04, b"inside"))
    parsed = cms.parse(message(signer_info(attributes=attributes), content=content, certificates=tlv(0xA0, NULL)))
    assert parsed.signers[0].has_signed_attributes
    assert parsed.has_content
    assert parsed.has_certificates


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("2a864886f70d0204", "md4"),
        ("2a864886f70d0205", "md5"),
        ("2b0e03021a", "sha1"),
        ("608648016503040204", "sha224"),
        ("608648016503040202", "sha384"),
        ("608648016503040203", "sha512"),
        ("608648016503040208", "sha3-256"),
        ("608648016503040209", "sha3-384"),
        ("60864801650304020a", "sha3-512"),
        ("2a811ccf55018311", "sm3"),
        ("2a03", "1.2.3"),
        ("883703", "2.999.3"),
    ],
)
def test_digests(value: str, name: str) -> None:
    assert cms.parse(message(signer_info(digest=algorithm(value)))).signers[0].digest == name
    assert cms.parse(message(signer_info(digest=algorithm(value, NULL)))).signers[0].digest == name


@pytest.mark.parametrize(
    ("name", "signer"),
    [
        (tlv(0x30), ""),
        (tlv(0x30, attribute(ORGANIZATION, b"Org"), attribute("550406", b"XX")), "XX"),  # the last, as kmod does
        (tlv(0x30, attribute(COMMON_NAME, b"Printable", 0x13)), "Printable"),
        (tlv(0x30, attribute(COMMON_NAME, "Schlüssel".encode())), "Schlüssel"),
        (tlv(0x30, attribute(COMMON_NAME, b"J\xf6rg", 0x14)), "J\udcf6rg"),
        (tlv(0x30, attribute(COMMON_NAME, "ключ".encode("utf-16-be"), 0x1E)), "ключ"),
        (tlv(0x30, attribute(COMMON_NAME, b"first"), attribute(COMMON_NAME, b"second")), "first"),
    ],
)
def test_names(name: bytes, signer: str) -> None:
    assert cms.parse(message(signer_info(signer=issuer_and_serial(name)))).signers[0].signer == signer


@pytest.mark.parametrize(
    ("serial", "printed"),
    [(b"\0", b""), (b"\x7f", b"\x7f"), (b"\0\x80", b"\x80"), (b"\xff", b"\x01"), (b"\x80\0", b"\x80\0")],
)
def test_serial_numbers(serial: bytes, printed: bytes) -> None:
    (info,) = cms.parse(message(signer_info(signer=issuer_and_serial(serial=serial)))).signers
    assert info.serial == serial
    assert info.sig_key == printed


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"not DER",
        message(signer_info())[:-1],
        message(signer_info()) + b"\0",  # bytes after the message
        message(),  # no signer
        message(signer_info(), content_type=DATA),  # not SignedData
        message(signer_info(signer=tlv(0x81, b"x"))),  # a signer of no known kind
        message(signer_info(signer=tlv(0x30, NAME))),  # without a serial number
        message(signer_info(signer=issuer_and_serial(serial=b""))),
        message(signer_info(signer=issuer_and_serial(serial=b"\x01" * 65))),
        message(signer_info(signer=issuer_and_serial(serial=b"\0\x01"))),
        message(signer_info(signer=issuer_and_serial(serial_tag=0x04))),
        message(signer_info(signer=issuer_and_serial(tlv(0x30, attribute(COMMON_NAME, b"odd", 0x1E))))),
        message(signer_info(digest=tlv(0x30))),
        message(signer_info(digest=algorithm(SHA256, NULL, NULL))),
        message(signer_info(digest=tlv(0x30, NULL))),
        message(signer_info(digest=algorithm("2a83"))),  # the last part is cut off
        message(signer_info(digest=algorithm("2a" * 65))),
        tlv(0x30, oid(SIGNED_DATA), b"\xa0\x80", tlv(0x30), b"\0\0"),  # BER's indefinite length
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x80" * 5000,
        tlv(0x30, oid(SIGNED_DATA), tlv(0xA0, tlv(0x30, tlv(0x02, b"\x7f" * 10_000)))),  # a huge version
    ],
)
def test_refused(der: bytes) -> None:
    with pytest.raises(FormatError):
        cms.parse(der)


@given(st.binary(max_size=100))
def test_any_bytes_are_refused(der: bytes) -> None:
    with pytest.raises(FormatError):
        cms.parse(der)


@given(st.data())
@settings(max_examples=400)
def test_damaged_messages(data: st.DataObject) -> None:
    damaged = bytearray(message(signer_info(), certificates=tlv(0xA0, NULL)))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        signers = cms.parse(bytes(damaged)).signers
    except FormatError:
        return
    assert len(signers) == 1
    assert signers[0].serial is None or len(signers[0].serial) <= 64
