"""String tables, honest and overlapping."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import ElfError
from lkm.formats.elf.strings import StringTable

TABLE = b"\0__crc_one\0two\0n\xc3\xa9\0\xff\0last"


def table(data: bytes = TABLE) -> StringTable:
    return StringTable(data, len(data))


def test_names() -> None:
    assert [table().name(offset) for offset in (0, 1, 7, 11, 15, 19, 21)] == [
        "", "__crc_one", "one", "two", "né", "\udcff", "last",
    ]  # fmt: skip
    assert table().names([11, 1, 11, 0]) == ["two", "__crc_one", "two", ""]
    assert table().names([]) == []


def test_offsets_outside() -> None:
    for offset in (len(TABLE), 1 << 32):
        with pytest.raises(ElfError, match="outside of its string table") as caught:
            table().name(offset)
        assert caught.value.offset == offset
        with pytest.raises(ElfError, match="outside of its string table"):
            table().names([1, offset])
    with pytest.raises(ElfError, match="outside of its string table"):
        table().name(-1)
    with pytest.raises(ElfError, match="of 0 bytes"):
        table(b"").names([0])


def test_positions() -> None:
    assert table().positions("__crc_") == {1}
    assert table(b"aaaa").positions("aa") == {0, 1, 2}
    assert table().positions("three") == set()


def test_a_budget_is_for_what_overlaps_not_for_what_is_many() -> None:
    data = b"name\0" * 1000
    assert len(table(data).names([0] * 100_000)) == 100_000
    long = StringTable(b"x" * 100_000, 0)
    assert len(long.names([0] * 10)) == 10
    with pytest.raises(ElfError, match="overlap so much"):
        long.names([0] * 11)


@settings(max_examples=200)
@given(data=st.binary(min_size=1, max_size=60), places=st.lists(st.integers(0, 59), max_size=8))
def test_names_are_what_lies_between_the_nuls(data: bytes, places: list[int]) -> None:
    offsets = [place % len(data) for place in places]
    expected = [data[offset:].split(b"\0")[0].decode("utf-8", "surrogateescape") for offset in offsets]
    assert table(data).names(offsets) == [table(data).name(offset) for offset in offsets] == expected
