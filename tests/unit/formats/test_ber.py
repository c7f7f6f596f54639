"""Elements of BER as the kernel's decoder takes them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats.ber import Ber, dotted


def test_elements_follow_each_other() -> None:
    ber = Ber(b"\x02\x01\x05\x04\x02ab")
    assert ber.contents(ber.take(0x02)) == b"\x05"
    assert ber.is_next(0x04)
    assert not ber.is_next(0x02)
    assert ber.contents(ber.take()) == b"ab"
    assert ber.at_end
    ber.finish()


def test_what_is_inside_ends_with_its_element() -> None:
    ber = Ber(b"\x30\x03\x02\x01\x07\x05\x00")
    inner = ber.inside(ber.take(0x30))
    assert inner.contents(inner.take()) == b"\x07"
    inner.finish()
    with pytest.raises(FormatError):
        ber.finish()


@pytest.mark.parametrize("length", [b"\x81\x80", b"\x82\x00\x80"])
def test_long_lengths(length: bytes) -> None:
    ber = Ber(b"\x04" + length + bytes(128))
    assert len(ber.contents(ber.take())) == 128


def test_indefinite_lengths() -> None:
    ber = Ber(b"\x30\x80\x02\x01\x01\x30\x80\x04\x01x\0\0\0\0\x05\0")
    outer = ber.take(0x30)
    assert ber.contents(outer) == b"\x02\x01\x01\x30\x80\x04\x01x\0\0"
    assert ber.take(0x05).end == ber.end


def test_the_bit_for_elements_inside_is_not_insisted_on() -> None:
    assert Ber(b"\x10\x00").take(0x30).tag == 0x10
    with pytest.raises(FormatError):
        Ber(b"\x22\x00").take(0x02)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x30\x01", b"\x30\x83\0\0\1x", b"\x1f\x01\0", b"\x04\x80\0\0", b"\x30\x80\x02\x01",
     b"\x30\x80\0\1", b"\x30\x81", b"\x30\x80" * 100],
)  # fmt: skip
def test_what_the_decoder_refuses(data: bytes) -> None:
    with pytest.raises(FormatError):
        Ber(data).take()


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (bytes.fromhex("2a864886f70d010101"), "1.2.840.113549.1.1.1"),
        (bytes.fromhex("608648016503040263"), "2.16.840.1.101.3.4.2.99"),
        (b"", "(bad)"),
        (b"\x2a\x86", "(bad)"),
    ],
)
def test_object_identifiers(octets: bytes, text: str) -> None:
    assert dotted(octets) == text


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    ber = Ber(data)
    try:
        while not ber.at_end:
            element = ber.take()
            assert element.start <= element.end <= element.after <= len(data)
            dotted(ber.contents(element))
    except FormatError:
        pass
