"""Errors in words and as JSON, safe for any terminal."""

import json

import pytest

from lkm.errors import Cause, FormatError, LkmError, LoadRefused, MachineLost, ModuleNotFound
from lkm.interfaces.messages import as_json, explain, printable, tell


def _refused() -> LoadRefused:
    error = LoadRefused("vfat", 2, ("vfat: Unknown symbol x (err -2)",), where="/a.ko", hint="look")
    error.causes = (Cause("unknown-symbol", "it needs x", ("lkm find x", "lkm load y")),)
    return error


def test_a_refusal_says_what_the_kernel_said_why_and_what_to_try() -> None:
    assert explain(_refused()) == (
        "/a.ko: the kernel refused to load vfat: No such file or directory (errno 2)",
        "kernel: vfat: Unknown symbol x (err -2)",
        "why: it needs x",
        "try: lkm find x",
        "try: lkm load y",
        "hint: look",
    )


def test_other_errors() -> None:
    assert explain(LkmError("what")) == ("what",)
    assert explain(FormatError("bad", offset=16, where="f", hint="h")) == ("f: bad (at offset 0x10)", "hint: h")
    assert explain(MachineLost("gone", console=("one", "two"))) == ("gone", "console: one", "console: two")


def test_as_json() -> None:
    plain = as_json(_refused())
    assert json.loads(json.dumps(plain)) == plain
    assert (plain["type"], plain["errno"], plain["module"], plain["where"]) == ("LoadRefused", 2, "vfat", "/a.ko")
    assert plain["causes"] == [
        {"id": "unknown-symbol", "summary": "it needs x", "remedy": ["lkm find x", "lkm load y"]}
    ]
    assert as_json(ModuleNotFound("none")) == {"type": "ModuleNotFound", "what": "none", "where": None, "hint": None}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢 text", "plain é 漢 text"),
        ("a\tb", "a\tb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\r", "a\\nb\\r"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\udcff\udc80", "\\xff\\x80"),
        ("\ud800", "\\ud800"),
        ("\u202e\u2028\U000e0001", "\\u202e\\u2028\\U000e0001"),
        ("", ""),
    ],
)
def test_nothing_steers_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(printable(text)) == shown


def test_telling(capsys: pytest.CaptureFixture[str]) -> None:
    tell("lkm", LkmError("what\x1b", where="\udcff", hint="so"))
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "lkm: \\xff: what\\x1b\n  hint: so\n")
