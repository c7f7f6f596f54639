"""Exports as columns."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats.export_columns import from_columns, grouped, to_columns
from lkm.formats.ksymtab import Export

EXPORTS = [
    Export("a", 0xFFFFFFFF, gpl_only=False, namespace=None),
    Export("b", None, gpl_only=True, namespace="N"),
    Export("c", 0, gpl_only=True, namespace=""),
]


@given(
    st.lists(
        st.builds(
            Export,
            st.text(max_size=5),
            st.none() | st.integers(0, 0xFFFFFFFF),
            st.booleans(),
            st.none() | st.text(max_size=3),
        ),
        max_size=6,
    )
)
def test_there_and_back(exports: list[Export]) -> None:
    assert from_columns(json.loads(json.dumps(to_columns(exports)))) == exports


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"names": None}, "no list of texts"),
        ({"names": ["a", "b", 3]}, "no list of texts"),
        ({"crcs": ["1", None, 0]}, "no list of numbers"),
        ({"crcs": [True, None, 0]}, "no list of numbers"),
        ({"crcs": [1 << 32, None, 0]}, "more than 32 bits"),
        ({"crcs": [-1, None, 0]}, "more than 32 bits"),
        ({"gpl_only": "012"}, "no text of 0 and 1"),
        ({"gpl_only": [0, 1, 0]}, "no text of 0 and 1"),
        ({"gpl_only": "01"}, "differ in length"),
        ({"crcs": [1]}, "differ in length"),
        ({"namespaces": []}, "no object"),
        ({"namespaces": {"3": "N"}}, "export 3 of 3"),
        ({"namespaces": {"x": "N"}}, "no text with a position"),
        ({"namespaces": {"²": "N"}}, "no text with a position"),
        ({"namespaces": {"9" * 5000: "N"}}, "no text with a position"),
        ({"namespaces": {"1": 1}}, "no text with a position"),
    ],
)
def test_what_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FormatError, match=complaint):
        from_columns({**to_columns(EXPORTS), **change})


def test_no_columns() -> None:
    with pytest.raises(FormatError, match="no object of columns"):
        from_columns([])


def test_groups() -> None:
    assert grouped(EXPORTS, {"x": 1, "y": 2}) == {"x": tuple(EXPORTS[:1]), "y": tuple(EXPORTS[1:])}
    assert grouped([], {}) == {}
    for counts in ({"x": 2}, {"x": -1, "y": 4}, {"x": "3"}, {"x": True, "y": 2}, [3], None):
        with pytest.raises(FormatError):
            grouped(EXPORTS, counts)
