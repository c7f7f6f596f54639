"""Running the command in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lkm.interfaces.cli.main import main


@dataclass(frozen=True)
class Outcome:
    """What a run of the command gave."""

    status: int
    out: str
    err: str


Lkm = Callable[..., Outcome]


@pytest.fixture
def lkm(capsys: pytest.CaptureFixture[str], no_settings: None) -> Lkm:
    """Run ``lkm`` with some words."""

    def run(*words: str) -> Outcome:
        capsys.readouterr()
        status = main(words)
        printed = capsys.readouterr()
        return Outcome(status, printed.out, printed.err)

    return run


@pytest.fixture
def on_sample(lkm: Lkm, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lkm:
    """Run ``lkm`` on the sample tree with an emulated kernel of its own."""
    monkeypatch.setenv("LKM_ROOT", str(sample))
    monkeypatch.setenv("LKM_KERNEL", f"emulated:{tmp_path}/kernel")
    return lkm


@pytest.fixture
def with_lines(on_sample: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Lkm]:
    """Run ``lkm`` on a copy of the sample tree with more of modprobe.d."""

    def configured(text: str) -> Lkm:
        (own_sample / "etc/modprobe.d/more.conf").write_text(text)
        monkeypatch.setenv("LKM_ROOT", str(own_sample))
        return on_sample

    return configured
