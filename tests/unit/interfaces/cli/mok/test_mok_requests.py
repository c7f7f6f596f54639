"""mok enrol and mok revoke, with a made-up mokutil."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.efi_files import REQUESTED, lists_of, write_variable
from tests.support.mok import copied_variables, write_certificate
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


# --- requests ---------------------------------------------------------------------------------------------------------


def _descriptor(text: str) -> str:
    """Give the number of a descriptor that a text can be read from."""
    reader, writer = os.pipe()
    os.write(writer, text.encode())
    os.close(writer)
    return str(reader)


def _leaving(here: Path, directory: str, name: str, certificate: bytes) -> str:
    """Write the script of a mokutil that leaves a request."""
    path = write_variable(here / "ready", name, lists_of([certificate]), REQUESTED)
    return f'cp "{path}" "{directory}/efivars/"'


def test_a_dry_run_runs_nothing_and_says_all(
    lkm: Lkm, here: Path, mokutil: Callable[[str], Path], variables: Variables
) -> None:
    place = mokutil("exit 9")
    directory = variables()
    outcome = lkm("mok", "enrol", "mine.pem", "--dry-run", "--efivars", directory)
    assert outcome.status == 0
    assert not (place / "arguments").exists()
    run = f"EFIVARFS_PATH={directory}/efivars/ mokutil --import mine.der"  # pasted, it must not go to the firmware
    assert f"would convert mine.pem to DER\nwould run: {run}\n" in outcome.out
    for screen in ("Press any key to perform MOK management", "[Enroll MOK]", "Enroll the key(s)?", "Password:"):
        assert screen in outcome.out
    assert "lkm mok test mine.pem" in outcome.out


@pytest.mark.parametrize("spelling", ["enrol", "enroll"])
def test_enrolment(lkm: Lkm, here: Path, mokutil: Callable[[str], Path], spelling: str, variables: Variables) -> None:
    directory = variables()
    der = Signer("mine.pem")
    write_certificate(here, "mine.pem", signer=der)
    place = mokutil(_leaving(here, directory, "MokNew", der.der))
    words = (spelling, "mine.pem", "--efivars", directory, "--password-fd", _descriptor(f"{_PASSWORD}\nmore"))
    status, answer = _json(lkm, "mok-request", *words)
    assert (status, answer["action"], answer["done"]) == (0, "enrol", True)
    assert len(answer["steps"]) == 7
    assert (place / "input").read_text() == f"{_PASSWORD}\n{_PASSWORD}\n"
    option, file = (place / "arguments").read_text().split("\n")[:2]
    assert (option, Path(file).name) == ("--import", "mine.der")
    for secret in ("arguments", "environment"):
        assert _PASSWORD not in (place / secret).read_text()


def test_the_hash_of_a_password(
    lkm: Lkm, here: Path, mokutil: Callable[[str], Path], variables: Variables, enrolled: Signer
) -> None:
    directory = variables()
    place = mokutil(_leaving(here, directory, "MokDel", enrolled.der))
    (here / "hash").write_text("$6$salt$hash")
    outcome = lkm("mok", "revoke", "enrolled.der", "--efivars", directory, "--hash-file", "hash")
    assert outcome.status == 0
    assert "Delete the key(s)?" in outcome.out
    given = (place / "arguments").read_text().split("\n")
    assert given[:3] == ["--hash-file", str(here / "hash"), "--delete"]
    assert (place / "input").read_text() == ""


def test_a_request_can_be_taken_back(
    lkm: Lkm, here: Path, mokutil: Callable[[str], Path], variables: Variables
) -> None:
    mine = (here / "mine.der").read_bytes()
    directory = variables(mok_new=[mine])
    mokutil(f'rm "{directory}"/efivars/MokNew-* "{directory}"/efivars/MokAuth-*')
    outcome = lkm("mok", "revoke", "mine.der", "--efivars", directory)
    assert outcome.status == 0
    assert outcome.out.endswith("mokutil has taken it back\n")
    assert lkm("mok", "revoke", "mine.der", "--efivars", directory).status == 1


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo SKIP: nothing done", "mokutil left no request: SKIP: nothing done"),
        ("echo no room >&2; exit 255", "mokutil failed (status 255): no room"),
        ("exit 1", "mokutil failed (status 1): it said nothing"),
    ],
)
def test_a_mokutil_that_does_not_do_it(
    lkm: Lkm, here: Path, mokutil: Callable[[str], Path], script: str, told: str, variables: Variables
) -> None:
    mokutil(script)
    words = ("mine.der", "--efivars", variables(), "--password-fd", _descriptor(_PASSWORD))
    outcome = lkm("mok", "enrol", *words)
    assert outcome.status == 1
    assert told in outcome.err


def test_what_needs_no_request(lkm: Lkm, here: Path, variables: Variables) -> None:
    mine = (here / "mine.der").read_bytes()
    directory = variables(db=[mine])
    for name, words in (("enrolled.der", "is enrolled as"), ("mine.der", "firmware's own keys")):
        status, answer = _json(lkm, "mok-request", "enrol", name, "--efivars", directory)
        assert (status, answer["needed"], answer["done"], answer["command"]) == (0, False, False, [])
        assert words in answer["text"]


def test_what_waits_already_is_told_again(lkm: Lkm, here: Path, variables: Variables) -> None:
    mine = (here / "mine.der").read_bytes()
    outcome = lkm("mok", "enrol", "mine.der", "--efivars", variables(mok_new=[mine]))
    assert outcome.status == 0
    assert outcome.out.startswith("mine.der waits to be enrolled at the next start (MokNew): there is nothing to ask")
    assert "Press any key to perform MOK management" in outcome.out
    assert "would run" not in outcome.out


def test_what_is_refused(lkm: Lkm, here: Path, variables: Variables) -> None:
    mine = (here / "mine.der").read_bytes()
    denied = variables(mok_denied=[mine])
    outcome = lkm("mok", "enrol", "mine.der", "--efivars", denied)
    assert (outcome.status, "is denied by the machine's owner" in outcome.err) == (1, True)
    assert "it is not enrolled" in lkm("mok", "revoke", "mine.der", "--efivars", denied).err
    assert lkm("mok", "enrol", "mine.der", "--root", str(here)).status == 2


def test_passwords_that_mokmanager_can_not_take(
    lkm: Lkm, here: Path, mokutil: Callable[[str], Path], variables: Variables
) -> None:
    place = mokutil("exit 0")
    directory = variables()
    for password in ("\n", "x" * 257, "schlüssel", "a\tb"):
        words = ("mine.der", "--efivars", directory, "--password-fd", _descriptor(password))
        assert lkm("mok", "enrol", *words).status == 2
    for number in ("999", "-1", "99999999999999999999"):
        assert lkm("mok", "enrol", "mine.der", "--efivars", directory, "--password-fd", number).status == 2
    assert not (place / "arguments").exists()


def test_without_mokutil(lkm: Lkm, here: Path, monkeypatch: pytest.MonkeyPatch, variables: Variables) -> None:
    monkeypatch.setenv("PATH", str(here))
    monkeypatch.setattr("lkm.actions.mok.requests._PATH", str(here))
    outcome = lkm("mok", "enrol", "mine.der", "--efivars", variables(), "--password-fd", "0")
    assert outcome.status == 1
    assert "apt install mokutil" in outcome.err


def test_without_privilege(
    lkm: Lkm, here: Path, mokutil: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, variables: Variables
) -> None:
    place = mokutil("exit 0")
    firmware = Path(variables())
    monkeypatch.setattr("lkm.system.firmware.EFIVARS", f"{firmware}/efivars")
    monkeypatch.setattr("lkm.system.firmware.MOK_VARIABLES", f"{firmware}/mok-variables")
    monkeypatch.setattr("lkm.system.firmware._EFI", str(firmware))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    outcome = lkm("mok", "enrol", "mine.der")
    assert outcome.status == 1
    assert "this would have run: mokutil --import" in outcome.err
    assert "hint: sudo lkm mok enrol mine.der" in outcome.err
    assert not (place / "arguments").exists()


def test_without_shim(lkm: Lkm, here: Path, variables: Variables) -> None:
    directory = copied_variables(here / "root", has_table=False)
    outcome = lkm("mok", "enrol", "mine.der", "--dry-run", "--efivars", str(directory))
    assert (outcome.status, "nothing shows that shim" in outcome.err) == (1, True)
    assert lkm("mok", "enrol", "mine.der", "--dry-run", "--force", "--efivars", str(directory)).status == 0


def test_without_efi(lkm: Lkm, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lkm.system.firmware._EFI", str(here / "nowhere"))
    outcome = lkm("mok", "enrol", "mine.der")
    assert outcome.status == 1
    assert "not started by UEFI firmware" in outcome.err
    assert lkm("mok", "status").status == 0


def test_wrong_calls(lkm: Lkm, here: Path) -> None:
    for words in ((), ("frob",), ("test",), ("enrol",), ("enrol", "a", "--password-fd", "x"), ("enrol", "a", "b")):
        assert lkm("mok", *words).status == 2


def test_the_password_is_asked_for_on_a_terminal(
    lkm: Lkm, here: Path, mokutil: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, variables: Variables
) -> None:
    directory = variables()
    mine = (here / "mine.der").read_bytes()
    place = mokutil(_leaving(here, directory, "MokNew", mine))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("os.access", lambda *_: True)
    answers = [_PASSWORD, "another", _PASSWORD, _PASSWORD]
    monkeypatch.setattr("getpass.getpass", lambda _: answers.pop(0))
    outcome = lkm("mok", "enrol", "mine.der", "--efivars", directory)
    assert (outcome.status, "the two passwords differ" in outcome.err) == (2, True)
    assert not (place / "arguments").exists()
    status, answer = _json(lkm, "mok-request", "enrol", "mine.der", "--efivars", directory)
    assert (status, answer["done"]) == (0, True)
    assert (place / "input").read_text() == f"{_PASSWORD}\n{_PASSWORD}\n"


def test_the_end_of_input_in_place_of_a_password(
    lkm: Lkm, here: Path, mokutil: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, variables: Variables
) -> None:
    def end(_: str) -> str:
        raise EOFError

    place = mokutil("exit 0")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("os.access", lambda *_: True)
    monkeypatch.setattr("getpass.getpass", end)
    outcome = lkm("mok", "enrol", "mine.der", "--efivars", variables())
    assert (outcome.status, "lkm: no password was given, so nothing was asked for\n" in outcome.err) == (2, True)
    assert not (place / "arguments").exists()


def test_without_a_terminal(
    lkm: Lkm, here: Path, mokutil: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, variables: Variables
) -> None:
    mokutil("exit 0")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    outcome = lkm("mok", "enrol", "mine.der", "--efivars", variables())
    assert (outcome.status, "--password-fd N" in outcome.err) == (2, True)
