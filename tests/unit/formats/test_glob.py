"""Wildcards as the C library's fnmatch reads them."""

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.formats.glob import Form, Glob, Text, advance, form_of, matches, places, tokenise


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("", "a", False),
        ("snd_*", "snd_hda", True),
        ("snd_*", "snd_", True),
        ("*", "", True),
        ("*", "a/.b", True),
        ("?", "/", True),
        ("?", "", False),
        ("a?c", "abc", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("pci:v*d*sv*sd*bc03sc*i*", "pci:v00001234d00001111sv0sd0bc03sc00i00", True),
        ("d0[0-6]*", "d0512", True),
        ("d0[0-6]*", "d0712", False),
        ("[!a]", "b", True),
        ("[^a]", "a", False),
        ("[!a]", "", False),
        ("[]a]", "]", True),
        ("[!]a]", "]", False),
        ("[a-]", "-", True),
        ("[[:digit:]x]", "7", True),
        ("[[:digit:]x]", "x", True),
        ("[![:upper:]]", "A", False),
        ("[[.a.]-c]", "b", True),
        ("[[=a=]]", "a", True),
        ("[c-a]", "b", False),
        ("[a\\]]", "]", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("a\\", "a", False),
        ("a\\", "a\\", False),
        ("[ab", "[ab", True),
        ("[ab", "a", False),
        ("[[ab", "[[ab", False),
        ("[[:nonsense:]]", "n", False),
        ("[a[:nonsense:]]", "a", True),
        ("é", "é", True),
        ("?", "é", False),
        ("??", "é", True),
        ("*\udcff", "a\udcff", True),
    ],
)
def test_a_pattern_matches_as_in_glibc(pattern: str, text: str, *, expected: bool) -> None:
    assert matches(pattern, text) is expected


def test_a_pattern_without_wildcards_is_literal() -> None:
    assert Glob("vfat").is_literal
    assert not Glob("v?at").is_literal
    assert not Glob("v\\fat").is_literal


@given(st.text(), st.text())
def test_any_pattern_gives_an_answer(pattern: str, text: str) -> None:
    assert matches(pattern, text) in {True, False}


@given(st.text("ab[]!^-*?\\:.=", max_size=20), st.text("ab[]-\\:", max_size=8))
def test_odd_brackets_give_an_answer(pattern: str, text: str) -> None:
    assert matches(pattern, text) in {True, False}


@given(st.binary(max_size=12).filter(lambda text: not set(text) & set(b"*?[\\")))
def test_plain_bytes_match_themselves(text: bytes) -> None:
    tokens, used = tokenise(text)
    assert used == len(text)
    assert form_of(tokens) == Form(text)
    assert advance(form_of(tokens), 1, Text(text)) == 1 << len(text)


@given(st.text("ab*?[]-\\", max_size=12), st.integers(0, 12))
def test_a_pattern_cut_in_two_gives_the_same_tokens(pattern: str, cut: int) -> None:
    whole = pattern.encode()
    tokens, used = tokenise(whole[:cut], final=False)
    rest, _ = tokenise(whole[used:])
    text = Text(b"aab-")
    reached = advance(form_of(rest), advance(form_of(tokens), 1, text), text)
    assert reached == advance(form_of(tokenise(whole)[0]), 1, text)


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=8), st.integers(0, 511))
def test_all_places_are_found(pattern: str, text: str, begin: int) -> None:
    """From each set of places a pattern reaches what it reaches from each of them alone."""
    data = Text(text.encode())
    begin &= data.everywhere
    form = form_of(tokenise(pattern.encode())[0])
    expected = 0
    for start in range(len(text) + 1):
        if begin >> start & 1:
            ends = range(start, len(text) + 1)
            expected |= sum(1 << end for end in ends if fnmatch.fnmatchcase(text[start:end], pattern))
    assert advance(form, begin, data) == expected


def test_what_has_begun_is_left_over() -> None:
    assert tokenise(b"a[0-9", final=False)[1] == 1
    assert tokenise(b"a\\", final=False)[1] == 1
    assert tokenise(b"a[0-9]", final=False)[1] == 6
    assert tokenise(b"a[[:digit:]", final=False)[1] == 1


def test_places_of_long_and_short_texts_agree() -> None:
    text = bytes(range(97, 123)) * 30
    bits = [0] * 256
    for place, byte in enumerate(text):
        bits[byte] |= 2 << place
    assert places(text) == bits
    assert places(text[:20]) == [value & 0x1FFFFF for value in bits]


@pytest.mark.parametrize("pattern", ["*a" * 200 + "b", "[a-z]*" * 200 + "!", "*" * 5000 + "b", "[" + "\\]" * 20000])
def test_no_pattern_takes_long(pattern: str) -> None:
    start = time.process_time()
    assert not matches(pattern, "a" * 4000)
    assert time.process_time() - start < 2
