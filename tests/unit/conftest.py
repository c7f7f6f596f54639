"""What several unit tests share: the sample tree, and an environment that says nothing."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a sample tree, made once: for reading only."""
    from lkm.actions.sample_tree import make_sample_tree  # noqa: PLC0415  most tests need none

    root = tmp_path_factory.mktemp("sample") / "root"
    make_sample_tree(str(root))
    return root


@pytest.fixture
def own_sample(sample: Path, tmp_path: Path) -> Path:
    """A copy of the sample tree that a test may change."""
    return Path(shutil.copytree(sample, tmp_path / "root", symlinks=True))


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the person who runs the tests."""
    for name in ("LKM_ROOT", "LKM_RELEASE", "LKM_KERNEL"):
        monkeypatch.delenv(name, raising=False)
