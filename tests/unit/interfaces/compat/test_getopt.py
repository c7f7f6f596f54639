"""Options, as the GNU C library takes them apart; the expected texts are those that kmod's tools printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.interfaces.compat.getopt import Grammar, Parsed, parse

GRAMMAR = Grammar(
    "arw:nC:", {"all": "a", "remove": "r", "remove-old": "o", "remove-new": "o", "wait": "w:", "dry": "n"}
)


def taken(*words: str, in_order: bool = False) -> Parsed:
    return parse(GRAMMAR, words, in_order=in_order)


def test_letters_can_be_bundled_and_end_in_an_argument() -> None:
    assert taken("-arw5", "x").options == (("a", ""), ("r", ""), ("w", "5"))
    assert taken("-aw", "5", "x") == Parsed((("a", ""), ("w", "5")), ("x",))


def test_operands_may_stand_anywhere() -> None:
    assert taken("x", "-a", "y", "--dry", "-") == Parsed((("a", ""), ("n", "")), ("x", "y", "-"))


def test_two_dashes_end_the_options() -> None:
    assert taken("-a", "--", "-r", "--") == Parsed((("a", ""),), ("-r", "--"))
    assert taken("x", "--", "-r") == Parsed((), ("x", "-r"))


def test_in_order_the_first_operand_ends_the_options() -> None:
    assert taken("-a", "x", "-r", in_order=True) == Parsed((("a", ""),), ("x", "-r"))
    assert taken("-a", "--", "x", in_order=True) == Parsed((("a", ""),), ("x",))


def test_long_options_can_be_cut_short() -> None:
    assert taken("--al", "--w", "7", "--wait=8").options == (("a", ""), ("w", "7"), ("w", "8"))
    assert taken("--remove").options == (("r", ""),)
    assert taken("--remove-").options == (("o", ""),)  # two names of one option


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["-ax"], "invalid option -- 'x'"),
        (["-:"], "invalid option -- ':'"),
        (["-w"], "option requires an argument -- 'w'"),
        (["--wait"], "option '--wait' requires an argument"),
        (["--all=1"], "option '--all' doesn't allow an argument"),
        (["--foo=1"], "unrecognized option '--foo=1'"),
        (["--re"], "option '--re' is ambiguous; possibilities: '--remove' '--remove-old' '--remove-new'"),
    ],
)
def test_mistakes_keep_the_options_before_them(words: list[str], error: str) -> None:
    assert taken("-n", *words) == Parsed((("n", ""), ("a", "")) if words == ["-ax"] else (("n", ""),), (), error)


@given(st.lists(st.text(alphabet="-aw=:x ", max_size=6), max_size=6), st.booleans())
def test_every_word_is_accounted_for(words: list[str], in_order: bool) -> None:  # noqa: FBT001
    parsed = parse(GRAMMAR, words, in_order=in_order)
    assert all(key in "arwnCo" for key, _ in parsed.options)
    assert set(parsed.operands) <= set(words)
