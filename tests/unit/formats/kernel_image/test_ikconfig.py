"""The configuration that an image carries."""

import contextlib
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_up_kernel import ikconfig

from lkm.errors import CompressionError
from lkm.formats.kernel_image.ikconfig import find, unpack

TEXT = "#\n# Linux/x86 6.1.0 Kernel Configuration\n#\nCONFIG_MODULES=y\n"


def test_inside_of_an_image() -> None:
    assert find(b"code" * 100 + ikconfig(TEXT) + b"more") == TEXT


def test_marks_that_are_only_texts_are_passed_over() -> None:
    words = b"IKCFG_ST is where it begins, IKCFG_ST\x1f\x8b is where it should"
    assert find(words + ikconfig(TEXT)) == TEXT
    assert find(words) is None
    assert find(b"") is None


def test_one_without_its_end_is_none() -> None:
    assert find(ikconfig(TEXT)[:-1]) is None
    assert find(ikconfig(TEXT)[:40]) is None
    assert find(ikconfig(TEXT).replace(b"IKCFG_ED", b"IKCFG_EX")) is None


def test_what_unpacks_to_too_much_is_none() -> None:
    packed = ikconfig("x" * (9 << 20))
    assert find(packed) is None
    with pytest.raises(CompressionError, match="more than"):
        unpack(packed[8:-8])


def test_of_the_running_kernel() -> None:
    assert unpack(gzip.compress(TEXT.encode() + b"\xff\n")) == TEXT + "\udcff\n"
    with pytest.raises(CompressionError):
        unpack(b"CONFIG_MODULES=y\n")


@settings(max_examples=200)
@given(place=st.integers(0, 200), value=st.integers(0, 255), other=st.binary(max_size=40))
def test_damage_is_no_surprise(place: int, value: int, other: bytes) -> None:
    packed = bytearray(ikconfig(TEXT))
    packed[place % len(packed)] = value
    with contextlib.suppress(CompressionError):
        unpack(other)
    found = find(other + bytes(packed))
    assert found is None or isinstance(found, str)
