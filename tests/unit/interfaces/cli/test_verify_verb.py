"""``lkm verify`` as people and programs see it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from tests.support.schema import check_schema
from tests.support.signing import Signer

from lkm.actions.sample_tree import RELEASE
from lkm.formats.module_signature import split

OWN = Signer("My key", use_rsa=True)
Lkm = Callable[..., Any]


@pytest.fixture
def files(sample: Path, tmp_path: Path) -> Path:
    """A directory with a module of each kind, and our certificate."""
    stock = next(sample.rglob("fat.ko")).read_bytes()
    plain = stock[: split(stock)[0]]
    signed = OWN.signed(plain)
    place = tmp_path / "files"
    place.mkdir()
    (place / "plain.ko").write_bytes(plain)
    (place / "mine.ko").write_bytes(signed)
    (place / "touched.ko").write_bytes(signed[:99] + b"X" + signed[100:])
    (tmp_path / "own.pem").write_bytes(OWN.certificate.public_bytes(serialization.Encoding.PEM))
    return place


@pytest.fixture
def ask(lkm: Lkm, sample: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> Lkm:
    """Verify on the sample tree; the words are those of a shell in the directory above the modules."""
    monkeypatch.setenv("LKM_ROOT", str(sample))
    monkeypatch.chdir(files.parent)
    return lambda *words: lkm("verify", *words)


def test_accepted(ask: Lkm) -> None:
    outcome = ask("--certificate", "own.pem", "files/mine.ko")
    assert (outcome.status, outcome.err) == (0, "")
    first, *rest = outcome.out.splitlines()
    assert first.endswith("mine.ko: accepted by the given certificate")
    assert rest == [
        "  signer    My key",
        f"  key       RSA 2048, serial {OWN.certificate.serial_number:x}",
        "  hash      sha256",
        "  contents  as they were signed",
        "  from      own.pem",
    ]


def test_not_accepted(ask: Lkm) -> None:
    outcome = ask("files/plain.ko", "files/mine.ko")
    assert (outcome.status, outcome.err) == (1, "")
    paragraphs = outcome.out.split("\n\n")
    assert len(paragraphs) == 2
    assert "plain.ko: not accepted: it carries no signature\n" in paragraphs[0]
    assert f"  policy    kernel {RELEASE} enforces no signatures: it loads all the same" in paragraphs[0]
    assert "  next      lkm sign --key KEY --certificate CERT " in paragraphs[0]
    assert "            lkm check --root " in paragraphs[0]
    assert "  contents  can't be verified without the signer's certificate" in paragraphs[1]
    assert "\nnote: " in paragraphs[1]


def test_changed(ask: Lkm) -> None:
    outcome = ask("--certificate", "own.pem", "files/touched.ko")
    assert outcome.status == 1
    assert "touched.ko: not accepted: its contents were changed after it was signed\n" in outcome.out
    assert "  contents  changed after signing\n" in outcome.out


def test_a_tree(ask: Lkm) -> None:
    outcome = ask("--certificate", "own.pem", "--tree", "files")
    assert outcome.status == 1
    lines = outcome.out.splitlines()
    assert lines[0] == "3 modules, held against the given certificates"
    assert lines[2].split() == ["COUNT", "SIGNER", "KEY", "HASH", "ANSWER"]
    assert [line.split()[0] for line in lines[3:6]] == ["1", "1", "1"]
    assert "2 not accepted:" in lines
    assert "  plain.ko: it carries no signature" in lines
    assert any(line.startswith("next, as for the first: lkm sign ") for line in lines)


def test_the_releases_tree(ask: Lkm) -> None:
    outcome = ask("--tree")
    assert outcome.status == 1
    assert f"modules, held against the keys of kernel {RELEASE}\n" in outcome.out
    assert f"policy: kernel {RELEASE} enforces no signatures" in outcome.out


def test_for_programs(ask: Lkm) -> None:
    outcome = ask("--json", "files/mine.ko", "fat")
    answer = json.loads(outcome.out)
    check_schema(answer, "verify")
    assert outcome.status == 1
    assert answer["release"] == RELEASE
    assert [module["state"] for module in answer["modules"]] == ["unknown-key", "unknown-key"]
    assert answer["modules"][0]["loads"] is True
    given = json.loads(ask("--json", "--certificate", "own.pem", "--tree", "files").out)
    check_schema(given, "verify")
    assert [module["accepted"] for module in given["modules"]] == [True, False, False]
    assert given["release"] is None


def test_unreadable(ask: Lkm, files: Path) -> None:
    (files / "text.ko").write_bytes(b"text")
    outcome = ask("--json", "--certificate", "own.pem", "files/text.ko", "files/mine.ko", "files/none.ko")
    answer = json.loads(outcome.out)
    check_schema(answer, "verify")
    assert outcome.status == 2
    assert len(answer["modules"]) == 1
    assert "text.ko: is no kernel module" in outcome.err
    assert "none.ko: no such file or directory" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to verify"),
        (["--certificate", "files/mine.ko", "files/mine.ko"], "holds no certificate that can be read"),
        (["--detached", "own.pem", "files/plain.ko"], "is a certificate and no signature"),
        (["--detached", "own.pem", "fat", "vfat"], "a detached signature is of one module"),
        (["--tree", "files", "fat"], "--tree and names of modules don't go together"),
        (["--certificate", "own.pem", "--profile", "x", "fat"], "--certificate asks no kernel"),
        (["--tree", "own.pem"], "own.pem"),
    ],
)
def test_wrong_words(ask: Lkm, words: list[str], said: str) -> None:
    outcome = ask(*words)
    assert outcome.status == 2
    assert said in outcome.err
    assert "Traceback" not in outcome.err


def test_help(lkm: Lkm) -> None:
    outcome = lkm("verify", "--help")
    assert outcome.status == 0
    assert "which keyring" in outcome.out
