"""Requests that the real mokutil leaves in copied EFI variables, and what it says of them."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.mok import copied_variables, write_certificate
from tests.support.require import require_tool
from tests.support.signing import Signer

from lkm.actions.mok.places import Place, firmware_of, look_up
from lkm.actions.mok.requests import MokRequest, carry_out, plan_request
from lkm.actions.session import Session, Target
from lkm.rules.signatures.mok_manager import RequestKind

pytestmark = pytest.mark.peer

_ENROLLED = Signer("enrolled", use_rsa=True)
_MINE = Signer("mine", use_rsa=True)


@pytest.fixture
def variables(tmp_path: Path) -> str:
    """Variables with one enrolled key, and both certificates beside them."""
    require_tool("mokutil")
    write_certificate(tmp_path, "enrolled.der", signer=_ENROLLED)
    write_certificate(tmp_path, "mine.pem", signer=_MINE)
    return os.fspath(copied_variables(tmp_path / "root", mok=[_ENROLLED.der], has_table=False))


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(Target()) as opened:
        yield opened


def _mokutil(variables: str, *words: str, told: str = "") -> str:
    environment = {**os.environ, "EFIVARFS_PATH": f"{variables}/efivars/"}
    done = subprocess.run(
        [require_tool("mokutil"), *words], env=environment, input=told, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture
def ask(session: Session, variables: str, tmp_path: Path) -> Callable[[RequestKind, str], MokRequest]:
    def request(kind: RequestKind, name: str) -> MokRequest:
        planned = plan_request(session, kind, str(tmp_path / name), efivars=variables)
        carry_out(session, planned, lambda: "one-time")
        return planned

    return request


def _places(session: Session, variables: str, planned: MokRequest) -> tuple[Place, ...]:
    return look_up(planned.test.certificate, firmware_of(session, variables), None).places


def test_enrolment_and_back(session: Session, variables: str, ask: Callable[[RequestKind, str], MokRequest]) -> None:
    planned = ask(RequestKind.ENROL, "mine.pem")
    assert _places(session, variables, planned) == (Place.PENDING,)
    listed = _mokutil(variables, "--list-new")
    assert "CN=mine" in listed.replace(" ", "")
    assert planned.test.certificate.sha1.replace(" ", ":") in listed.lower()  # as MokManager shows it
    assert list(Path(variables, "efivars").glob("MokAuth-*"))
    assert ask(RequestKind.REVOKE, "mine.pem").cancels
    assert _places(session, variables, planned) == ()
    assert "CN=mine" not in _mokutil(variables, "--list-new").replace(" ", "")


def test_deletion_and_back(session: Session, variables: str, ask: Callable[[RequestKind, str], MokRequest]) -> None:
    planned = ask(RequestKind.REVOKE, "enrolled.der")
    assert _places(session, variables, planned) == (Place.ENROLLED, Place.DELETING)
    assert "CN=enrolled" in _mokutil(variables, "--list-delete").replace(" ", "")
    assert ask(RequestKind.ENROL, "enrolled.der").cancels
    assert _places(session, variables, planned) == (Place.ENROLLED,)


def test_the_hash_of_a_password(session: Session, variables: str, tmp_path: Path) -> None:
    said = _mokutil(variables, "--generate-hash", told="one-time\none-time\n")
    (tmp_path / "hash").write_text(said.split("\n")[-2])
    planned = plan_request(
        session,
        RequestKind.ENROL,
        str(tmp_path / "mine.pem"),
        efivars=variables,
        hash_file=str(tmp_path / "hash"),
    )
    carry_out(session, planned, lambda: pytest.fail("nobody needs to be asked"))
    assert _places(session, variables, planned) == (Place.PENDING,)


def test_both_say_the_same_of_secure_boot_and_of_keys(session: Session, variables: str, tmp_path: Path) -> None:
    assert "SecureBoot enabled" in _mokutil(variables, "--sb-state")
    assert firmware_of(session, variables).enforces
    assert "is already enrolled" in _mokutil(variables, "--test-key", str(tmp_path / "enrolled.der"))
