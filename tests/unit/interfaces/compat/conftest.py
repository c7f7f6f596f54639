"""The front-ends on a small tree and an emulated kernel."""

from pathlib import Path

import pytest
from tests.support.front_ends import Run, run_front_end

from lkm.actions.sample_tree import RELEASE, make_sample_tree


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample")
    make_sample_tree(str(root))
    return root


@pytest.fixture
def environment(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Choose the sample tree and a fresh kernel; give the kernel's directory."""
    kernel = tmp_path / "kernel"
    monkeypatch.setenv("LKM_ROOT", str(sample))
    monkeypatch.setenv("LKM_RELEASE", RELEASE)
    monkeypatch.setenv("LKM_KERNEL", f"emulated:{kernel}")
    for name in ("MODPROBE_OPTIONS", "POSIXLY_CORRECT"):
        monkeypatch.delenv(name, raising=False)
    return kernel


@pytest.fixture
def run(environment: Path) -> Run:
    return run_front_end
