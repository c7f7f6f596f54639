"""Hostile names and files, and random calls: a sentence and a status, never a traceback, never a hang."""

import functools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lkm.formats.compression import Compression, compress, decompress
from lkm.interfaces.cli import verbs
from lkm.system import module_file

Lkm = Callable[..., Any]

NAMES = [
    "",
    "..",
    "../vfat",
    "/",
    "/etc/passwd",
    "/etc",
    "/dev/zero",
    "a\0b",
    "x" * 10_240,
    "/" + "y" * 10_240,
    "\x1b]0;title\x07",
    "\udcff\udcfe",
    "é",
    "[",
    "*",
    "-",
    "vfat\n",
    "$(reboot)",
    "%s%n",
    "{module}",
    "vfat.ko",
    "symbol:",
]


def _is_sound(outcome: Any) -> None:
    assert outcome.status in {0, 1, 2}
    for text in (outcome.out, outcome.err):
        assert "Traceback" not in text
        assert "internal error" not in text
        assert "\x1b" not in text
        assert "\0" not in text
    assert outcome.status == 0 or outcome.err or outcome.out


@pytest.mark.parametrize("verb", ["show", "deps", "find", "load", "unload"])
@pytest.mark.parametrize("name", NAMES, ids=[repr(name[:12]) for name in NAMES])
def test_names(on_sample: Lkm, verb: str, name: str) -> None:
    _is_sound(on_sample(verb, "--", name))
    outcome = on_sample(verb, "--json", "--", name)
    _is_sound(outcome)
    if outcome.out:
        assert json.loads(outcome.out)["schema"] == f"lkm.{verb}/1"


def test_arguments_that_are_no_text(sample: Path) -> None:
    environment = {**os.environb, b"LKM_ROOT": os.fsencode(sample), b"LKM_KERNEL": b"emulated"}
    command = [os.fsencode(sys.executable), b"-m", b"lkm", b"show", b"\xff\xfe"]
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"no module, alias or built-in is called" in done.stderr


# --- files ------------------------------------------------------------------------------------------------------------


def _damaged(sample: Path) -> dict[str, bytes]:
    good = (sample / "home/you/hello.ko").read_bytes()
    flipped = bytearray(good)
    for place in range(0, len(good), 97):
        flipped[place] ^= 0x10
    return {
        "empty": b"",
        "truncated": good[: len(good) // 2],
        "header": good[:64],
        "flipped": bytes(flipped),
        "text": b"#!/bin/sh\necho hello\n",
        "zeros": bytes(10_000),
        "xz-cut": compress(good, Compression.XZ)[:-40],
        "xz-bomb": compress(bytes(8 << 20), Compression.XZ),
        "gz-bad": b"\x1f\x8b\x08\0" + bytes(40),
        "zst-bad": b"\x28\xb5\x2f\xfd" + bytes(40),
        "marker": b"~Module signature appended~\n",
    }


@pytest.mark.parametrize("verb", ["show", "load"])
def test_damaged_files(
    on_sample: Lkm, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    small = functools.partial(decompress, limit=4 << 20)  # so that a bomb need not be large
    monkeypatch.setattr(module_file, "decompress", small)
    for name, data in _damaged(sample).items():
        path = tmp_path / f"{name}.ko"
        path.write_bytes(data)
        outcome = on_sample(verb, str(path))
        _is_sound(outcome)
        assert outcome.status in ({1, 2} if name != "flipped" else {0, 1, 2}), name
        if outcome.status:
            assert str(path) in outcome.err, name
            assert len(outcome.err.splitlines()) < 20


@pytest.mark.parametrize("verb", ["show", "load"])
def test_a_huge_sparse_file(on_sample: Lkm, tmp_path: Path, verb: str) -> None:
    path = tmp_path / "huge.ko"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    start = time.monotonic()
    outcome = on_sample(verb, str(path))
    assert outcome.status == 2
    assert f"{path}: is larger than" in outcome.err
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("kind", ["directory", "fifo", "dangling", "loop"])
def test_files_of_other_kinds(on_sample: Lkm, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.ko"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("odd.ko" if kind == "loop" else "/no/where")
    for verb in ("show", "load"):
        outcome = on_sample(verb, str(path))
        _is_sound(outcome)
        assert outcome.status == 2


@pytest.mark.parametrize("name", ["modules.dep.bin", "modules.alias.bin", "modules.symbols.bin", "modules.builtin.bin"])
def test_damaged_indexes(on_sample: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    path = own_sample / "usr/lib/modules/6.1.0-sample" / name
    good = path.read_bytes()
    chance = random.Random(name)
    for _ in range(25):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(8, len(data)) if chance.random() < 0.9 else 0] = chance.randrange(256)
        path.write_bytes(bytes(data[: chance.choice([len(data), len(data) // 2, 12])]))
        for words in (("show", "fs-vfat"), ("find", "*", "--symbol"), ("deps", "vfat"), ("load", "-n", "vfat")):
            _is_sound(on_sample(*words))


def test_a_damaged_state_of_the_kernel(on_sample: Lkm, tmp_path: Path) -> None:
    on_sample("load", "fat")
    (tmp_path / "kernel/state.json").write_text("{")
    for words in (("list",), ("load", "vfat"), ("unload", "fat")):
        outcome = on_sample(*words)
        assert (outcome.status, outcome.out) == (2, "")
        assert f"hint: begin anew: rm {tmp_path}/kernel/state.json" in outcome.err


# --- random calls -----------------------------------------------------------------------------------------------------

OPTIONS = [
    "-n", "-v", "-p", "-r", "-f", "-i", "-b", "--json", "--dry-run", "--dot", "--reverse", "--holders", "--tainting",
    "--first-time", "--force-vermagic", "--name", "--alias", "--symbol", "--file", "--config", "--version", "--help",
    "--wait=0", "--release=6.1.0-sample", "--release=9", "--release=../x", "--", "-", "--kernel=emulated", "--kernel=?",
    "-x", "--=", "=", "a=1", "numdummies=x", 'label="', "--root=/nowhere",
]  # fmt: skip
WORDS = ["vfat", "fat", "fs-vfat", "dummy", "unix", "pcspkr", "nobody", "fat_*", "CONFIG_DUMMY", *NAMES]


def test_random_calls(on_sample: Lkm, own_sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a root of its own, as some verbs write; not links and index, nor demo, which takes its time."""
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    monkeypatch.chdir(tmp_path)
    chance = random.Random(20260101)
    names = [verb for verb in verbs._VERBS if verb not in {"links", "index", "demo"}]
    for _ in range(400):
        words = [chance.choice([*names, "nonsense"])]
        words += [chance.choice(OPTIONS if chance.random() < 0.5 else WORDS) for _ in range(chance.randint(0, 5))]
        if chance.random() < 0.2:
            chance.shuffle(words)
        outcome = on_sample(*words)
        assert outcome.status in {0, 1, 2}, words
        assert "Traceback" not in outcome.err, words
        assert "internal error" not in outcome.err, words
        if "--json" in words and outcome.status != 2 and "--help" not in words and outcome.out:
            json.loads(outcome.out)
