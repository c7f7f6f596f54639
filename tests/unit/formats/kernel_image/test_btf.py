"""Sizes of structs out of BTF."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_up_kernel import btf_of

from lkm.errors import FormatError
from lkm.formats.kernel_image.btf import find, struct_size

SIZES = {"list_head": 16, "module": 0x380, "module_kobject": 96}


@pytest.mark.parametrize("order", ["<", ">"])
def test_sizes(order: str) -> None:
    data = btf_of(SIZES, order=order)
    for name, size in SIZES.items():
        assert struct_size(data, name, little_endian=order == "<") == size
    assert struct_size(data, "modul", little_endian=order == "<") is None
    assert struct_size(data, "kobject", little_endian=order == "<") is None


def test_in_a_flat_image() -> None:
    image = b"code" + btf_of(SIZES) + b"more code"
    assert struct_size(find(image), "module") == 0x380
    assert not find(b"code")


@pytest.mark.parametrize("data", [b"", bytes(24), btf_of(SIZES)[:-1], btf_of(SIZES)[:30]])
def test_what_is_no_btf(data: bytes) -> None:
    with pytest.raises(FormatError):
        struct_size(data, "module")


def test_a_kind_that_came_later() -> None:
    data = btf_of(SIZES).replace(struct.pack("<III", 0, 13 << 24 | 2, 0), struct.pack("<III", 0, 30 << 24, 0))
    with pytest.raises(FormatError, match="a type of kind 30"):
        struct_size(data, "module")


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4))
def test_damage_is_no_surprise(changes: list[tuple[int, int]]) -> None:
    data = bytearray(btf_of(SIZES))
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(FormatError):
        size = struct_size(bytes(data), "module")
        assert size is None or 0 <= size < 1 << 32
