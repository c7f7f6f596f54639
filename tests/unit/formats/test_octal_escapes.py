"""Fields with escaped blanks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.formats.octal_escapes import unescaped


@pytest.mark.parametrize(
    ("text", "meant"),
    [("/a\\040b", "/a b"), ("\\134040", "\\040"), ("\\011\\012", "\t\n"), ("a\\4", "a\\4"), ("", "")],
)
def test_escapes(text: str, meant: str) -> None:
    assert unescaped(text) == meant


@settings(max_examples=50)
@given(st.text(max_size=50))
def test_what_is_escaped_comes_back(text: str) -> None:
    assert unescaped("".join(f"\\{ord(c):03o}" if c in " \t\n\\" else c for c in text)) == text
