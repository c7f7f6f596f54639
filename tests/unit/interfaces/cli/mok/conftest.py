"""A directory with certificates, and copied variables of a firmware."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.mok import copied_variables, fake_mokutil, write_certificate
from tests.support.signing import Signer


@pytest.fixture(scope="session")
def enrolled() -> Signer:
    """A key that is enrolled."""
    return Signer("enrolled")


@pytest.fixture
def here(tmp_path: Path, enrolled: Signer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a certificate that nobody knows, and one that is enrolled."""
    monkeypatch.chdir(tmp_path)
    write_certificate(tmp_path, "mine.der")
    write_certificate(tmp_path, "mine.pem")
    write_certificate(tmp_path, "enrolled.der", signer=enrolled)
    return tmp_path


@pytest.fixture
def variables(here: Path, enrolled: Signer) -> Callable[..., str]:
    """Make variables with one enrolled key, and with what a test adds."""

    def make(**lists: object) -> str:
        given = {"mok": [enrolled.der], **lists}
        return os.fspath(copied_variables(here / "root", **given))

    return make


@pytest.fixture
def mokutil(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Have a mokutil on the PATH that does as a script says."""

    def make(script: str) -> Path:
        place = fake_mokutil(here / "bin", script)
        monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
        return place

    return make
