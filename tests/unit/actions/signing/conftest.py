"""A key, a session, and modules to sign."""

from pathlib import Path

import pytest
from tests.support.key_pair import KeyPair, make_key_pair

from lkm.actions.session import Session, Target


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """One's own key: RSA, whose signatures of the same contents are the same."""
    return make_key_pair(tmp_path_factory.mktemp("own"), "Own key")


@pytest.fixture(scope="session")
def other_pair(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """Somebody else's key."""
    return make_key_pair(tmp_path_factory.mktemp("other"), "Other key", "p256")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A root that says nothing of any kernel, whatever the machine is."""
    root = tmp_path / "no-system"
    root.mkdir()
    return Session(Target(root=str(root), kernel="emulated"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty directory."""
    directory = tmp_path / "place"
    directory.mkdir()
    return directory
