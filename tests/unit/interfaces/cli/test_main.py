"""The command as a whole: options, exit statuses, and what goes wrong, in words and never as a traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lkm import __version__
from lkm.errors import LkmError
from lkm.interfaces.cli import list_verb, verbs
from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.cli.main import main

Lkm = Callable[..., Any]
COMMAND = (sys.executable, "-m", "lkm")
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LKM_"))}


def _verb_that(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Have ``lkm list`` end with this."""

    def run(*_: object) -> int:
        raise error

    monkeypatch.setattr(list_verb, "run", run)


# --- help and versions ------------------------------------------------------------------------------------------------


def test_help_names_every_verb_and_front_end(lkm: Lkm) -> None:
    outcome = lkm("--help")
    assert (outcome.status, outcome.err) == (0, "")
    for word in (*verbs._VERBS, *FRONT_ENDS, "--root", "--json", "LKM_KERNEL", "exit status"):
        assert word in outcome.out, word


@pytest.mark.parametrize("verb", list(verbs._VERBS))
def test_each_verb_has_help(lkm: Lkm, verb: str) -> None:
    outcome = lkm(verb, "--help")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith(f"usage: lkm {verb} ")


def test_without_a_verb_the_help_is_an_error(lkm: Lkm) -> None:
    outcome = lkm()
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: lkm ")


def test_version(lkm: Lkm) -> None:
    assert (lkm("--version").status, lkm("--version").out) == (0, f"lkm {__version__}\n")


# --- wrong calls ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["nonsense", "", "l", "../l", "\x1b[31m", "x" * 10_000])
def test_unknown_verbs(lkm: Lkm, verb: str) -> None:
    outcome = lkm(verb)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("lkm: there is no verb ")
    assert "hint: choose one of: status, list, show," in outcome.err
    assert "\x1b" not in outcome.err


@pytest.mark.parametrize(
    ("verb", "meant"), [("lits", "list"), ("lists", "list"), ("unlaod", "unload"), ("modprob", "modprobe")]
)
def test_a_misspelt_verb(lkm: Lkm, verb: str, meant: str) -> None:
    outcome = lkm(verb)
    assert outcome.status == 2
    assert f"hint: did you mean {meant}" in outcome.err


def test_every_verb_stands_in_one_group_of_the_help() -> None:
    grouped = [verb for group in verbs._GROUPS.values() for verb in group]
    assert len(grouped) == len(set(grouped))
    assert sorted(verb for group in verbs.verbs_by_group().values() for verb in group) == sorted(verbs._VERBS)
    assert "more" not in verbs.verbs_by_group()


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--no-such"),
        ("show",),
        ("deps",),
        ("load",),
        ("unload",),
        ("links",),
        ("--no-such",),
        ("--root",),
    ],
)
def test_wrong_calls_end_with_2(lkm: Lkm, words: tuple[str, ...]) -> None:
    outcome = lkm(*words)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: lkm")


@pytest.mark.parametrize("words", [("check",), ("check", "--lockdown", "much", "x"), ("profile", "save"), ("show",)])
@pytest.mark.parametrize("place", [0, 1])
def test_wrong_calls_are_told_to_programs_too(lkm: Lkm, words: tuple[str, ...], place: int) -> None:
    outcome = lkm(*words[:place], "--json", *words[place:])
    answer = json.loads(outcome.out)
    assert (outcome.status, answer["schema"]) == (2, f"lkm.{words[0]}/1")
    assert answer["error"]["type"] == "UsageError"
    assert outcome.err.startswith("usage: lkm")
    assert outcome.err.splitlines()[-1].endswith(f": error: {answer['error']['what']}")


