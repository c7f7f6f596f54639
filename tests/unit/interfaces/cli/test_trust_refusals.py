"""What the verbs about trust refuse: one JSON object with the error, one sentence for people, and nothing written."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.schema import check_schema
from tests.support.signing import Signer

Lkm = Callable[..., Any]

REFUSALS = [
    ("sign", "some.ko"),
    ("sign", "--key", "gone", "--certificate", "own.der", "some.ko"),
    ("sign", "--strip", "--replace", "some.ko"),
    ("sign", "--raw-signature", "own.der", "some.ko"),
    ("sign", "--attach", "own.der", "--certificate", "cut.der", "some.ko"),
    ("keys", "--efivars", "gone"),
    ("keys", "--trust", "cut.der"),
    ("keys", "list", "--trust", "cut.der"),
    ("keys", "show", "wibble"),
    ("keys", "show", "./cut.der"),
    ("keys", "new", "gone/key", "--unencrypted"),
    ("keys", "new", "own", "--unencrypted"),
    ("keys", "new", "key", "--unencrypted", "--days", "0"),
    ("keys", "new", "key", "--kind", "wibble"),
    ("mok", "status", "--efivars", "gone"),
    ("mok", "test", "cut.der"),
    ("mok", "enrol", "gone.der"),
    ("mok", "enrol", "own.der"),
    ("mok", "revoke", "own.der"),
    ("mok",),
    ("lockdown", "--release", "9.9"),
    ("lockdown", "wibble"),
    ("verify",),
    ("verify", "--certificate", "cut.der", "some.ko"),
    ("verify", "--tree", "--detached", "own.der"),
    ("check", "--trust", "cut.der", "some.ko"),
]


@pytest.mark.parametrize("words", REFUSALS, ids=" ".join)
def test_refusals(lkm: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    place = own_sample.parent / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    signer = Signer("own")
    Path("own.der").write_bytes(signer.der)
    Path("cut.der").write_bytes(signer.der[:100])
    Path("some.ko").write_bytes(b"some")
    before = sorted(os.listdir())  # noqa: PTH208  the working directory
    outcome = lkm("--root", str(own_sample), "--json", *words)
    answer = json.loads(outcome.out)
    check_schema(answer, "refusal")
    assert answer["schema"] == f"lkm.{words[0]}/1"
    assert outcome.status in {1, 2}
    assert answer["error"]["what"] in outcome.err
    assert sorted(os.listdir()) == before  # noqa: PTH208  as above
