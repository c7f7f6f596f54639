"""The usual form of CMS message, against the reader of all forms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.der import (
    COMMON_NAME,
    DATA,
    NAME,
    NULL,
    ORGANIZATION,
    SHA256,
    algorithm,
    attribute,
    issuer_and_serial,
    message,
    signer_info,
    tlv,
)

from lkm.errors import FormatError
from lkm.formats import cms, cms_sign_file
from lkm.formats.cms import SignerInfo

LONG_NAME = tlv(0x30, attribute(ORGANIZATION, b"o" * 300), attribute(COMMON_NAME, "Schlüssel\0".encode()))


def parsed(der: bytes) -> SignerInfo | None:
    """Read by the reader of all forms."""
    try:
        (only,) = cms.parse(der).signers
    except (FormatError, ValueError):
        return None
    return only


@pytest.mark.parametrize(
    "der",
    [
        message(signer_info()),
        message(signer_info(digest=algorithm(SHA256, NULL))),
        message(signer_info(digest=algorithm("608648016503040203"))),
        message(signer_info(signer=issuer_and_serial(LONG_NAME))),
        message(signer_info(signer=issuer_and_serial(serial=b"\0"))),
        message(signer_info(signer=issuer_and_serial(serial=b"\0\x80"))),
        message(signer_info(signer=issuer_and_serial(serial=b"\x80\0"))),
    ],
)
def test_the_usual_form(der: bytes) -> None:
    found = cms_sign_file.read(der)
    assert found is not None
    assert found == parsed(der)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x80\0\0",
        message(signer_info())[:-1],
        message(signer_info()) + b"\0",
        message(),
        message(signer_info(), signer_info()),
        message(signer_info(), content_type=DATA),
        message(signer_info(), version=3),
        message(signer_info(signer=tlv(0x80, b"id"), version=3)),
        message(signer_info(digest=algorithm("2b0e03021a"))),
        message(signer_info(attributes=tlv(0xA0, tlv(0x30, NULL)))),
        message(signer_info(), content=tlv(0xA0, tlv(0x04, b"inside"))),
        message(signer_info(), certificates=tlv(0xA0, NULL)),
        message(signer_info(signer=issuer_and_serial(serial=b""))),
        message(signer_info(signer=issuer_and_serial(serial=b"\0\x01"))),
        message(signer_info(signer=issuer_and_serial(serial=b"\xff\x01"))),
        message(signer_info(signer=issuer_and_serial(tlv(0x30)))),
        message(signer_info(signer=issuer_and_serial(tlv(0x30, attribute(COMMON_NAME, b"wide", 0x1E))))),
        message(signer_info(signer=issuer_and_serial(tlv(0x30, attribute("", b"x"), attribute(COMMON_NAME, b"x"))))),
    ],
)
def test_other_forms_are_left_to_the_other_reader(der: bytes) -> None:
    assert cms_sign_file.read(der) is None


@given(st.data())
@settings(max_examples=400)
def test_it_never_says_what_the_other_reader_does_not(data: st.DataObject) -> None:
    changed = bytearray(message(signer_info(signer=issuer_and_serial(NAME))))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        if data.draw(st.booleans()):
            changed[place] = data.draw(st.integers(0, 255))
        else:
            del changed[place]
    found = cms_sign_file.read(bytes(changed))
    assert found is None or found == parsed(bytes(changed))


@given(st.binary(max_size=100))
def test_any_bytes_are_refused(der: bytes) -> None:
    assert cms_sign_file.read(der) is None
