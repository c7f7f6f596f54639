"""preflight: as text and as JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.next_kernel import NEXT_RELEASE, add_next_kernel
from tests.support.schema import check_schema

from lkm.actions.sample_tree import RELEASE

Lkm = Callable[..., Any]


@pytest.fixture
def on_two(lkm: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> Lkm:
    """Run on a root with two kernels, of which the first is in use; a module is wanted whose parameter is gone."""
    add_next_kernel(own_sample)
    (own_sample / "etc/modules-load.d").mkdir()
    (own_sample / "etc/modules-load.d/a.conf").write_text("dummy\nvfat\n")
    (own_sample / "etc/modprobe.d/quiet.conf").write_text("options dummy label=x\n")
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    monkeypatch.setenv("LKM_RELEASE", RELEASE)
    monkeypatch.setenv("LKM_KERNEL", "emulated")
    return lkm


def test_what_changes(on_two: Lkm, own_sample: Path) -> None:
    outcome = on_two("preflight", NEXT_RELEASE)
    assert (outcome.status, outcome.err) == (1, "")
    first, problem, *notes = outcome.out.splitlines()
    assert first == f"from {RELEASE} to {NEXT_RELEASE}: 2 modules in use or wanted, 1 problem"
    assert problem.startswith("problem  dummy")
    assert f"({own_sample}/etc/modprobe.d/quiet.conf:1)" in problem
    assert [note.split()[0] for note in notes] == ["note"]
    assert "nls" in notes[0]


def test_as_json(on_two: Lkm) -> None:
    outcome = on_two("preflight", "--json", NEXT_RELEASE)
    answer = json.loads(outcome.out)
    check_schema(answer, "preflight")
    assert (outcome.status, answer["current"], answer["release"]) == (1, RELEASE, NEXT_RELEASE)
    assert [wanted["module"] for wanted in answer["wanted"]] == ["dummy", "vfat"]
    assert [(finding["change"], finding["problem"]) for finding in answer["findings"]] == [
        ("parameter-gone", True),
        ("new-dependency", False),
    ]


def test_to_the_same_kernel_nothing_changes(on_two: Lkm) -> None:
    outcome = on_two("preflight", RELEASE)
    assert outcome.status == 0
    assert outcome.out == f"from {RELEASE} to {RELEASE}: 2 modules in use or wanted, no problem\n"


@pytest.mark.parametrize("release", ["9.9", "", "..", "a/b", "\x1b[31m", "x" * 5000])
def test_a_kernel_that_is_not_there(on_two: Lkm, release: str) -> None:
    outcome = on_two("preflight", "--json", release)
    answer = json.loads(outcome.out)
    check_schema(answer, "preflight")
    assert outcome.status == 2
    assert "\x1b" not in outcome.err
    assert "--release)" in outcome.err or "is no kernel release" in outcome.err