@pytest.mark.parametrize("words", ["find --json vfat", "modinfo vfat", "modprobe -c"])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(sample: Path, words: str, closed: str) -> None:
    settings = {**PLAIN, "LKM_ROOT": str(sample), "LKM_KERNEL": "emulated"}
    command = f"exec {sys.executable} -m lkm {words} {closed}"
    done = subprocess.run(["/bin/sh", "-c", command], env=settings, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bool(done.stdout) == (">&-" not in closed.replace("2>&-", ""))


def test_two_dashes_right_behind_the_verb(on_sample: Lkm) -> None:
    assert on_sample("find", "--", "-x").out.splitlines()[0].endswith(" answers to -x")
    assert on_sample("find", "--").status == 2
    assert on_sample("--", "find", "vfat").status == 0
    told = on_sample("check", "--", "vfat")
    assert (told.status, told.out) == (2, "")
    assert "the following arguments are required" in told.err


@pytest.mark.parametrize("option", ["--root", "--release"])
def test_an_empty_option_is_a_mistake(lkm: Lkm, option: str) -> None:
    """As of ``--root "$UNSET"``: it must be neither the working directory nor the running kernel."""
    outcome = lkm(option, "", "list")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith(f"lkm: {option}: ")


def test_nothing_to_look_for(lkm: Lkm) -> None:
    assert (lkm("find").status, lkm("find").out) == (2, "")


@pytest.mark.parametrize("tool", FRONT_ENDS)
def test_no_options_before_a_front_end(lkm: Lkm, tool: str) -> None:
    outcome = lkm("--root", "/mnt", tool)
    assert outcome.status == 2
    assert f"no options go before {tool}" in outcome.err


@pytest.mark.parametrize("error", [OSError(5, "Input/output error", "/some/file"), ValueError("what nobody foresaw")])
def test_what_nobody_foresaw_is_told_to_programs_too(
    lkm: Lkm, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    _verb_that(monkeypatch, error)
    outcome = lkm("list", "--json")
    found = json.loads(outcome.out)["error"]
    assert (outcome.status, found["type"]) == (1, "LkmError")
    assert found["what"] in outcome.err


def test_of_two_files_the_new_one_is_named(lkm: Lkm, monkeypatch: pytest.MonkeyPatch) -> None:
    _verb_that(monkeypatch, PermissionError(13, "Permission denied", "/bin/lkm", None, "/dir/modprobe"))
    assert lkm("list").err == "lkm: /dir/modprobe: permission denied\n"


# --- global options and the environment -------------------------------------------------------------------------------


def test_global_options_go_before_and_after_the_verb(lkm: Lkm, sample: Path) -> None:
    settings = ("--root", str(sample), "--kernel", "emulated")
    first = lkm(*settings, "show", "vfat")
    assert (first.status, first.err) == (0, "")
    assert lkm("show", *settings, "vfat") == lkm("show", "vfat", *settings) == first
    assert lkm("--root", "/nowhere", "show", "vfat", *settings) == first  # the later one counts
    assert lkm("--root", str(sample), "show", "vfat", "--release", "6.1.0-sample", "--kernel=emulated") == first


def test_the_environment_stands_for_options(lkm: Lkm, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKM_ROOT", str(sample))
    monkeypatch.setenv("LKM_KERNEL", "emulated")
    monkeypatch.setenv("LKM_RELEASE", "6.1.0-sample")
    assert lkm("list").status == 0
    monkeypatch.setenv("LKM_RELEASE", "9.9")
    assert lkm("show", "vfat").status == 2
    assert lkm("show", "vfat", "--release", "6.1.0-sample").status == 0
    for name in ("LKM_ROOT", "LKM_RELEASE", "LKM_KERNEL"):
        monkeypatch.setenv(name, "")  # which counts as not set
    assert "this kernel" in lkm("list").err or lkm("list").status == 0


@pytest.mark.parametrize("kernel", ["nonsense", "emulate", "live:x", "\udcff"])
def test_an_unknown_kernel(lkm: Lkm, monkeypatch: pytest.MonkeyPatch, kernel: str) -> None:
    monkeypatch.setenv("LKM_KERNEL", kernel)
    outcome = lkm("list")
    assert outcome.status == 2
    assert outcome.err.startswith("lkm: unknown kernel ")
    assert "hint: choose live, emulated," in outcome.err


def test_a_root_that_is_none(lkm: Lkm, tmp_path: Path) -> None:
    outcome = lkm("show", "vfat", "--root", str(tmp_path / "none"))
    assert (outcome.status, outcome.out) == (2, "")
    assert "is no directory" in outcome.err


def test_this_machine_has_no_modules_or_has(lkm: Lkm) -> None:
    """On a kernel without them the sentence says so and what else there is."""
    outcome = lkm("list")
    if Path("/proc/modules").exists():
        assert outcome.status == 0
    else:
        assert (outcome.status, outcome.out) == (1, "")
        assert f"lkm: this kernel ({os.uname().release}) can't load modules" in outcome.err
        assert "hint: use another kernel (--kernel emulated:DIR, --kernel vm)" in outcome.err


# --- errors -----------------------------------------------------------------------------------------------------------


def test_errors_as_json(lkm: Lkm, sample: Path) -> None:
    outcome = lkm("show", "nobody", "--json", "--root", str(sample), "--kernel", "emulated")
    assert outcome.status == 1
    plain = json.loads(outcome.out)
    assert plain["schema"] == "lkm.show/1"
    assert plain["error"]["type"] == "ModuleNotFound"
    assert "nobody" in plain["error"]["what"]
    assert "nobody" in outcome.err


def test_debug_shows_where_an_error_came_from(lkm: Lkm, sample: Path) -> None:
    words = ("show", "nobody", "--root", str(sample), "--kernel", "emulated")
    assert "Traceback" not in lkm(*words).err
    with pytest.raises(LkmError):
        main([*words, "--debug"])
    done = subprocess.run([*COMMAND, *words, "--debug"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" in done.stderr
    assert "ModuleNotFound" in done.stderr


def test_what_nobody_foresaw(lkm: Lkm, monkeypatch: pytest.MonkeyPatch) -> None:
    _verb_that(monkeypatch, KeyError("fat"))
    outcome = lkm("list")
    assert outcome.status == 1
    assert outcome.err.splitlines()[0] == "lkm: internal error: KeyError: 'fat'"
    assert "--debug" in outcome.err
    with pytest.raises(KeyError):
        main(["list", "--debug"])


def test_what_the_system_refuses(lkm: Lkm, monkeypatch: pytest.MonkeyPatch) -> None:
    _verb_that(monkeypatch, PermissionError(13, "Permission denied", "/a/file"))
    outcome = lkm("list")
    assert (outcome.status, outcome.err) == (1, "lkm: /a/file: permission denied\n")


def test_interrupted(lkm: Lkm, monkeypatch: pytest.MonkeyPatch) -> None:
    _verb_that(monkeypatch, KeyboardInterrupt())
    assert (lkm("list").status, lkm("list").err) == (130, "\n")


# --- output that goes nowhere -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [("--help",), ("find", "*", "--name"), ("show", "vfat", "--json"), ("find", "nobody")]
)
def test_a_reader_that_has_seen_enough(sample: Path, words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**PLAIN, "LKM_ROOT": str(sample), "LKM_KERNEL": "emulated"}
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(
            [*COMMAND, *words], stdout=pipe, stderr=subprocess.PIPE, text=True, check=False, env=environment
        )
    assert (done.returncode, done.stderr) == (1, "")


def test_a_full_disk(sample: Path) -> None:
    environment = {**PLAIN, "LKM_ROOT": str(sample), "LKM_KERNEL": "emulated"}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "find", "vfat"], stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment
        )
    assert (done.returncode, done.stderr) == (1, "lkm: no space left on device\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_terminals_that_lack_characters(sample: Path, encoding: str) -> None:
    environment = {**PLAIN, "LKM_ROOT": str(sample), "LKM_KERNEL": "emulated", "PYTHONIOENCODING": encoding}
    done = subprocess.run([*COMMAND, "deps", "vfat"], capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    tree = "vfat\n└── fat\n"
    assert done.stdout.decode("utf-8" if encoding == "utf-8" else "ascii") == (
        tree if encoding == "utf-8" else "vfat\n\\u2514\\u2500\\u2500 fat\n"
    )


def test_called_by_the_name_of_a_tool(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/modprobe", "--version"])
    assert main() == 0
    assert not capsys.readouterr().out.startswith("lkm")
    monkeypatch.setattr(sys, "argv", ["/somewhere/lkm", "--version"])
    assert main() == 0
    assert capsys.readouterr().out == f"lkm {__version__}\n"
