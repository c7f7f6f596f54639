"""The index that we write is the one that we, and kmod, read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats.index_trie import IndexTrie
from lkm.formats.index_writer import Entry, encode

_KEYS = st.text(st.characters(min_codepoint=1, max_codepoint=127), min_size=1, max_size=12)
_VALUES = st.text(st.characters(min_codepoint=1, max_codepoint=0x2FF), max_size=8)


def test_an_empty_index_is_a_header() -> None:
    assert encode([]) == bytes.fromhex("b007f457 00020001 0000000c")


def test_values_of_a_key_come_by_priority() -> None:
    index = IndexTrie(encode([Entry("usb:x", "second", 2), Entry("usb:x", "first", 1), Entry("usb:", "other", 3)]))
    assert [value.text for value in index.values("usb:x")] == ["first", "second"]
    assert index.search("usb:") == "other"
    assert index.search("usb") is None


def test_a_key_that_is_no_ascii_is_refused() -> None:
    with pytest.raises(FormatError, match="ASCII"):
        encode([Entry("ü", "x")])


def test_very_long_keys_do_not_exhaust_the_stack() -> None:
    keys = ["a" * length for length in range(1, 4000, 7)]
    index = IndexTrie(encode(Entry(key, "x") for key in keys))
    assert index.search(keys[-1]) == "x"


@given(st.dictionaries(_KEYS, _VALUES, max_size=30))
def test_what_is_written_is_read_back(entries: dict[str, str]) -> None:
    index = IndexTrie(encode(Entry(key, value) for key, value in entries.items()))
    assert {key: value.text for key, value in index.items()} == entries
    assert all(index.search(key) == value for key, value in entries.items())
