"""Pass phrases out of the environment."""

import pytest

from lkm.actions.signing.pass_phrase import VARIABLE, from_environment, only_from_environment
from lkm.errors import UsageError


def test_the_usual_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert from_environment() is None
    with pytest.raises(UsageError, match="needs a pass phrase, or its token a PIN") as caught:
        only_from_environment()
    assert VARIABLE in str(caught.value.hint)
    monkeypatch.setenv(VARIABLE, "a \udc80 phrase")
    assert from_environment() == only_from_environment() == b"a \x80 phrase"


def test_a_variable_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "the usual one")
    with pytest.raises(UsageError, match="the environment holds no MINE") as caught:
        from_environment("MINE")
    assert "export MINE" in str(caught.value.hint)
    monkeypatch.setenv("MINE", "")
    assert from_environment("MINE") == b""
