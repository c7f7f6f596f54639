"""Parameters as a mapping, in the words of the kernel."""

import pytest

from lkm.actions.parameter_words import ParameterValue, parameter_string, parameter_words, quoted
from lkm.errors import UsageError


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "p=plain"),
        ("", "p="),
        ("two words", 'p="two words"'),
        ("tab\there", 'p="tab\there"'),
        ('"quoted already"', 'p="quoted already"'),
        ('a"b', 'p=a"b'),
        (7, "p=7"),
        (-1, "p=-1"),
        (True, "p=Y"),
        (False, "p=N"),
        ([1, 2, 3], "p=1,2,3"),
        (("a", "b c"), 'p="a,b c"'),
        (None, "p"),
    ],
)
def test_a_value(value: ParameterValue, written: str) -> None:
    if value == '"quoted already"':
        assert quoted(f"p={value}") == written
    else:
        assert parameter_string({"p": value}) == written


def test_several_in_order() -> None:
    assert parameter_string({"b": 1, "a": "x y", "c": None}) == 'b=1 a="x y" c'
    assert parameter_string({}) == ""


def test_words_are_not_quoted() -> None:
    assert parameter_words({"b": True, "a": "x y", "c": None, "d": [1, 2]}) == ("b=Y", "a=x y", "c", "d=1,2")


@pytest.mark.parametrize("name", ["", "a b", "a=b", 'a"', "a\0", "a\n"])
def test_names_that_are_none(name: str) -> None:
    for write in (parameter_string, parameter_words):
        with pytest.raises(UsageError, match="no name of a parameter"):
            write({name: 1})


@pytest.mark.parametrize("value", ['say "x y"', "a\0b", ['"', " "]])
def test_values_that_can_not_be_written(value: ParameterValue) -> None:
    with pytest.raises(UsageError, match="can't be written"):
        parameter_string({"p": value})


def test_letters_that_hold_what_the_kernel_takes_for_a_blank_are_quoted() -> None:
    assert quoted("name=voil\u00e0") == 'name="voil\u00e0"'
    assert quoted("name=\u00e9t\u00e9") == "name=\u00e9t\u00e9"
