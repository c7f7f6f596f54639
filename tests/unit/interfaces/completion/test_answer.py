"""What the shells are answered: verbs, options, values, and nothing that a shell could take for more than a word."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.interfaces.cli import verbs
from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.cli.main import main as command
from lkm.interfaces.cli.parsers import global_options, verb_parser
from lkm.interfaces.completion.answer import answer, main
from lkm.interfaces.completion.grammar import actions_of, groups_of, place_of, subparsers_of
from lkm.interfaces.completion.values import Kind

Completer = Callable[..., list[str]]


@pytest.fixture
def completed(sample: Path, monkeypatch: pytest.MonkeyPatch, no_settings: None) -> Completer:
    """Complete on the sample tree."""
    monkeypatch.setenv("LKM_ROOT", str(sample))

    def complete(*words: str) -> list[str]:
        return list(answer(words).words)

    return complete


def test_what_lkm_did_is_what_it_can_take_back(own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    assert not list(answer(("unblock", "")).words)
    assert not list(answer(("undo", "")).words)
    assert command(["block", "dummy"]) == 0
    assert command(["block", "vfat", "--until-reboot"]) == 0
    assert list(answer(("unblock", "")).words) == ["dummy", "vfat"]
    assert list(answer(("unblock", "v")).words) == ["vfat"]
    assert list(answer(("undo", "")).words) == ["2", "1"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("unl",), ["unload"]),
        (("modp",), ["modprobe"]),
        (("--root", "/", "unl"), ["unload"]),
        (("--root=/", "unl"), ["unload"]),
        (("--json", "unl"), ["unload"]),
        (("load", "vf"), ["vfat"]),
        (("load", "du"), ["dummy"]),
        (("load", "dummy", "num"), ["numdummies="]),
        (("load", "--first-t"), ["--first-time"]),
        (("load", "--", "--first-t"), []),
        (("list", "--col"), ["--color"]),
        (("list", "--color", "a"), ["auto", "always"]),
        (("list", "--color=a"), ["--color=auto", "--color=always"]),
        (("check", "--lockdown", ""), ["none", "integrity", "confidentiality"]),
        (("check", "--lockdown=i"), ["--lockdown=integrity"]),
        (("check", "--no-such=i"), []),
        (("check", "--raw=i"), []),
        (("profile", ""), ["show", "save"]),
        (("profile", "save", "--kernel-i"), ["--kernel-image"]),
        (("preflight", ""), ["6.1.0-sample"]),
        (("--release", ""), ["6.1.0-sample"]),
        (("--release=6"), []),
        (("help", "signi"), ["signing"]),
        (("help", "lsm"), ["lsmod"]),
        (("completion", "f"), ["fish"]),
        (("modprobe", "vf"), ["vfat"]),
        (("modprobe", "dummy", "num"), ["numdummies="]),
        (("modprobe", "--show-dep"), ["--show-depends"]),
        (("modprobe", "-S", ""), ["6.1.0-sample"]),
        (("depmod", "6"), ["6.1.0-sample"]),
        (("lsmod", ""), []),
        (("nonsense", ""), []),
        (("find", "fa"), ["fat"]),
        (("load", "--kernel", "em"), ["emulated", "emulated:"]),
        (("load", "/et"), []),
    ],
)
def test_words(completed: Completer, words: tuple[str, ...], found: list[str]) -> None:
    assert completed(*words) == found


def test_every_verb_and_front_end_is_offered(completed: Completer) -> None:
    assert set(completed("")) == {*verbs._VERBS, *FRONT_ENDS}


@pytest.mark.parametrize("verb", list(verbs._VERBS))
def test_every_option_of_every_verb_is_offered(completed: Completer, verb: str) -> None:
    names = {name for action in actions_of(verb_parser(verb)) for name in action.option_strings}
    assert set(completed(verb, "-")) == names
    assert {"--root", "--json"} <= set(completed(verb, "--")) or verb == "try"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("--root", ""), Kind.DIRECTORIES),
        (("--root=/et",), Kind.DIRECTORIES),
        (("links", ""), Kind.DIRECTORIES),
        (("check", "./x"), Kind.FILES),
        (("show", "va"), Kind.FILES),
        (("insmod", ""), Kind.FILES),
        (("diagnose", ""), Kind.FILES),
        (("taint", ""), Kind.FILES),
        (("profile", "save", ""), Kind.FILES),
        (("load", "--kernel", "emulated:"), Kind.DIRECTORIES),
        (("load", "--kernel", "vm:/b"), Kind.FILES),
        (("list", ""), Kind.WORDS),
    ],
)
def test_files_and_directories_are_left_to_the_shell(completed: Completer, words: tuple[str, ...], kind: Kind) -> None:
    assert answer(words).kind is kind


def test_dashes_stay_as_they_are_written(own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    _write_dep(own_sample, "kernel/snd-hda-intel.ko: kernel/snd.ko\n")
    assert list(answer(("load", "snd-h")).words) == ["snd-hda_intel"]
    assert list(answer(("load", "snd_h")).words) == ["snd_hda_intel"]


def test_names_that_a_shell_could_misread_are_dropped(own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    _write_dep(
        own_sample, "k/$(id).ko:\nk/`id`.ko:\nk/a b.ko:\nk/a;b.ko:\nk/'.ko:\nk/\x1b[0m.ko:\nk/good.ko:\nk/*.ko:\n"
    )
    assert {word for word in answer(("load", "")).words if word != "unix"} <= {"good", "ext4"}
    assert "good" in answer(("load", "")).words


def _write_dep(root: Path, text: str) -> None:
    next((root / "lib/modules").glob("*/modules.dep")).write_text(text)


def test_another_root_is_looked_at(sample: Path, no_settings: None) -> None:
    assert list(answer(("load", "--root", str(sample), "vf")).words) == ["vfat"]
    assert list(answer((f"--root={sample}", "load", "vf")).words) == ["vfat"]
    assert list(answer(("--root", "/nowhere", "load", "vf")).words) == []
    assert list(answer(("--root", str(sample), "--release", "9", "load", "vf")).words) == []


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (("list", "--color", "=", "al"), ["words", "always\t"]),
        (("list", "--color", "="), ["words", "auto\t", "always\t", "never\t"]),
        (("list", "--color=al"), ["words", "--color=always\t"]),
        (("load", "--kernel", "emulated", ":"), ["directories"]),
        (("load", "--kernel", "emulated", ":", "/t"), ["directories"]),
        ((), None),
    ],
)
def test_bash_parts_words(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], lines: list[str] | None) -> None:
    assert main(("bash", *words)) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == lines if lines is not None else len(told) > len(verbs._VERBS)


def test_an_answer_takes_little_time(completed: Completer) -> None:
    completed("load", "vf")
    before = time.process_time()
    completed("load", "vf")
    assert time.process_time() - before < 0.25


def test_where_in_a_parser(no_settings: None) -> None:
    parser = verb_parser("profile")
    place = place_of(parser, ["save", "x"])
    assert place.parser.prog.endswith("save")
    assert (place.action, place.operands) == (None, ("x",))
    waiting = place_of(parser, ["--root"]).action
    assert waiting is not None
    assert waiting.dest == "root"
    assert any(subparsers_of(action) for action in actions_of(parser))
    assert "global options" in dict(groups_of(parser))
    assert not any(subparsers_of(action) for action in actions_of(global_options()))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=12), st.sampled_from([*verbs._VERBS, "--root=/nowhere", "--", "-", "=", ":"])))
)
def test_any_words(words: list[str]) -> None:
    assert main(("bash", "--root=/nowhere", *words)) == 0
