"""Trying a module on a kernel, as a program asks for it; booting is tested with the kernels."""

from pathlib import Path
from typing import Any

import pytest

import lkm
from lkm.actions.trying import trying
from lkm.kernels.vm.images import Image


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Take what a trial was asked for, in place of booting."""
    found: list[tuple[Any, ...]] = []

    def note(*words: object, **options: object) -> trying.Trial:
        found.append((*words, options))
        nothing = trying.Observation()
        return trying.Trial("", nothing, nothing, ())

    monkeypatch.setattr(trying, "try_on", note)
    return found


def test_the_newest_kernel_or_the_one_that_is_named(own_sample: Path, asked: list[tuple[Any, ...]]) -> None:
    image = own_sample / "boot/vmlinuz-6.1.0-sample"
    image.touch()
    for kernel in (None, "6.1.0-sample"):
        trial = lkm.try_on(kernel, "dummy", {"numdummies": 2, "label": "a b"}, root=str(own_sample), owners=(b"der",))
        assert trial.observed.loads
    wanted = Image("6.1.0-sample", image, own_sample / "usr/lib/modules/6.1.0-sample")
    options = {"cmdline": "", "memory": 512, "owners": (b"der",)}
    assert asked[0][1:] == (str(own_sample), "dummy", 'numdummies=2 label="a b"', options)
    assert (asked[0][0].release, asked[0][0].kernel) == (wanted.release, wanted.kernel)
    assert asked[0] == asked[1]


def test_kernels_that_are_not_there(sample: Path, asked: list[tuple[Any, ...]]) -> None:
    for kernel in (None, "9.9.9"):
        with pytest.raises(lkm.MachineError):
            lkm.try_on(kernel, "dummy", root=str(sample))
    assert asked == []
