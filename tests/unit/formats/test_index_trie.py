"""The reader of depmod's binary indexes."""

import fnmatch
import mmap
import tempfile
import time
from contextlib import suppress
from functools import partial
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.index_file import CHILDREN, EMPTY, MAGIC, PREFIX, VALUES, VERSION, index_file

from lkm.errors import FormatError
from lkm.formats.index_trie import IndexTrie, Value

ALIASES = {
    "pci:v00008086d000010D3sv*sd*bc*sc*i*": [(7, "e1000e")],
    "pci:v*d*sv*sd*bc0Csc03i30*": [(3, "xhci_pci")],
    "pci:v00008086d*sv*sd*bc03*": [(9, "i915")],
    "usb:v04B8p0202d0[0-6]*": [(4, "usblp")],
    "usb:v04B8p0202d01*": [(5, "other")],
    "fs_vfat": [(1, "vfat"), (2, "vfat2")],
    "fs_*": [(1, "any_fs")],
    "net_pf_1?": [(6, "pf")],
    "a\\*b": [(8, "escape")],
    "*": [(20, "everything")],
}

keys = st.text("ab*?[]-\\01", min_size=1, max_size=6)
values = st.lists(st.tuples(st.integers(0, 5), st.sampled_from("xyz")), min_size=1, max_size=3)


@pytest.fixture(params=[False, True], ids=["children first", "parents first"])
def aliases(request: pytest.FixtureRequest) -> IndexTrie:
    return IndexTrie(index_file(ALIASES, parents_first=request.param))


def test_an_exact_key_gives_its_first_value(aliases: IndexTrie) -> None:
    assert aliases.search("fs_vfat") == "vfat"
    assert aliases.search("fs_*") == "any_fs"


@pytest.mark.parametrize("key", ["", "fs_vfa", "fs_vfats", "fs", "zz", "fs_vfat\0", "fs_é", "\udcff"])
def test_a_key_that_is_not_there_gives_none(aliases: IndexTrie, key: str) -> None:
    assert aliases.search(key) is None
    assert aliases.values(key) == []


def test_all_values_of_a_key_come_in_the_files_order(aliases: IndexTrie) -> None:
    assert aliases.values("fs_vfat") == [Value(1, "vfat"), Value(2, "vfat2")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pci:v00008086d000010D3sv0sd0bc02sc00i00", ["e1000e", "everything"]),
        ("pci:v00008086d000010D3sv0sd0bc0Csc03i30", ["xhci_pci", "e1000e", "everything"]),
        ("pci:v00008086d00001234sv0sd0bc03sc00i00", ["i915", "everything"]),
        ("usb:v04B8p0202d0512", ["usblp", "everything"]),
        ("usb:v04B8p0202d0112", ["usblp", "other", "everything"]),
        ("usb:v04B8p0202d0712", ["everything"]),
        ("fs_vfat", ["vfat", "any_fs", "vfat2", "everything"]),
        ("net_pf_10", ["pf", "everything"]),
        ("net_pf_1", ["everything"]),
        ("a\\*b", ["escape", "everything"]),
        ("", ["everything"]),
        ("é\udcff", ["everything"]),
    ],
)
def test_keys_are_patterns(aliases: IndexTrie, text: str, expected: list[str]) -> None:
    assert aliases.match(text) == expected


def test_values_of_one_priority_come_in_reverse() -> None:
    index = IndexTrie(index_file({"a*": [(1, "star")], "a?": [(1, "question")], "ab": [(1, "one"), (1, "two")]}))
    assert index.match("ab") == ["two", "one", "question", "star"]


def test_a_wildcard_in_the_text_is_met_twice() -> None:
    assert IndexTrie(index_file({"a*": [(1, "x")], "ab": [(2, "y")]})).match("a*") == ["x", "x"]


