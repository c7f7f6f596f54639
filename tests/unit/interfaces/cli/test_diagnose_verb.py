"""``lkm diagnose``: what it prints, for people and programs, and for wrong input."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.schema import check_schema

Lkm = Callable[..., Any]

FAILED = "modprobe: ERROR: could not insert 'dummy': Invalid argument"
LINE = "[    1.0] dummy: `x' invalid for parameter `numdummies'"


def _json(outcome: Any) -> Any:
    answer = json.loads(outcome.out)
    check_schema(answer, "diagnose")
    return answer


def test_a_cause_with_its_line_and_its_remedy(on_sample: Lkm) -> None:
    outcome = on_sample("diagnose", "-e", LINE)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "bad-parameter: dummy can't take the value 'x' for its parameter numdummies: see which type it has",
        f"  shown by: {LINE}",
        "  here: numdummies of dummy takes a value of the type int",
        "  try: lkm show --parameters dummy",
    ]
    assert "here:" not in on_sample("diagnose", "--text-only", "-e", LINE).out


def test_all_that_is_given_is_seen_together(on_sample: Lkm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_text(LINE + "\n")
    answer = _json(on_sample("diagnose", "--json", "-e", FAILED, str(tmp_path / "log")))
    assert [(cause["id"], cause["module"]) for cause in answer["causes"]] == [("bad-parameter", "dummy")]
    assert answer["lines"] == 2
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LINE.encode())))
    assert _json(on_sample("diagnose", "--json", "-e", FAILED, "-"))["causes"] == answer["causes"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LINE.encode())))
    assert _json(on_sample("diagnose", "--json"))["causes"][0]["id"] == "bad-parameter"


def test_the_kernels_own_log(on_sample: Lkm) -> None:
    outcome = on_sample("diagnose", "--live")
    assert (outcome.status, outcome.out) == (2, "")
    assert "the kernel's log is empty" in outcome.err
    on_sample("load", "dummy", "numdummies=x")
    outcome = on_sample("diagnose", "--live", "-e", FAILED)
    assert outcome.status == 0
    assert outcome.out.startswith("bad-parameter: ")


def test_nothing_found_says_what_to_paste(on_sample: Lkm) -> None:
    outcome = on_sample("diagnose", "-e", "frobnicator: error 42")
    assert outcome.status == 1
    assert outcome.out.startswith(
        "the line shows nothing that lkm knows a cause for\n  not known: frobnicator: error 42\n"
    )
    assert "sudo dmesg | tail -n 50 | lkm diagnose -" in outcome.out
    answer = _json(on_sample("diagnose", "--json", "-e", "frobnicator: error 42"))
    assert (answer["causes"], answer["unknown"]) == ([], ["frobnicator: error 42"])
    assert on_sample("diagnose", "-e", "").out.startswith("the text is empty\n")


def test_many_causes_are_cut(on_sample: Lkm) -> None:
    text = "\n".join(f"m{number}: Unknown symbol f (err -2)" for number in range(8))
    outcome = on_sample("diagnose", "-e", text)
    assert outcome.out.count("unknown-symbol: ") == 6
    assert outcome.out.endswith("2 more causes were found: --all shows them\n")
    assert on_sample("diagnose", "--all", "-e", text).out.count("unknown-symbol: ") == 8


@pytest.mark.parametrize("words", [("nofile",), ("/",), ("a\x00b",), ("-e",)])
def test_wrong_input(on_sample: Lkm, words: tuple[str, ...]) -> None:
    outcome = on_sample("diagnose", *words)
    assert (outcome.status, outcome.out) == (2, "")
    assert _json(on_sample("diagnose", "--json", *words))["error"]


def test_what_could_steer_a_terminal_is_escaped(on_sample: Lkm, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\x1b[31m\xff: Unknown symbol \x9b2J (err -2)\n\x1b]0;x\x07 error\n")
    outcome = on_sample("diagnose", str(tmp_path / "log"))
    assert outcome.status in {0, 1}
    assert outcome.out.replace("\n", "").isprintable()
