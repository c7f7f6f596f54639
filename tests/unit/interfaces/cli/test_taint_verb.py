"""``lkm taint``: what it prints, for people and programs, and for wrong input."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.schema import check_schema

Lkm = Callable[..., Any]

OOPS = """\
CPU: 1 PID: 4424 Comm: insmod Tainted: P           OE      6.1.0-18-amd64 #1  Debian 6.1.76-1
Modules linked in: faulty(POE) fat [last unloaded: old_one(O)]
hello: loading out-of-tree module taints kernel.
"""


def _json(outcome: Any) -> Any:
    answer = json.loads(outcome.out)
    check_schema(answer, "taint")
    return answer


def test_a_number_in_words(lkm: Lkm) -> None:
    outcome = lkm("taint", "4097")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[:3] == [
        "4097 is PO",
        "FLAG  VALUE  MEANING",
        "P         1  a proprietary module was loaded",
    ]
    assert lkm("taint", "0x1001").out == lkm("taint", "PO").out == outcome.out
    assert lkm("taint", "0").out == "0: not tainted\n"


def test_a_kernel_whose_mask_can_not_be_read_is_not_called_clean(lkm: Lkm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lkm.kernels.live._TAINT", "/proc/nowhere/tainted")
    outcome = lkm("taint")
    assert (outcome.status, outcome.out) == (2, "")
    assert "/proc/nowhere/tainted: the taint mask can't be read: no such file or directory" in outcome.err
    assert "is /proc mounted?" in outcome.err
    assert _json(lkm("taint", "--json"))["error"]["type"] == "Unreadable"


def test_a_bit_of_a_later_kernel(lkm: Lkm) -> None:
    outcome = lkm("taint", str(1 << 30))
    assert "no flag that is known" in outcome.out
    assert "bit 30" in outcome.out
    assert _json(lkm("taint", str(1 << 30), "--json"))["unknown_bits"] == [30]


def test_flags_of_some_kernels_only_say_since_when(lkm: Lkm) -> None:
    assert "(since 6.15)" in lkm("taint", "J").out


def test_an_oops_in_a_file_and_in_a_pipe(lkm: Lkm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "oops"
    path.write_text(OOPS)
    outcome = lkm("taint", str(path))
    assert outcome.status == 0
    assert outcome.out.startswith("the kernel of this text is tainted: 12289 (POE)\n")
    assert "faulty, old_one (no longer loaded), hello (no longer loaded)" in outcome.out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(OOPS.encode())))
    assert lkm("taint", "-").out == outcome.out
    answer = _json(lkm("taint", "--json", str(path)))
    assert (answer["mask"], answer["source"], answer["release"]) == (12289, "text", None)
    assert answer["flags"][0]["modules"] == ["faulty"]


def test_what_a_report_should_mention(lkm: Lkm, tmp_path: Path) -> None:
    path = tmp_path / "oops"
    path.write_text(OOPS)
    out = lkm("taint", "--reason", str(path)).out
    assert "O  an out-of-tree module was loaded\n   modules: faulty, old_one, hello\n   log: hello: loading" in out
    assert out.count("   in a report: ") == 3


def test_the_kernel_itself(on_sample: Lkm) -> None:
    outcome = on_sample("taint")
    assert (outcome.status, outcome.out) == (0, "kernel 6.1.0-sample is not tainted\n")
    answer = _json(on_sample("taint", "--json"))
    assert (answer["mask"], answer["source"], answer["release"]) == (0, "kernel", "6.1.0-sample")


def test_a_root_without_a_kernel_that_runs(lkm: Lkm, sample: Path) -> None:
    answer = _json(lkm("taint", "--json", "--root", str(sample)))
    assert answer["notes"][0] == f"{sample} has no kernel that runs: this is the machine's own"


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("", "an empty text is no mask"),
        ("-1", "there is no file '-1'"),
        ("99999999999999999999", "is no taint mask"),
        ("nofile", "there is no file 'nofile'"),
        ("a\x1b[31m", "there is no file"),
        ("/", "is a directory"),
        ("Tainted: 6.1", "says nothing of taint"),
    ],
)
def test_wrong_input(lkm: Lkm, word: str, told: str) -> None:
    outcome = lkm("taint", word)
    assert (outcome.status, outcome.out) == (2, "")
    assert told in outcome.err
    assert "\x1b" not in outcome.err
    assert _json(lkm("taint", word, "--json"))["error"]


def test_a_text_that_says_nothing(lkm: Lkm, tmp_path: Path) -> None:
    for contents in (b"", b"all is well\n", bytes(range(256)) * 40):
        (tmp_path / "log").write_bytes(contents)
        outcome = lkm("taint", str(tmp_path / "log"))
        assert outcome.status == 2
        assert "says nothing of taint" in outcome.err
