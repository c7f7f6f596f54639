"""When there is colour, and when not."""

import io
import os

import pytest

from lkm.interfaces.color import chosen_color, painted, wants_color


class Terminal(io.StringIO):
    """What is printed to a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "on_terminal", "elsewhere"),
    [
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({}, False, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_who_gets_colour(environ: dict[str, str], on_terminal: bool, elsewhere: bool) -> None:  # noqa: FBT001  as listed
    assert wants_color(Terminal(), environ) is on_terminal
    assert wants_color(io.StringIO(), environ) is elsewhere


def test_the_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with chosen_color("always"):
        assert painted("yes", "green", io.StringIO()) == "\x1b[32myes\x1b[0m"
    assert os.environ["NO_COLOR"] == "1"
    assert "FORCE_COLOR" not in os.environ
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR")
    for choice in ("auto", None):
        with chosen_color(choice):
            assert painted("yes", "green", io.StringIO()).startswith("\x1b")
    with chosen_color("never"):
        assert painted("yes", "green", Terminal()) == "yes"
    assert painted("", "bold", io.StringIO()) == ""
