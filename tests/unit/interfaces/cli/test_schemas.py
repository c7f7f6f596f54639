"""What every verb prints for programs is as its schema says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.schema import check_schema

from lkm.interfaces.cli.verbs import verbs_by_group

Lkm = Callable[..., Any]

_SCHEMAS = Path(__file__).parents[3] / "schemas"
_VERBS = [verb for group in verbs_by_group().values() for verb in group]


@pytest.mark.parametrize("verb", _VERBS)
def test_every_verb_has_a_schema_or_one_for_each_of_its_actions(verb: str) -> None:
    found = [path for path in _SCHEMAS.glob("*.json") if path.stem == verb or path.stem.startswith(f"{verb}-")]
    assert found
    for path in found:
        schema = json.loads(path.read_text(encoding="utf-8"))
        assert schema["properties"]["schema"]["enum"] == [f"lkm.{verb}/1"]
        assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        (("list",), "list"),
        (("list", "--tainting"), "list"),
        (("show", "vfat", "dummy", "unix"), "show"),
        (("show", "--parameters", "dummy"), "show"),
        (("deps", "vfat"), "deps"),
        (("deps", "--reverse", "fat"), "deps"),
        (("load", "vfat"), "load"),
        (("load", "--dry-run", "vfat"), "load"),
        (("load", "pcspkr"), "load"),
        (("unload", "dummy"), "unload"),
        (("unload", "--dry-run", "dummy"), "unload"),
        (("unload", "vfat"), "unload"),
        (("block", "--check", "vfat"), "block-check"),
        (("block", "--dry-run", "vfat"), "block"),
        (("unblock", "--dry-run", "vfat"), "unblock"),
        (("blocked",), "blocked"),
        (("allow-only", "--dry-run"), "allow-only"),
        (("allow-only", "--end", "--dry-run"), "allow-only"),
        (("boot", "list"), "boot-list"),
        (("boot", "add", "--dry-run", "vfat"), "boot-add"),
        (("boot", "remove", "--dry-run", "vfat"), "boot-remove"),
        (("param", "list", "dummy"), "param-show"),
        (("param", "get", "dummy", "numdummies"), "param-show"),
        (("param", "set", "--dry-run", "--persist", "dummy", "numdummies=3"), "param-set"),
        (("param", "unset", "--dry-run", "dummy"), "param-unset"),
        (("undo", "--list"), "undo-list"),
        (("undo",), "undo"),
        (("status",), "status"),
        (("taint",), "taint"),
        (("taint", "4097", "--reason"), "taint"),
        (("explain", "vfat"), "explain"),
        (("diagnose", "-e", "Exec format error"), "diagnose"),
        (("help",), "help"),
        (("help", "taint"), "help"),
        (("completion", "fish"), "completion"),
        (("links", "LINKS"), "links"),
    ],
    ids=" ".join,
)
def test_the_answer_is_as_the_schema_says(on_sample: Lkm, tmp_path: Path, words: tuple[str, ...], schema: str) -> None:
    assert on_sample("load", "dummy").status == 0
    words = tuple(str(tmp_path / "links") if word == "LINKS" else word for word in words)
    answer = json.loads(on_sample(*words, "--json").out)
    check_schema(answer, schema)
    assert len(answer) > 1


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        (("show", "nobody"), "show"),
        (("deps", "nobody"), "deps"),
        (("load", "nobody"), "load"),
        (("load",), "load"),
        (("list", "--frob"), "list"),
        (("links", "/dev/null/x"), "links"),
        (("block", "--check", "nobody"), "block-check"),
        (("unblock", "a b"), "unblock"),
        (("boot", "add", "nobody"), "boot-add"),
        (("param", "get", "dummy", "nothing"), "param-show"),
        (("undo", "77"), "undo"),
        (("taint", "0x"), "taint"),
        (("diagnose", "/nowhere"), "diagnose"),
        (("help", "nothing"), "help"),
        (("completion", "csh"), "completion"),
    ],
    ids=" ".join,
)
def test_an_error_is_as_the_schema_says(on_sample: Lkm, words: tuple[str, ...], schema: str) -> None:
    outcome = on_sample(*words, "--json")
    assert outcome.status in {1, 2}
    answer = json.loads(outcome.out)
    check_schema(answer, schema)
    assert answer["error"]["what"]
