"""The front-ends' messages."""

import io
import os
import sys
import syslog

import pytest

from lkm.interfaces.compat.messages import Messages, Priority, library_speaks, put, version


def test_messages_carry_tool_and_priority(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages("rmmod")
    messages.say(Priority.FATAL, "a")
    messages.error("b")
    messages.say(Priority.WARNING, "c")
    messages.hint("d")
    messages.plain("e")
    assert capsys.readouterr().err == (
        "rmmod: FATAL: a\nrmmod: ERROR: b\nrmmod: WARNING: c\nrmmod: hint: d\nrmmod: e\n"
    )


def test_what_is_less_grave_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages("rmmod", Priority.EMERGENCY)
    messages.say(Priority.FATAL, "a")
    messages.hint("b")
    assert capsys.readouterr().err == ""


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Messages("rmmod").error("\x1b[2Jé\udcff\n")
    assert capsys.readouterr().err == "rmmod: ERROR: \\x1b[2Jé\\xff\\n\n"


def test_syslog_gets_messages_and_no_hints(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(syslog, "openlog", lambda *words: sent.append(words))
    monkeypatch.setattr(syslog, "syslog", lambda *words: sent.append(words))
    messages = Messages("modprobe")
    messages.use_syslog = True
    messages.error("a\0b")
    messages.hint("c")
    assert sent == [("modprobe", syslog.LOG_CONS, syslog.LOG_DAEMON), (syslog.LOG_ERR, r"ERROR: a\x00b")]
    assert capsys.readouterr().err == ""


def test_output_keeps_bytes_that_are_no_text(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    put("é\udcff\0")
    assert capsysbinary.readouterr().out == b"\xc3\xa9\xff\0"


def test_the_version_can_be_read_by_scripts() -> None:
    first, second = version().splitlines()
    assert first.split()[:3] == ["kmod", "version", "30"]
    assert {"+ZSTD", "+XZ", "+ZLIB"} <= set(second.split())


@pytest.mark.parametrize("text", ["", " ", "0", "2", "-1", "3x", "+-3", "crit", "warning", "²", "٣"])
def test_the_environment_can_silence_the_library(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMOD_LOG", text)
    assert not library_speaks()
    monkeypatch.delenv("KMOD_LOG")
    assert library_speaks()


@pytest.mark.parametrize("text", ["3", " 4", "7 x", "+3", "err", "error", "info", "debug"])
def test_the_environment_can_let_it_speak(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMOD_LOG", text)
    assert library_speaks()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_output_waits_for_the_end_unless_a_terminal_shows_it(
    is_terminal: bool,  # noqa: FBT001  a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So what commands of modprobe.d write into a pipe comes first, as with kmod."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(writing, "wb") as file, os.fdopen(reading, "rb", buffering=0) as pipe:
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, line_buffering=is_terminal))
        put("insmod x\n")
        Messages("modprobe").hint("whatever")
        assert pipe.read() == (b"insmod x\n" if is_terminal else None)
        sys.stdout.flush()
        assert pipe.read() == (None if is_terminal else b"insmod x\n")
