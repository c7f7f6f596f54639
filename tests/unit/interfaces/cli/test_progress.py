"""The bar: for people only, and only when they had to wait."""

import os
import sys
import threading
import time

import pytest

from lkm.actions.showing import Advance
from lkm.interfaces.cli import progress as module
from lkm.interfaces.cli.progress import progress


class Terminal:
    """Standard error as a terminal of which all that is written is kept."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def fileno(self) -> int:
        raise OSError


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal in the place of standard error; not in a fixture, behind which pytest takes it back."""
    found = Terminal()
    monkeypatch.setattr(sys, "stderr", found)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return found


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    monkeypatch.setattr(module, "_BETWEEN", 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with progress(40, "signing") as advance:
        assert terminal.text == ""
        advance(10)
        assert "signing" in terminal.text
        assert "10/40" in terminal.text
        advance(0)
        advance(30)
        assert "40/40" in terminal.text
        assert threading.active_count() == 1  # who wants to fork can
    assert terminal.text.endswith("\x1b[2K")  # nothing is left of it


def test_who_does_not_wait_sees_none(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with progress(40, "signing") as advance:
        for _ in range(40):
            advance(1)
    assert terminal.text == ""


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("term", ["dumb", ""])
def test_no_bar_on_a_dumb_terminal(monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setenv("TERM", term)
    with progress(2, "signing") as advance:
        advance(2)
    assert terminal.text == ""


@pytest.mark.usefixtures("impatient")
def test_no_bar_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(2, "signing") as advance:
        advance(2)
    assert capsys.readouterr() == ("", "")


def test_it_is_drawn_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    with progress(100_000, "signing") as advance:
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            advance(1)
    assert 1 <= terminal.text.count("signing") < 12


@pytest.mark.usefixtures("impatient")
def test_an_error_takes_the_bar_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with pytest.raises(ZeroDivisionError), progress(2, "signing") as advance:
        advance(1 // (len(os.sep) - 1))
    with pytest.raises(KeyboardInterrupt), progress(2, "signing") as advance:
        _stopped(advance)
    assert terminal.text.endswith("\x1b[2K")


def _stopped(advance: Advance) -> None:
    advance(1)
    raise KeyboardInterrupt
