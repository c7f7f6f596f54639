"""Pass phrases: out of the environment, else typed, else an error that says what to do."""

import getpass
import os

import pytest

from lkm.errors import UsageError
from lkm.interfaces.cli.pass_phrase import asking


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KBUILD_SIGN_PIN", raising=False)


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KBUILD_SIGN_PIN", "secret ä")
    assert asking("the key k")() == "secret ä".encode()
    monkeypatch.setenv("ANOTHER", "")
    assert asking("the key k", "ANOTHER")() == b""
    with pytest.raises(UsageError, match="NO_SUCH"):
        asking("the key k", "NO_SUCH")()


def test_typing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def typed(prompt: str) -> str:
        asked.append(prompt)
        return "typed"

    monkeypatch.setattr(os, "open", lambda *_: 99)
    monkeypatch.setattr(os, "close", lambda _: None)
    monkeypatch.setattr(getpass, "getpass", typed)
    assert asking("the key k")() == b"typed"
    assert asked == ["Pass phrase or PIN for the key k: "]


def test_nothing_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_: str) -> str:
        raise EOFError

    monkeypatch.setattr(os, "open", lambda *_: 99)
    monkeypatch.setattr(os, "close", lambda _: None)
    monkeypatch.setattr(getpass, "getpass", end)
    with pytest.raises(UsageError, match="no pass phrase was given for the key k"):
        asking("the key k")()


def test_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(6, "No such device or address")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UsageError, match="no terminal to ask on") as caught:
        asking("the key k")()
    assert "KBUILD_SIGN_PIN" in str(caught.value.hint)
