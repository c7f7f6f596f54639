"""Fields of a JSON object, taken out by type."""

from collections.abc import Callable

import pytest

from lkm.errors import FormatError
from lkm.formats.plain_fields import PlainFields

FIELDS = PlainFields(
    {
        "null": None,
        "text": "t",
        "true": True,
        "seven": 7,
        "table": {"a": "b"},
        "list": ["a"],
        "lists": {"x": ["y", "z"]},
        "mixed": ["a", 1],
        "deep": {"x": [1]},
        "der": ["AAEC"],
    }
)


def test_what_is_there() -> None:
    assert FIELDS.is_null("null")
    assert not FIELDS.is_null("text")
    assert not FIELDS.is_null("missing")
    assert (FIELDS.text("text"), FIELDS.truth("true"), FIELDS.number("seven", 7)) == ("t", True, 7)
    assert (FIELDS.table("table"), FIELDS.words("table"), FIELDS.texts("list")) == ({"a": "b"}, {"a": "b"}, ("a",))
    assert FIELDS.lists("lists") == {"x": ("y", "z")}
    assert FIELDS.binaries("der") == (b"\0\1\2",)


@pytest.mark.parametrize(
    ("take", "name", "complaint"),
    [
        (FIELDS.text, "missing", "it lacks missing"),
        (FIELDS.text, "seven", "its seven is no text"),
        (FIELDS.truth, "seven", "its seven is neither true nor false"),
        (lambda name: FIELDS.number(name, 6), "seven", "not between 0 and 6"),
        (lambda name: FIELDS.number(name, 6), "true", "no number"),
        (FIELDS.table, "list", "no object"),
        (FIELDS.words, "lists", "something else than texts"),
        (FIELDS.texts, "table", "no list"),
        (FIELDS.texts, "mixed", "something else than texts"),
        (FIELDS.lists, "table", "something else than lists"),
        (FIELDS.lists, "deep", "something else than lists of texts"),
        (FIELDS.binaries, "list", "not in base64"),
        (FIELDS.binaries, "null", "no list"),
    ],
)
def test_another_type(take: Callable[[str], object], name: str, complaint: str) -> None:
    with pytest.raises(FormatError, match=complaint):
        take(name)


def test_what_is_no_ascii_is_no_base64() -> None:
    with pytest.raises(FormatError, match="not in base64"):
        PlainFields({"x": ["\udcff"]}).binaries("x")
