"""depmod.d, line by line, and the patterns in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.formats.depmod_conf import BadLine, External, Override, kernel_matches, parse
from lkm.formats.extended_regex import compile_extended


def test_each_directive_is_read() -> None:
    text = b"# c\nsearch updates\tbuilt-in\noverride a-b * extra\nexternal ^6 /opt/m\nexclude x y\ninclude z\n"
    found, bad = parse(text)
    assert found.search == ("updates", "built-in")
    assert found.overrides == (Override("a-b", "*", "extra"),)
    assert found.externals == (External("^6", "/opt/m"),)
    assert found.exclude == ("x", "y")
    assert bad == ()


def test_what_is_no_directive_is_told_with_its_line() -> None:
    assert parse(b"search a\\\nb\noverride few\nwhat is this\n")[1] == (BadLine(3, "override"), BadLine(4, "what"))


def test_only_what_applies_to_a_kernel_is_kept() -> None:
    found, _ = parse(b"override a ^6 x\noverride b ^5 x\nexternal 6 /a\nexternal 7 /b\n")
    kept = found.for_kernel("6.1.0")
    assert ([one.module for one in kept.overrides], [one.directory for one in kept.externals]) == (["a"], ["/a"])


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*", "anything", True),
        (r"^6\.1", "6.1.0", True),
        (r"^6\.1", "6x1", False),
        ("[[:digit:]]{2}", "6.1.0-56", True),
        ("[[:digit:]]{3}", "6.1.0-56", False),
        ("a+?$", "b", True),
        ("[]a]x", "]x", True),
        (r"[\d]", "d", True),
        (r"[\d]", "5", False),
        ("(", "(", False),
        ("[a", "[a", False),
        ("amd64|arm64", "6.1-arm64", True),
        ("(6|7)\\.1", "7.1", True),
        ("[[:nope:]]", "n", False),
    ],
)
def test_patterns_are_posix_extended(pattern: str, text: str, *, matches: bool) -> None:
    assert kernel_matches(pattern, text) is matches


@given(st.text("ab[]()*+?{}1,2^$|\\.-:=", max_size=12))
def test_any_pattern_is_one_or_none(pattern: str) -> None:
    compiled = compile_extended(pattern)
    assert compiled is None or compiled.search("ab1") is None or compiled.search("ab1") is not None


@given(st.binary(max_size=80))
def test_any_bytes_are_read(data: bytes) -> None:
    found, bad = parse(data)
    assert all(word for word in found.search)
    assert all(line.line > 0 for line in bad)
