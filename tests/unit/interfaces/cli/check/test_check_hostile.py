"""``lkm check``: hostile input and wrong use."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.checked_modules import own_module
from tests.support.schema import check_schema
from tests.support.signing import Signer

from lkm.formats.compression import Compression, compress

Lkm = Callable[..., Any]
Make = Callable[..., str]


GARBAGE = {
    "empty": (b"", 22),
    "text": (b"hello\n", 8),
    "elf": (b"\x7fELF", 8),
    "zeros": (bytes(4096), 8),
    "cut": (own_module()[:700], 8),
    "half": (own_module()[: len(own_module()) // 2], 8),
}


@pytest.mark.parametrize("kind", sorted(GARBAGE))
def test_garbage_is_judged(ask: Lkm, make: Make, kind: str) -> None:
    contents, code = GARBAGE[kind]
    path = make("mod.ko", contents)
    for words in ((path,), (path, "--raw")):
        result = ask(*words)
        assert (result["errno"], result["module"]) == (code, "mod")


@pytest.mark.parametrize("kind", [Compression.GZIP, Compression.XZ, Compression.ZSTD])
def test_a_compressed_file_cut_short(ask: Lkm, say: Lkm, make: Make, kind: Compression) -> None:
    path = make("mod.ko.xz", compress(own_module(), kind)[:-20])
    result = ask(path)
    assert (result["errno"], result["stage"], result["ids"]) == (22, "unpacking", ["damaged-compression"])
    assert "the compressed file can't be unpacked" in say(path).out.splitlines()[0]


def _unreadable(kind: str, path: Path) -> None:
    match kind:
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(path)


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "loop"])
def test_unreadable_subjects(say: Lkm, make: Make, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "some.ko"
    _unreadable(kind, path)
    good = make("mod.ko", own_module())
    told = say(str(path))
    assert (told.status, told.out) == (2, "")
    assert told.err.startswith(f"lkm: {path}: ")
    both = say("--json", str(path), good)
    answer = json.loads(both.out)
    check_schema(answer, "check")
    assert (both.status, answer["error"]["where"]) == (2, str(path))
    assert [result["file"] for result in answer["results"]] == [good]


def test_no_permission(say: Lkm, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the system's answer is made up."""
    path = make("mod.ko", own_module())
    open_as_usual = os.open

    def refuse(wanted: str, *arguments: int, **more: int) -> int:
        if wanted == path:
            raise PermissionError(13, "Permission denied", wanted)
        return open_as_usual(wanted, *arguments, **more)

    monkeypatch.setattr(os, "open", refuse)
    told = say(path)
    assert (told.status, told.out) == (2, "")
    assert told.err == f"lkm: {path}: permission denied\n  hint: run as root, or as a user who may read it\n"


def test_a_missing_file_is_helped_with(say: Lkm, make: Make, tmp_path: Path) -> None:
    path = make("module.ko", own_module())
    assert f"did you mean {path}?" in say(path.replace("module.ko", "modul.ko")).err
    assert "lkm check vfat" in say(str(tmp_path / "vfat.ko")).err
    assert f"lkm check {tmp_path}/*.ko" in say(f"{tmp_path}/").err


@pytest.mark.parametrize(
    "words",
    [
        ("--tainted", "XYZ"),
        ("--tainted", ""),
        ("--tainted", "-1"),
        ("--tainted", "0xgg"),
        ("--tainted", "9" * 5000),
        ("--tainted", str(1 << 64)),
        ("--finit-flags", "four"),
        ("--finit-flags", "-1"),
        ("--finit-flags", str(1 << 32)),
        ("--trust", "/etc/passwd"),
        ("--trust", "/nowhere"),
        ("--trust", "/"),
        ("--trust", ""),
        ("--profile", "/etc/passwd"),
        ("--profile", "/nowhere"),
        ("--profile", "/"),
        ("--kernel-image", "/etc/passwd"),
        ("--kernel-image", "/nowhere"),
        ("--profile", "/etc/passwd", "--kernel-image", "/etc/passwd"),
        ("--loaded", "/nowhere"),
        ("--loaded", "/etc/passwd"),
        ("--lockdown", "much"),
        ("n=5",),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_wrong_use(say: Lkm, make: Make, words: tuple[str, ...], form: tuple[str, ...]) -> None:
    told = say(*form, make("mod.ko", own_module()), *words)
    assert told.status == 2
    assert told.err
    assert "internal error" not in told.err
    if form:
        assert json.loads(told.out)["schema"] == "lkm.check/1"


@pytest.mark.parametrize("path", ["./" * 5000 + "mod.ko", "./\0.ko"])
def test_a_path_that_can_not_be_is_no_reason_to_leave_out_the_others(say: Lkm, make: Make, path: str) -> None:
    good = make("mod.ko", own_module())
    told = say("--json", path, good)
    answer = json.loads(told.out)
    check_schema(answer, "check")
    assert (told.status, answer["error"]["type"]) == (2, "UsageError")
    assert [result["file"] for result in answer["results"]] == [good]
    assert say(path).err.startswith(f"lkm: {path!r}"[:40])


def test_the_empty_name_is_shown(say: Lkm) -> None:
    assert say("").out.startswith("'': does not load on ")


def test_a_link_that_leads_nowhere(say: Lkm, tmp_path: Path) -> None:
    (tmp_path / "mod.ko").symlink_to("gone.ko")
    assert "it is a link to gone.ko" in say(str(tmp_path / "mod.ko")).err


def test_what_is_loaded_before_must_be_there(say: Lkm) -> None:
    told = say("--loaded", "nosuch", "vfat")
    assert (told.status, told.out) == (2, "")
    assert "no module of the tree is called 'nosuch'" in told.err


def test_odd_certificates_are_taken_without_a_word(say: Lkm, make: Make, recwarn: pytest.WarningsRecorder) -> None:
    """cryptography warns of serial numbers below 1, which old certificate authorities have."""
    signer = Signer()
    der = signer.der
    at = der.index(b"\xa0\x03\x02\x01\x02\x02") + 7
    odd = make("odd.der", der[:at] + b"\x80" + der[at + 1 :])
    told = say("--trust", odd, make("mod.ko", own_module()))
    assert (told.status, told.err, list(recwarn)) == (0, "", [])


def test_hostile_words(say: Lkm, make: Make) -> None:
    path = make("mod.ko", own_module())
    for words in (
        ("\0",),
        ("\x1b[31m",),
        ("x" * 5000,),
        ("",),
        (path, "--cmdline", "\udcff\0"),
        (path, "--", "\udcff"),
    ):
        told = say(*words)
        assert told.status in {0, 1, 2}
        assert "internal error" not in told.err
        assert "\x1b" not in told.out + told.err


def test_names_that_could_steer_a_terminal(say: Lkm, make: Make) -> None:
    told = say(make("mod.ko", own_module("a\x1b[31m")))
    assert told.status == 0
    assert "\x1b" not in told.out


def test_no_module_tree(lkm: Lkm, make: Make, tmp_path: Path) -> None:
    told = lkm("check", "--json", "--root", str(tmp_path), make("mod.ko", own_module()))
    assert told.status == 2
    assert json.loads(told.out)["error"]["type"] == "TreeMissing"
