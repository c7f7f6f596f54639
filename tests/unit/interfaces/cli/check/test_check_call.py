"""``lkm check``: the options that say how the kernel is asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.checked_modules import INT_OPS, UNSIGNED_LINE, needing, offering, own_module

from lkm.actions.sample_tree import RELEASE
from lkm.formats.compression import Compression, compress
from lkm.formats.parameters import Parameter

Lkm = Callable[..., Any]
Make = Callable[..., str]


def test_parameters(ask: Lkm, make: Make) -> None:
    path = make("mod.ko", own_module(imports=(INT_OPS,), parameters=(Parameter("n", "int", permissions=0o444),)))
    assert ask(path, "--", "n=5")["log"] == [UNSIGNED_LINE]
    wrong = ask(path, "--", "n=five")
    assert (wrong["errno"], wrong["log"][-1]) == (22, "mod: `five' invalid for parameter `n'")
    assert ask(path, "--", "--json")["log"][-1] == "mod: unknown parameter '--json' ignored"
    assert ask(path, "--", "a=b c")["log"][-1] == "mod: unknown parameter 'a' ignored"


def test_parameters_that_there_are_not(say: Lkm, sample: Path) -> None:
    told = say("dummy", "--", "numdumies=3")
    assert told.status == 0
    assert "dummy has no parameter numdumies, so it is ignored: did you mean numdummies?" in told.out
    assert "see lkm show --parameters dummy" in say("dummy", "--", "xyz=3").out


@pytest.mark.parametrize("kind", [Compression.GZIP, Compression.XZ, Compression.ZSTD])
def test_compressed_files(ask: Lkm, make: Make, kind: Compression) -> None:
    path = make("mod.ko.packed", compress(own_module(), kind))
    assert ask(path)["loads"] or not path
    raw = ask(path, "--raw")
    assert (raw["errno"], raw["stage"], raw["module"]) == (8, "elf", "mod")
    assert ask(path, "--raw", "--finit-flags", "4")["errno"] == 95  # this kernel unpacks nothing
    assert ask(path, "--finit-flags", "4")["errno"] == 95


def test_raw_asks_the_kernel_alone(ask: Lkm, sample: Path) -> None:
    vfat = str(sample / f"usr/lib/modules/{RELEASE}/kernel/fs/fat/vfat.ko")
    assert ask(vfat)["loads"]
    raw = ask(vfat, "--raw")
    assert (raw["errno"], raw["stage"]) == (2, "symbols")
    assert ask("vfat", "--raw")["log"] == raw["log"]
    assert ask("pcspkr", "--raw")["loads"]  # whatever modprobe.d says
    assert ask("unix", "--raw")["stage"] == "built in"


def test_together(say: Lkm, make: Make) -> None:
    words = [make("first.ko", own_module("first", exports=offering("one")))]
    words.append(make("second.ko", own_module("second", imports=needing("one"))))
    assert say(*words).status == 1
    assert say("--together", *words).status == 0
    assert say("--together", *reversed(words)).status == 1


def test_neighbours_do_not_matter(say: Lkm, make: Make) -> None:
    paths = [make(f"{name}.ko", own_module(name, intree=False)) for name in ("a", "b", "c")]
    alone = [say(path).out for path in paths]
    assert say(*paths).out == "\n".join(alone)
    assert say(*paths[::-1]).out == "\n".join(alone[::-1])
    assert say(paths[0], "--raw", paths[1]).status == 0


def test_saved_profile(lkm: Lkm, saved: str, make: Make) -> None:
    path = make("mod.ko", own_module())
    assert lkm("check", "--profile", saved, path).status == 0
    assert f"loads on {RELEASE}" in lkm("check", "--profile", saved, path, "--release", RELEASE).out
    other = lkm("check", "--profile", saved, path, "--release", "6.12.0")
    assert other.status == 2
    assert f"this is kernel {RELEASE}, not 6.12.0" in other.err


def test_saved_profile_without_a_tree(lkm: Lkm, saved: str, sample: Path, tmp_path: Path) -> None:
    """The profile tells what the tree's modules export."""
    (tmp_path / "empty").mkdir()
    words = ("check", "--root", str(tmp_path / "empty"), "--profile", saved)
    vfat = str(sample / f"usr/lib/modules/{RELEASE}/kernel/fs/fat/vfat.ko")
    told = lkm(*words, vfat)
    assert told.status == 0
    assert "whether fat would load before it" in told.out
    assert lkm(*words, "--raw", vfat).status == 1
    assert "is built into" in lkm(*words, "unix").out
    assert "its file is not here" in lkm(*words, "fat").out
