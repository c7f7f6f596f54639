"""mok status and mok test: what stands in the firmware, and where a certificate is."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.efi_files import REQUESTED, lists_of, write_variable
from tests.support.schema import check_schema
from tests.support.signing import Signer

Lkm = Callable[..., Any]
Variables = Callable[..., str]
_PASSWORD = "one-time"  # noqa: S105  of a test


def _json(lkm: Lkm, schema: str, *words: str) -> tuple[int, dict[str, Any]]:
    outcome = lkm("mok", *words, "--json")
    answer = json.loads(outcome.out)
    check_schema(answer, schema)
    return outcome.status, answer


# --- status -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lists", "state", "words"),
    [
        ({}, "on", "Secure Boot: on\n"),
        ({"validates": False}, "unvalidated", "shim's validation is off (MokSBState)"),
        ({"setup_mode": True}, "setup", "in setup mode"),
        ({"secure_boot": False}, "off", "off in the firmware"),
    ],
)
def test_secure_boot_with_the_reason(
    lkm: Lkm, here: Path, lists: dict[str, bool], state: str, words: str, variables: Variables
) -> None:
    directory = variables(**lists)
    assert words in lkm("mok", "status", "--efivars", directory).out
    assert _json(lkm, "mok-status", "status", "--efivars", directory)[1]["secure_boot"]["state"] == state


def test_what_is_enrolled_and_what_waits(lkm: Lkm, here: Path, variables: Variables) -> None:
    new = (here / "mine.der").read_bytes()
    directory = variables(mok_new=[new])
    out = lkm("mok", "status", "--efivars", directory).out
    assert "enrolled machine owner's keys:\n  CN=enrolled, EC P-256, until " in out
    assert "waits for the next start: enrol keys (MokNew)\n  CN=mine.der, " in out
    assert out.endswith("do on that machine: sudo reboot\n")
    status, answer = _json(lkm, "mok-status", "status", "--efivars", directory)
    assert (status, answer["counts"]["MokList"]) == (0, 1)
    assert [found["variable"] for found in answer["pending"]] == ["MokNew"]


def test_an_image_has_no_firmware(lkm: Lkm, here: Path) -> None:
    (here / "image").mkdir()
    status, answer = _json(lkm, "mok-status", "status", "--root", str(here / "image"))
    assert (status, answer["secure_boot"]["state"], answer["variables"]) == (0, "unknown", [])


def test_damaged_variables_are_told_of(lkm: Lkm, here: Path, variables: Variables) -> None:
    directory = variables()
    write_variable(Path(directory, "efivars"), "MokListRT", b"\xff" * 30)
    path = write_variable(Path(directory, "efivars"), "SecureBoot", b"\x01\x00")
    outcome = lkm("mok", "status", "--efivars", directory)
    assert f"  SecureBoot: can't be read ({path})\n" in outcome.out
    assert outcome.status == 0
    assert "problem: " in outcome.out
    assert "Secure Boot: unknown" in outcome.out


def test_nobody_is_told_that_a_key_is_not_enrolled_where_the_list_can_not_be_read(
    lkm: Lkm, here: Path, variables: Variables
) -> None:
    directory = variables(has_table=False)
    [path] = Path(directory, "efivars").glob("MokListRT-*")
    path.write_bytes(b"\x07")
    out = lkm("mok", "status", "--efivars", directory).out
    assert "which machine owner's keys are enrolled is not known\n" in out
    assert "no machine owner's key is enrolled" not in out
    outcome = lkm("mok", "test", "mine.der", "--efivars", directory)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("lkm: mine.der: whether it is enrolled is not known, as MokListRT can't be read\n")


def test_no_variables_at_all(lkm: Lkm, here: Path) -> None:
    for directory in ("nowhere", str(here), ""):
        assert lkm("mok", "status", "--efivars", directory).status == 2


# --- test -------------------------------------------------------------------------------------------------------------


def test_an_enrolled_certificate(lkm: Lkm, here: Path, variables: Variables, enrolled: Signer) -> None:
    outcome = lkm("mok", "test", "enrolled.der", "--efivars", variables())
    assert outcome.status == 0
    assert outcome.out.startswith("enrolled.der: is enrolled (CN=enrolled, EC P-256)\n")


def test_one_that_nobody_knows(lkm: Lkm, here: Path, variables: Variables) -> None:
    outcome = lkm("mok", "test", "mine.pem", "--efivars", variables())
    assert outcome.status == 1
    assert "mine.pem: is not enrolled" in outcome.out
    assert outcome.out.endswith("do on that machine: sudo lkm mok enrol mine.pem\n")
    (here / "mine.pem").rename(here / "mine too.pem")
    outcome = lkm("mok", "test", "mine too.pem", "--efivars", variables())
    assert outcome.out.endswith("do on that machine: sudo lkm mok enrol 'mine too.pem'\n")


@pytest.mark.parametrize(
    ("name", "place"), [("db", "db"), ("dbx", "dbx"), ("mok_denied", "denied"), ("mok_new", "pending")]
)
def test_where_else_it_may_be(lkm: Lkm, here: Path, name: str, place: str, variables: Variables) -> None:
    mine = (here / "mine.der").read_bytes()
    directory = variables(**{name: [mine]})
    status, answer = _json(lkm, "mok-test", "test", "mine.der", "--efivars", directory)
    assert (status, answer["places"], answer["enrolled"]) == (1, [place], False)


def test_a_request_to_delete_is_seen(lkm: Lkm, here: Path, variables: Variables, enrolled: Signer) -> None:
    directory = variables()
    write_variable(Path(directory, "efivars"), "MokDel", lists_of([enrolled.der]), REQUESTED)
    answer = _json(lkm, "mok-test", "test", "enrolled.der", "--efivars", directory)[1]
    assert answer["places"] == ["enrolled", "deleting"]


def test_what_is_no_certificate(lkm: Lkm, here: Path, variables: Variables) -> None:
    (here / "garbage").write_bytes(os.urandom(300))
    (here / "empty").write_bytes(b"")
    (here / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n")
    (here / "two.pem").write_bytes((here / "mine.pem").read_bytes() * 2)
    (here / "cut.der").write_bytes((here / "mine.der").read_bytes()[:-7])
    for name in ("garbage", "empty", "key.pem", "two.pem", "cut.der", "nowhere", ".", ""):
        outcome = lkm("mok", "test", name, "--efivars", variables())
        assert outcome.status == 2, name
        assert outcome.err.startswith("lkm: "), name
        assert "Traceback" not in outcome.err
    assert "a private key" in lkm("mok", "test", "key.pem").err
    assert "2 certificates" in lkm("mok", "test", "two.pem").err


def test_an_image_with_a_copy_of_the_firmware(lkm: Lkm, here: Path, variables: Variables) -> None:
    variables()
    answer = _json(lkm, "mok-test", "test", "enrolled.der", "--root", str(here / "root"))[1]
    assert (answer["enrolled"], answer["is_efi"]) == (True, True)
