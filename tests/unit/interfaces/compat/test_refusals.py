"""The kernel's refusals in kmod's words."""

import errno

import pytest

from lkm.errors import (
    BuiltIn,
    Cause,
    CommandFailed,
    CompressionError,
    LkmError,
    LoadRefused,
    ModuleNotFound,
    ModuleSupportMissing,
    PrivilegeMissing,
    Unreadable,
)
from lkm.interfaces.compat.messages import Messages
from lkm.interfaces.compat.refusals import errno_of, explain, report, text_of


def caused(error: LkmError, cause: OSError) -> LkmError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (LoadRefused("x", errno.ENODEV), errno.ENODEV),
        (ModuleSupportMissing("none"), errno.ENOSYS),
        (ModuleNotFound("none"), errno.ENOENT),
        (BuiltIn("x"), errno.EEXIST),
        (PrivilegeMissing("none"), errno.EPERM),
        (CommandFailed("x", status=3), errno.EINVAL),
        (CompressionError("damaged"), errno.EINVAL),
        (Unreadable("x"), errno.EINVAL),
        (caused(Unreadable("x"), PermissionError(errno.EACCES, "")), errno.EACCES),
        (caused(Unreadable("x"), OSError("no number")), errno.EIO),
    ],
)
def test_errnos(error: LkmError, number: int) -> None:
    assert errno_of(error) == number


def test_texts_are_the_tools_or_the_systems() -> None:
    assert text_of(errno.EEXIST, {errno.EEXIST: "There"}) == "There"
    assert text_of(errno.ENODEV, {}) == "No such device"


def said(error: LkmError, capsys: pytest.CaptureFixture[str]) -> list[str]:
    explain(Messages("t"), error)
    return capsys.readouterr().err.splitlines()


def test_causes_come_with_their_remedies(capsys: pytest.CaptureFixture[str]) -> None:
    error = LoadRefused("x", errno.ENOENT, hint="not shown")
    error.causes = (Cause("a", "why", ("do this", "do that")), Cause("b", "why else"))
    assert said(error, capsys) == ["t: hint: why", "t: hint: try: do this; do that", "t: hint: why else"]


def test_without_causes_what_is_known_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(LoadRefused("x", 1, reason="because", hint="help"), capsys) == ["t: hint: because", "t: hint: help"]
    assert said(Unreadable("is gone", where="/x"), capsys) == ["t: hint: /x: is gone"]
    assert said(LoadRefused("x", 1), capsys) == []


def test_what_kmod_has_no_words_for(capsys: pytest.CaptureFixture[str]) -> None:
    report(Messages("t"), LkmError("odd", where="/x", hint="help"))
    assert capsys.readouterr().err == "t: ERROR: /x: odd\nt: hint: help\n"