def test_items_come_by_key_values_before_longer_keys(aliases: IndexTrie) -> None:
    found = list(aliases.items())
    expected = [(key, Value(*value)) for key in sorted(ALIASES) for value in ALIASES[key]]
    assert found == expected


def test_an_empty_index_holds_nothing() -> None:
    index = IndexTrie(EMPTY)
    assert (index.search("a"), index.match("a"), list(index.items())) == (None, [], [])


def test_an_mmap_is_read_like_bytes() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(index_file(ALIASES))
        file.flush()
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
            index = IndexTrie(data)
            assert index.match("fs_ext4") == ["any_fs", "everything"]
            assert index.search("fs_vfat") == "vfat"


def test_one_lookup_reads_few_nodes() -> None:
    index = IndexTrie(index_file({f"pci:v{n:08X}d*": [(n, f"m{n}")] for n in range(5000)}))
    assert index.match("pci:v00000123d1") == ["m291"]
    assert len(index._nodes) < 20


@given(entries=st.dictionaries(keys, values, max_size=8), parents_first=st.booleans())
def test_what_is_written_is_read(entries: dict[str, list[tuple[int, str]]], *, parents_first: bool) -> None:
    index = IndexTrie(index_file(entries, parents_first=parents_first))
    assert list(index.items()) == [(key, Value(*value)) for key in sorted(entries) for value in entries[key]]
    for key, found in entries.items():
        assert index.values(key) == [Value(*value) for value in found]
        assert index.search(key) == found[0][1]


@given(st.dictionaries(st.text("ab*?01", min_size=1, max_size=6), values, max_size=8), st.text("ab01", max_size=6))
def test_matches_are_those_of_the_patterns(entries: dict[str, list[tuple[int, str]]], text: str) -> None:
    expected = [value for key, found in entries.items() if fnmatch.fnmatchcase(text, key) for value in found]
    index = IndexTrie(index_file(entries))
    assert sorted(index.match(text)) == sorted(name for _, name in expected)


# --- damaged files ----------------------------------------------------------------------------------------------------


def index_of(*nodes: bytes, root: int) -> bytes:
    return pack(">3I", MAGIC, VERSION, root) + b"".join(nodes)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too short"),
        (EMPTY[:11], "too short"),
        (pack(">3I", 0xB007FA57, VERSION, 0), "no index"),
        (pack(">3I", MAGIC, 0x00030001, 0), "version 3.1"),
    ],
)
def test_what_is_no_index_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason) as caught:
        IndexTrie(data)
    assert caught.value.hint is not None
    assert "depmod" in caught.value.hint


def test_a_later_minor_version_is_read() -> None:
    assert IndexTrie(pack(">3I", MAGIC, VERSION + 1, 0)).search("a") is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (index_of(root=PREFIX | 0x0FFFFFFF), "does not end"),
        (index_of(b"abc", root=PREFIX | 12), "does not end"),
        (index_of(root=CHILDREN | 12), "cut off"),
        (index_of(b"\x05", root=CHILDREN | 12), "cut off"),
        (index_of(b"az", root=CHILDREN | 12), "cut off"),
        (index_of(b"za", bytes(200), root=CHILDREN | 12), "children from 122 to 97"),
        (index_of(b"a\xff", bytes(2000), root=CHILDREN | 12), "children from 97 to 255"),
        (index_of(b"\0a", bytes(2000), root=CHILDREN | 12), "children from 0 to 97"),
        (index_of(b"\xff\xff\xff\xff", bytes(20), root=VALUES | 12), "4294967295 values"),
        (index_of(pack(">2I", 1, 1), b"a", root=VALUES | 12), "does not end"),
        (index_of(root=VALUES | 12), "lies outside|more than|cut off"),
        (index_of(root=0x0FFFFFFF), "lies outside"),
        (index_of(b"aa", pack(">I", CHILDREN | 12), root=CHILDREN | 12), "loop|overlap|longer"),
        (index_of(b"**", pack(">I", CHILDREN | 12), root=CHILDREN | 12), "loop|overlap|longer"),
    ],
)
def test_a_damaged_index_is_an_error(data: bytes, reason: str) -> None:
    index = IndexTrie(data)
    with pytest.raises(FormatError, match=f"damaged.*({reason})") as caught:
        list(index.items())
    assert caught.value.offset is not None


