"""One change is taken back, others stay; in doubt there is no answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.formats.line_merging import taken_back


@pytest.mark.parametrize(
    ("before", "after", "now", "result"),
    [
        (b"a\n", b"a\nb\n", b"a\nb\n", b"a\n"),
        (b"a\n", b"a\nb\n", b"a\nb\nc\n", b"a\nc\n"),
        (b"a\n", b"a\nb\n", b"x\na\nb\n", b"x\na\n"),
        (b"a\nb\nc\n", b"a\nc\n", b"a\nc\nd\n", b"a\nb\nc\nd\n"),
        (b"a\nb\n", b"a\nB\n", b"a\nB\nc\n", b"a\nb\nc\n"),
        (b"a\n", b"a\nb\n", b"a\nb2\n", None),
        (b"a\n", b"a\nb\n", b"a\nb\nb\n", None),
        (b"a\nb\n", b"b\n", b"b\nc\n", b"a\nb\nc\n"),
        (b"a\n", b"a\n" * 30_000, b"a\n", None),
    ],
)
def test_lines(before: bytes, after: bytes, now: bytes, result: bytes | None) -> None:
    assert taken_back(before, after, now) == result


_FILES = st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), max_size=6).map(
    lambda lines: b"".join(x + b"\n" for x in lines)
)


@settings(max_examples=80, deadline=None)
@given(_FILES, _FILES, _FILES)
def test_no_line_is_made_up(before: bytes, after: bytes, now: bytes) -> None:
    found = taken_back(before, after, now)
    if found is not None:
        assert set(found.split(b"\n")) <= set(before.split(b"\n")) | set(now.split(b"\n"))
