"""Frames between a machine and its owner."""

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.kernels.vm.frames import Body, Decoder, Frame, encode

BODIES = st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.text()), max_size=4)
PARTS = st.lists(st.binary(max_size=50), max_size=3).map(tuple)


def head(value: object) -> bytes:
    text = json.dumps(value).encode()
    return b"LKM1" + struct.pack(">I", len(text)) + text


def written(body: Body, parts: tuple[bytes, ...]) -> bytes:
    return encode(body, [len(part) for part in parts]) + b"".join(parts)


@settings(max_examples=100)
@given(st.lists(st.tuples(BODIES, PARTS), max_size=3), st.integers(1, 60))
def test_frames_survive_being_cut_anywhere(frames: list[Frame], size: int) -> None:
    data = b"".join(written(*frame) for frame in frames)
    decoder = Decoder()
    seen = []
    for start in range(0, len(data), size):
        decoder.feed(data[start : start + size])
        while (frame := decoder.next()) is not None:
            seen.append(frame)
    assert seen == frames


def test_bytes_that_are_not_utf8_survive() -> None:
    decoder = Decoder()
    decoder.feed(encode({"argv": ["\udcff"]}))
    assert decoder.next() == ({"argv": ["\udcff"]}, ())


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP",
        b"LKM1\xff\xff\xff\xff",
        b"LKM1\0\0\0\x02{]",
        b"LKM1\0\0\0\x02\xff\xff",
        b"LKM1" + struct.pack(">I", 200_000) + b"[" * 200_000,
        head([]),
        head({"body": 1, "parts": []}),
        head({"body": {}, "parts": [-1]}),
        head({"body": {}, "parts": [True]}),
        head({"body": {}, "parts": [2**31]}),
        head({"body": {}, "parts": [2**30, 1]}),
        head({"body": {}}),
    ],
)
def test_what_is_no_frame_is_an_error(data: bytes) -> None:
    decoder = Decoder()
    decoder.feed(data)
    with pytest.raises(ValueError, match=r"."):
        decoder.next()


@settings(max_examples=200)
@given(st.binary(max_size=100), st.booleans())
def test_any_bytes_give_frames_or_a_value_error(data: bytes, start_well: bool) -> None:  # noqa: FBT001
    decoder = Decoder()
    decoder.feed(b"LKM1\0\0\0" * start_well + data)
    try:
        frame = decoder.next()
    except ValueError:
        return
    assert frame is None or isinstance(frame[0], dict)
