"""``lkm help``: topics, verbs, front-ends, and what is none of these; ``lkm completion``."""

import argparse
import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.schema import check_schema

from lkm.interfaces.cli import verbs
from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.cli.parsers import module_of_verb, verb_parser
from lkm.interfaces.paragraphs import folded, pieces
from lkm.interfaces.topics import TOPICS

Lkm = Callable[..., Any]


def test_the_list_has_everything(lkm: Lkm) -> None:
    outcome = lkm("help")
    assert (outcome.status, outcome.err) == (0, "")
    for word in (*verbs._VERBS, *FRONT_ENDS, *TOPICS):
        assert word in outcome.out
    answer = json.loads(lkm("help", "--json").out)
    check_schema(answer, "help")
    assert list(answer["topics"]) == list(TOPICS)


@pytest.mark.parametrize("name", [*TOPICS, "load", "modprobe", "lsmod", "kmod"])
def test_each_has_a_text(lkm: Lkm, name: str) -> None:
    outcome = lkm("help", name)
    assert (outcome.status, outcome.err) == (0, "")
    assert name in outcome.out
    answer = json.loads(lkm("help", name, "--json").out)
    check_schema(answer, "help")
    assert answer["text"] + "\n" == outcome.out


def test_a_verbs_help_is_its_own(lkm: Lkm) -> None:
    assert lkm("help", "load").out == lkm("load", "--help").out


@pytest.mark.parametrize(
    ("name", "meant"), [("signin", "signing"), ("lod", "load"), ("insmodd", "insmod"), ("xyzzy", "the topics are")]
)
def test_what_there_is_no_help_for(lkm: Lkm, name: str, meant: str) -> None:
    outcome = lkm("help", name)
    assert (outcome.status, outcome.out) == (2, "")
    assert meant in outcome.err
    check_schema(json.loads(lkm("help", name, "--json").out), "help")


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_names_verbs_that_are_there_and_is_short(name: str) -> None:
    known = {verb for group in verbs._GROUPS.values() for verb in group}
    topic = TOPICS[name]
    assert set(topic.verbs) <= known
    assert len(topic.text.splitlines()) < 45
    assert set(re.findall(r"lkm help (\w+)", topic.text)) <= set(TOPICS)


@pytest.mark.parametrize("name", TOPICS)
def test_the_commands_of_a_topic_are_such(name: str) -> None:
    shown = [line for is_command, piece in pieces(TOPICS[name].text) if is_command for line in piece.splitlines()]
    assert shown
    for line in shown:
        words = shlex.split(line.split("|")[-1])
        words = words[1:] if words[0] == "sudo" else words
        if words[:2] == ["lkm", "help"] or words[0] != "lkm":
            continue
        assert words[1] in verbs._VERBS, line
        module = module_of_verb(words[1])
        parse = getattr(module, "parse", argparse.ArgumentParser.parse_args)
        parse(verb_parser(words[1]), words[2:], argparse.Namespace())


def test_paragraphs_are_folded_and_commands_are_not() -> None:
    text = "One two\nthree four.\n\n    a command that is as long as it is\n"
    assert folded(text, 12) == "One two\nthree four.\n\n    a command that is as long as it is"
    assert folded(text, None).startswith("One two three four.\n\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(lkm: Lkm, shell: str) -> None:
    outcome = lkm("completion", shell)
    assert (outcome.status, outcome.err) == (0, "")
    assert "eval" not in outcome.out
    answer = json.loads(lkm("completion", shell, "--json").out)
    check_schema(answer, "completion")
    assert answer["script"] == outcome.out
    assert lkm("completion", "tcsh").status == 2


@pytest.mark.parametrize("verb", list(verbs._VERBS))
def test_each_verb_takes_color(verb: str) -> None:
    assert "--color" in verb_parser(verb).format_help()


def test_color_is_for_tables_too(on_sample: Lkm) -> None:
    on_sample("load", "fat")
    assert "\x1b" not in on_sample("list").out
    assert on_sample("list", "--color", "always").out.startswith("\x1b[1mMODULE")
    assert on_sample("--color=always", "taint", "PO").out.startswith("\x1b[1m4097 is PO\x1b[0m\n")
    assert on_sample("list", "--color", "maybe").status == 2
