"""Errors of parsers are given the file that they are about."""

import pytest

from lkm.errors import FormatError, UsageError
from lkm.system.located import located


def test_errors_without_a_place_get_one() -> None:
    with pytest.raises(FormatError) as caught, located("/a/file", hint="do something"):
        raise FormatError("bad", offset=7)
    assert str(caught.value) == "/a/file: bad (at offset 0x7)"
    assert caught.value.hint == "do something"


def test_only_damage_gets_the_hint() -> None:
    with pytest.raises(UsageError) as caught, located("/a/file", hint="do something"):
        raise UsageError("bad")
    assert (caught.value.where, caught.value.hint) == ("/a/file", None)


def test_other_exceptions_pass() -> None:
    with pytest.raises(KeyError), located("/a/file"):
        raise KeyError
    with located("/a/file"):
        pass
