"""The table itself: references that can be followed, commands that exist, templates that match."""

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.interfaces.cli import verbs
from lkm.interfaces.cli.parsers import verb_parser
from lkm.rules.causes.rule import CauseRule
from lkm.rules.causes.table import LOADING, PASTED, UNLOADING
from lkm.rules.causes.templates import anchor, match
from lkm.rules.causes.words import filled, named, usual

RULES = tuple(dict.fromkeys((*LOADING, *UNLOADING, *PASTED)))
SYSTEM_TOOLS = frozenset(
    {
        "apt",
        "cat",
        "df",
        "dkms",
        "dmesg",
        "dnf",
        "dracut",
        "file",
        "find",
        "free",
        "fuser",
        "gcc",
        "grep",
        "ip",
        "journalctl",
        "keyctl",
        "ls",
        "lsinitramfs",
        "lspci",
        "make",
        "modinfo",
        "modprobe",
        "mokutil",
        "mount",
        "openssl",
        "readelf",
        "reboot",
        "strip",
        "sudo",
        "sysctl",
        "systemctl",
        "systemd-detect-virt",
        "tail",
        "uname",
        "update-initramfs",
    }
)
PLACE = re.compile(r"\{(\w+)\*?\}")
IDS = [f"{number}-{rule.id}" for number, rule in enumerate(RULES)]


def _commands(rule: CauseRule) -> list[list[str]]:
    words = {**dict.fromkeys(_places(rule), "word"), **usual("6.1.0"), **named("mod", "/a/mod.ko"), "more": ""}
    cause = filled(rule, words)
    return [shlex.split(part) for command in cause.remedy for part in re.split(r" \| |; ", command)]


def _places(rule: CauseRule) -> set[str]:
    return {name for template in rule.lines for name in PLACE.findall(template)} | {"exporter", "processor"}


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_a_reference_names_a_file_or_a_manual(rule: CauseRule) -> None:
    assert re.match(r"[\w/.-]+\.(c|h|S|rst)\b|scripts/Makefile\.\w+|man [1-8] \w+", rule.reference)


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_a_sentence_is_a_plain_one(rule: CauseRule) -> None:
    assert len(rule.summary) < 320
    assert not rule.summary.endswith(".")
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    always = {*usual(), *named("m", "f"), "more", "exporter", "processor"}
    for template in (*rule.lines, "") if rule.stages or not rule.lines else rule.lines:
        for text in (rule.summary, *rule.remedy):
            assert set(PLACE.findall(text)) <= always | set(PLACE.findall(template))


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_evidence_is_of_one_kind_at_least(rule: CauseRule) -> None:
    assert rule.lines or rule.stages or rule.errnos
    assert rule.lines or not rule.harmless
    for template in rule.lines:
        assert len(anchor(template)) > 5  # else any text would show it
    for template in (*rule.lines, "") if rule.stages or not rule.lines else rule.lines:
        known = {"phase", *PLACE.findall(template)} if template else set()
        assert {name for fact in rule.facts for name in PLACE.findall(fact)} <= known


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_remedies_call_what_exists(rule: CauseRule) -> None:
    for command in _commands(rule):
        tool, *arguments = command[1:] if command[0] == "sudo" else command
        if tool == "lkm":
            _accepted(arguments)
        else:
            assert tool in SYSTEM_TOOLS, command


def _accepted(arguments: list[str]) -> None:
    """Hold a command of lkm against the arguments that its verb declares."""
    verb, *rest = arguments
    assert verb in {name for names in verbs.verbs_by_group().values() for name in names}
    verb_parser(verb).parse_args(rest)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.lines], ids=lambda rule: rule.id)
def test_a_template_matches_what_it_stands_for(rule: CauseRule) -> None:
    for template in rule.lines:
        line = PLACE.sub(r"\1", template)
        found = match(template, f"[  12.345678] {line}")
        assert found is not None
        assert all(text.startswith(name) or not text for name, text in found.items())
        assert anchor(template) in line


@pytest.mark.parametrize(
    ("template", "line", "found"),
    [
        ("{a}: is {b}", "x y: is z w", {"a": "y", "b": "z"}),
        ("{a}: is {b}", ": is z", None),
        ("{a}: is {b}", "x : is z", None),
        ("{a}: is {b}", "x: is ", None),
        ("is '{a*}' {b}", "it is '' c", {"a": "", "b": "c"}),
        ("is {a} or {b}", "is a b or c", None),
        ("is {a} or {a}", "is b or c", None),
        ("is {a} or {a}", "is b or b", {"a": "b"}),
        ("as {a*}", "as it is ", {"a": "it is "}),
        ("none", "one", None),
    ],
)
def test_matching(template: str, line: str, found: dict[str, str] | None) -> None:
    assert match(template, line) == found


@given(st.text(max_size=60), st.sampled_from([template for rule in RULES for template in rule.lines]))
def test_matching_any_line(line: str, template: str) -> None:
    found = match(template, line)
    assert found is None or set(found) == {*PLACE.findall(template)}
