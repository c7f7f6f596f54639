"""modprobe's options and its environment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.interfaces.compat.messages import Messages, Priority
from lkm.interfaces.compat.modprobe_settings import Mode, Settings, UsageMistake, read, words_of
from lkm.kernels.base import LoadFlags


def settings(*words: str, environment: str = "") -> tuple[Settings, Messages]:
    messages = Messages("modprobe")
    return read(messages, words, words_of(environment), in_order=False), messages


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("   ", ()),
        ("-v  -q", ("-v", "-q")),
        ("-C '/a b' x", ("-C", "/a b", "x")),
        ('"-C" a"b c"d', ("-C", "ab cd")),
        ("it's", ("it's",)),
        ("'' x", ("", "x")),
        ("""a'"'b""", ('a"b',)),
    ],
)
def test_words_of_the_environment(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


@given(st.text(alphabet="a '\"", max_size=20))
def test_words_lose_nothing_but_spaces_and_quotes(text: str) -> None:
    joined = "".join(words_of(text))
    assert joined.count("a") == text.count("a")


def test_the_environment_goes_first() -> None:
    found, messages = settings("-v", "x", environment="-q -i")
    assert found.ignore_commands
    assert messages.shown == 1
    assert found.exported == ["-q", "-v"]


@pytest.mark.parametrize(
    ("words", "mode"),
    [
        (["x"], Mode.INSERT),
        (["-r", "x"], Mode.REMOVE),
        (["-r", "--show-exports", "x"], Mode.EXPORTS),
        (["--show-exports", "--dump-modversions", "x"], Mode.MODVERSIONS),
        (["-r", "-c"], Mode.CONFIGURATION),
    ],
)
def test_one_mode_wins(words: list[str], mode: Mode) -> None:
    assert settings(*words)[0].mode is mode


def test_force_and_its_parts() -> None:
    assert settings("-f", "x")[0].flags == LoadFlags.IGNORE_MODVERSIONS | LoadFlags.IGNORE_VERMAGIC
    assert settings("-f", "x")[0].force
    found, _ = settings("--force-vermagic", "x")
    assert (found.flags, found.force) == (LoadFlags.IGNORE_VERMAGIC, False)


@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("1500", 1.5), ("0x10", 0.016), ("010", 0.008)])
def test_wait_takes_c_numbers(text: str, seconds: float) -> None:
    assert settings("-w", text, "x")[0].wait == seconds


@pytest.mark.parametrize("text", ["", "x", "1s", "-1", "1_0", "9" * 5000, "08"])
def test_wait_takes_nothing_else(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageMistake):
        settings("-w", text, "x")
    assert capsys.readouterr().err == f"modprobe: ERROR: unexpected wait value '{text}'.\n"


def test_something_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageMistake):
        settings("-a")
    assert capsys.readouterr().err == "modprobe: ERROR: missing parameters. See -h.\n"
    assert settings("-c")[0].operands == ()


def test_quiet_and_verbose() -> None:
    assert settings("x")[1].shown == Priority.WARNING
    assert settings("-vv", "x")[1].shown == Priority.WARNING + 2
    assert settings("-v", "-q", "x")[1].shown == Priority.EMERGENCY
