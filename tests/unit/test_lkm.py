"""The package itself: what it offers, and that it costs nothing before it is used."""

import subprocess
import sys

import pytest

import lkm
from lkm import errors


def test_every_name_is_there() -> None:
    assert lkm.__all__ == sorted(lkm.__all__, key=lambda name: (name.startswith("_") or name[0].islower(), name))
    for name in lkm.__all__:
        assert getattr(lkm, name) is not None
    assert set(lkm.__all__) <= set(dir(lkm))


def test_every_error_is_there() -> None:
    for name in errors.__all__:
        assert getattr(lkm, name) is getattr(errors, name)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'System_'"):
        _ = lkm.System_  # type: ignore[attr-defined]  # that is what is tested
    with pytest.raises(AttributeError):
        _ = lkm.Systems  # type: ignore[attr-defined]  # as above


def test_importing_it_imports_nothing_else() -> None:
    script = "import sys, typing; before = set(sys.modules); import lkm; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "lkm\n"
