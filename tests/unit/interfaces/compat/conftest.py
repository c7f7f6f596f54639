"""The front-ends on the sample tree and an emulated kernel."""

from pathlib import Path

import pytest
from tests.support.front_ends import Run, run_front_end

from lkm.actions.sample_tree import RELEASE


@pytest.fixture
def environment(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Choose the sample tree and a fresh kernel; give the kernel's directory."""
    kernel = tmp_path / "kernel"
    monkeypatch.setenv("LKM_ROOT", str(sample))
    monkeypatch.setenv("LKM_RELEASE", RELEASE)
    monkeypatch.setenv("LKM_KERNEL", f"emulated:{kernel}")
    for name in ("KMOD_LOG", "MODPROBE_OPTIONS", "POSIXLY_CORRECT"):
        monkeypatch.delenv(name, raising=False)
    return kernel


@pytest.fixture
def run(environment: Path) -> Run:
    """A front-end, to be called with its name and its arguments."""
    return run_front_end
