"""Patterns against the C library's own fnmatch()."""

import ctypes
import random
from collections.abc import Iterator

import pytest

from lkm.formats.glob import matches

pytestmark = pytest.mark.peer

PIECES = ["a", "b", "-", "]", "!", "^", "*", "?", "\\", ".", "=", ":", "z", "1", "/", "\udce9", "[a-c]", "[!a]", "["]
IN_BRACKETS = ["a", "b", "-", "\\", "!", "^", ".", ":", "a-c", "1", "]", "[:digit:]", "[:alpha:]", "[.b.]", "[=c=]"]
LETTERS = ["a", "b", "c", "-", "[", "]", ".", "=", ":", "1", "\\", "/", "\udce9", "!", "d"]


@pytest.fixture
def libc() -> Iterator[ctypes.CDLL]:
    """The C library in the C locale, in which kmod's tools run."""
    library = ctypes.CDLL(None)
    library.setlocale.restype = ctypes.c_char_p
    before = library.setlocale(0, None)
    library.setlocale(0, b"C")
    yield library
    library.setlocale(0, before)


def disagreements(libc: ctypes.CDLL, pattern: str, texts: list[str]) -> list[tuple[str, str]]:
    wrong = []
    for text in texts:
        expected = libc.fnmatch(raw(pattern), raw(text), 0) == 0
        if matches(pattern, text) is not expected:
            wrong.append((pattern, text))
    return wrong


def raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def texts(chance: random.Random) -> list[str]:
    return ["".join(chance.choices(LETTERS, k=chance.randint(0, 6))) for _ in range(6)]


def test_random_patterns_match_as_in_the_c_library(libc: ctypes.CDLL) -> None:
    chance = random.Random(1)
    wrong = []
    for _ in range(12_000):
        pattern = "".join(chance.choices(PIECES, k=chance.randint(0, 10)))
        wrong += disagreements(libc, pattern, texts(chance))
    assert wrong == []


def test_brackets_match_as_in_the_c_library(libc: ctypes.CDLL) -> None:
    chance = random.Random(2)
    wrong = []
    for _ in range(12_000):
        inside = "".join(chance.choices(IN_BRACKETS, k=chance.randint(1, 6)))
        if "-[" in inside:
            continue  # a range up to a class: to glibc where such a bracket ends depends on what it matches
        pattern = (
            f"{chance.choice(['', '*', 'a'])}[{chance.choice(['', '!', '^'])}{inside}{chance.choice(['', ']', ']*'])}"
        )
        wrong += disagreements(libc, pattern, texts(chance))
    assert wrong == []


def test_one_byte_brackets_agree_for_every_byte(libc: ctypes.CDLL) -> None:
    names = [
        "alnum",
        "alpha",
        "blank",
        "cntrl",
        "digit",
        "graph",
        "lower",
        "print",
        "punct",
        "space",
        "upper",
        "xdigit",
    ]
    every = [bytes([value]).decode("utf-8", "surrogateescape") for value in range(1, 256)]
    patterns = [f"[[:{name}:]]" for name in names] + ["[!a-f]", "[\x01-\x7f]", "?", "[[:word:]]", "\\a"]
    assert [wrong for pattern in patterns for wrong in disagreements(libc, pattern, every)] == []