def test_a_loop_ends() -> None:
    index = IndexTrie(index_of(b"**", pack(">I", CHILDREN | 12), root=CHILDREN | 12))
    with pytest.raises(FormatError, match="loop"):
        index.match("aaaa")
    assert index.search("*" * 5000) is None


def test_a_wide_loop_ends_soon() -> None:
    loop = bytes([1, 127]) + pack(">I", CHILDREN | 12) * 127
    index = IndexTrie(index_of(loop, bytes(400_000), root=CHILDREN | 12))
    start = time.process_time()
    with pytest.raises(FormatError, match="loop"):
        index.match("a" * 4000)
    with pytest.raises(FormatError, match=r"loop|longer"):
        list(index.items())
    assert time.process_time() - start < 3


def test_a_bracket_without_end_is_an_error() -> None:
    index = IndexTrie(index_file({"[" + "a" * 300: [(1, "x")], "[b": [(1, "y")]}))
    with pytest.raises(FormatError, match="bracket"):
        index.match("aaaa")


def use(data: bytes) -> None:
    """Ask for everything; what is wrong may only come out as the project's error."""
    index = IndexTrie(data)
    texts = ("fs_vfat", "pci:v00008086d000010D3sv0sd0bc0Csc03i30", "usb:v04B8p0202d0512", "a*")
    asks = [partial(ask, text) for ask in (index.search, index.values, index.match) for text in texts]
    for ask in (*asks, lambda: list(index.items())):
        with suppress(FormatError):
            ask()


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_any_bytes_are_read_or_refused(body: bytes, root: int) -> None:
    use(index_of(body, root=root))
    use(index_of(body, root=(root & 0xF0000000) | 12))
    with suppress(FormatError):
        use(body)


@settings(max_examples=150)
@given(st.data())
def test_a_changed_index_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(index_file(ALIASES))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    use(bytes(whole[: data.draw(st.integers(12, len(whole)))]))


@given(st.dictionaries(keys, values, max_size=8), st.text("ab*?[]-\\01", max_size=6))
def test_a_look_up_of_one_key_agrees_with_all_items(entries: dict[str, list[tuple[int, str]]], key: str) -> None:
    index = IndexTrie(index_file(entries))
    found = [value for other, value in index.items() if other == key]
    assert index.values(key) == found
    assert index.values(key) == found  # again: nothing is used up
    assert index.search(key) == (found[0].text if found else None)


@pytest.mark.parametrize(
    ("data", "key", "reason"),
    [
        (index_of(b"abc", root=PREFIX | 12), "a", "does not end"),
        (index_of(b"a", root=CHILDREN | 12), "a", "cut off"),
        (index_of(b"za", bytes(200), root=CHILDREN | 12), "a", "children from 122 to 97"),
        (index_of(b"\0", b"\xff\xff\xff\xff", root=PREFIX | VALUES | 12), "", "4294967295 values"),
        (index_of(b"\0", pack(">2I", 1, 1), b"a", root=PREFIX | VALUES | 12), "", "does not end|more than"),
    ],
)
def test_a_look_up_in_a_damaged_index_is_an_error(data: bytes, key: str, reason: str) -> None:
    with pytest.raises(FormatError, match=f"damaged.*({reason})"):
        IndexTrie(data).search(key)


def test_a_key_with_a_list_of_no_values_has_none() -> None:
    index = IndexTrie(index_of(b"\0", pack(">I", 0), root=PREFIX | VALUES | 12))
    assert (index.search(""), index.values(""), index.match("")) == (None, [], [])
