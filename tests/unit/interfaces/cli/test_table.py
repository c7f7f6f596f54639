"""Tables on terminals of any width, and elsewhere."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.interfaces.cli import output
from lkm.interfaces.cli.table import fitted, terminal_width

TABLE = (("MODULE", "SIZE", "USED BY"), ("snd_hda_codec", "172032", "snd_hda_intel,snd_hda_codec_hdmi,snd_hda_realtek"))


class Terminal(io.StringIO):
    """What is printed to a terminal."""

    def isatty(self) -> bool:
        return True


def test_nothing_is_broken_where_the_width_is_not_known() -> None:
    assert fitted(TABLE, None, numbers=[1]) == [
        ["MODULE           SIZE  USED BY"],
        ["snd_hda_codec  172032  snd_hda_intel,snd_hda_codec_hdmi,snd_hda_realtek"],
    ]


def test_the_last_column_is_broken_behind_commas() -> None:
    assert fitted(TABLE, 60, numbers=[1])[1] == [
        "snd_hda_codec  172032  snd_hda_intel,snd_hda_codec_hdmi,",
        "                       snd_hda_realtek",
    ]


def test_the_others_are_broken_where_there_is_no_room_for_the_last() -> None:
    assert fitted([("a" * 20, "b" * 10, "meaning of it")], 40) == [
        ["a" * 13 + "  " + "b" * 10 + "  meaning of it", "a" * 7]
    ]


def test_a_path_is_broken_behind_a_slash() -> None:
    ((first, *rest),) = fitted([("vfat", "/etc/modules-load.d/local.conf:12", "it stands for a module")], 54)
    assert first.split("  ", 1)[1].startswith("/etc/modules-load.d/  ")
    assert [line.strip() for line in rest] == ["local.conf:12"]


def test_words_that_are_too_long_are_broken_anywhere() -> None:
    assert fitted([("x", "y" * 60)], 28) == [["x  " + "y" * 25, "   " + "y" * 25, "   " + "y" * 10]]


@settings(max_examples=100)
@given(
    st.integers(1, 4).flatmap(
        lambda columns: st.lists(
            st.lists(st.text("ab, ", max_size=50), min_size=columns, max_size=columns), min_size=1, max_size=4
        )
    ),
    st.integers(1, 90),
)
def test_no_line_is_wider_than_a_terminal_of_some_width(table: list[list[str]], width: int) -> None:
    rows = fitted(table, width)
    least = 12 * len(table[0]) + 16
    for row, lines in zip(table, rows, strict=True):
        assert lines
        assert all(len(line) <= max(width, least) for line in lines)
        told = "".join("".join(lines).split())
        assert all(told.count(letter) >= "".join(row).count(letter) for letter in "ab,")


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("0", None), ("", None), ("x", None), ("²", None)])
def test_the_width_is_what_columns_says_of_a_terminal(columns: str, width: int | None) -> None:
    assert terminal_width(Terminal(), {"COLUMNS": columns}) == width
    assert terminal_width(io.StringIO(), {"COLUMNS": columns}) is None


def test_tables_are_printed_whole_to_a_pipe_and_broken_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    for stream, lines in ((io.StringIO(), 2), (Terminal(), 3)):
        monkeypatch.setattr("sys.stdout", stream)
        output.print_table(TABLE[0], TABLE[1:])
        assert stream.getvalue().count("\n") == lines
        assert "\x1b" not in stream.getvalue()


def test_sentences_are_folded_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "34")
    monkeypatch.setenv("NO_COLOR", "1")
    text = "one two three four five six seven"
    for stream, told in (
        (io.StringIO(), f"  note: {text}\n"),
        (Terminal(), "  note: one two three four five\n        six seven\n"),
    ):
        monkeypatch.setattr("sys.stdout", stream)
        output.print_text(text, lead="  note: ", style="bold")
        assert stream.getvalue() == told
