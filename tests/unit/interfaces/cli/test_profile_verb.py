"""profile show and profile save: as text and as JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.made_up_kernel import KernelRecipe, bzimage, vmlinux
from tests.support.schema import check_schema

from lkm.formats.compression import Compression, compress

Lkm = Callable[..., Any]


def test_show(on_sample: Lkm, sample: Path) -> None:
    outcome = on_sample("profile", "show")
    assert (outcome.status, outcome.err) == (0, "")
    facts, _, sources = outcome.out.partition("\n\n")
    rows = [line.split(maxsplit=2) for line in facts.splitlines()]
    assert rows[0] == ["FROM", "FACT", "VALUE"]
    assert rows[1] == ["1", "release", "6.1.0-sample"]
    places = dict(line.split(maxsplit=1) for line in sources.splitlines()[1:])
    assert places["1"] == f"{sample}/lib/modules/6.1.0-sample"
    config = next(row for row in rows if row[1] == "config")
    assert places[config[0]] == f"{sample}/boot/config-6.1.0-sample"
    assert len(set(places.values())) == len(places)


def test_show_as_json(on_sample: Lkm, sample: Path) -> None:
    answer = json.loads(on_sample("profile", "show", "--json").out)
    check_schema(answer, "profile-show")
    facts = {fact["name"]: fact for fact in answer["facts"]}
    assert answer["release"] == facts["release"]["value"] == "6.1.0-sample"
    assert facts["config"]["source"] == f"{sample}/boot/config-6.1.0-sample"


def test_saved_and_shown_elsewhere(on_sample: Lkm, tmp_path: Path) -> None:
    shown = on_sample("profile", "show").out
    path = str(tmp_path / "kernel.profile")
    outcome = on_sample("profile", "save", path)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{path}: what is known of kernel 6.1.0-sample, ")
    assert on_sample("profile", "show", "--profile", path, "--root", str(tmp_path)).out == shown
    answer = json.loads(on_sample("profile", "save", "--json", path).out)
    check_schema(answer, "profile-save")
    assert answer == {
        "schema": "lkm.profile/1",
        "release": "6.1.0-sample",
        "file": path,
        "size": Path(path).stat().st_size,
    }


@pytest.mark.parametrize("place", [0, 1, 2])
def test_global_options_stand_anywhere(lkm: Lkm, sample: Path, place: int) -> None:
    words = ["profile", "show"]
    words[place:place] = ["--root", str(sample)]
    assert "6.1.0-sample" in lkm(*words).out


def test_of_an_image(on_sample: Lkm, tmp_path: Path) -> None:
    image = tmp_path / "vmlinuz"
    image.write_bytes(bzimage(compress(vmlinux(KernelRecipe()), Compression.GZIP)))
    out = on_sample("profile", "show", "--kernel-image", str(image)).out
    assert str(image) in out


def test_refusals(on_sample: Lkm, tmp_path: Path) -> None:
    missing = f"{tmp_path}/missing"
    outcome = on_sample("profile", "show", "--profile", missing)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == f"lkm: {missing}: no such file or directory\n"
    (tmp_path / "text").write_text("{}")
    outcome = on_sample("profile", "show", "--profile", f"{tmp_path}/text", "--json")
    assert outcome.status == 2
    assert json.loads(outcome.out)["error"]["hint"] == "save it anew: lkm profile save FILE"


@pytest.mark.parametrize("words", [["show", "--profile", ""], ["show", "--kernel-image", ""], ["save", ""]])
def test_an_empty_path_is_a_mistake(on_sample: Lkm, words: list[str]) -> None:
    outcome = on_sample("profile", *words)
    assert (outcome.status, outcome.out) == (2, "")
    assert "the path of the " in outcome.err
    assert " is empty" in outcome.err


def test_what_is_no_profile_is_told_without_jargon(on_sample: Lkm, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no JSON\n")
    outcome = on_sample("profile", "show", "--profile", f"{tmp_path}/text")
    assert outcome.err.splitlines()[0] == f"lkm: {tmp_path}/text: is no saved profile: it holds no JSON"


@pytest.mark.parametrize("words", [["profile"], ["profile", "save"], ["profile", "shout"], ["profile", "show", "x"]])
def test_wrong_usage(on_sample: Lkm, words: list[str]) -> None:
    outcome = on_sample(*words)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: lkm")
