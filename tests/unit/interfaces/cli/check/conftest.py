"""Asking ``lkm check`` about the sample tree's kernel."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.schema import check_schema

from lkm.actions.profile import profile_for, save
from lkm.actions.sample_tree import RELEASE
from lkm.actions.session import Session, Target

Lkm = Callable[..., Any]
Make = Callable[..., str]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a file and give its path."""

    def write_file(name: str, contents: bytes) -> str:
        path = tmp_path / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(contents)
        return str(path)

    return write_file


@pytest.fixture
def ask(lkm: Lkm, sample: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Check on the sample tree and give the only result of the JSON, and the exit status with it."""
    monkeypatch.setenv("LKM_ROOT", str(sample))

    def run(*words: str) -> dict[str, Any]:
        outcome = lkm("check", "--json", *words)
        answer = json.loads(outcome.out)
        check_schema(answer, "check")
        assert answer["release"] == RELEASE
        (result,) = answer["results"]
        assert outcome.status == (0 if result["loads"] else 1)
        return {**result, "ids": [cause["id"] for cause in result["causes"]]}

    return run


@pytest.fixture
def say(lkm: Lkm, sample: Path, monkeypatch: pytest.MonkeyPatch) -> Lkm:
    """Check on the sample tree, for people."""
    monkeypatch.setenv("LKM_ROOT", str(sample))
    return lambda *words: lkm("check", *words)


@pytest.fixture
def saved(sample: Path, tmp_path: Path) -> str:
    """The profile of the sample's kernel in a file, with what the tree's modules export."""
    session = Session(Target(root=str(sample)))
    fat = session.tree.module("fat")
    assert fat is not None
    profile = replace(profile_for(session), module_exports={"fat": fat.image.exports})
    path = str(tmp_path / "profile")
    save(profile, path)
    return path
