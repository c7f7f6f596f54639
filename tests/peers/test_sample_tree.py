"""The sample tree as real depmod and modprobe see it."""

import subprocess
from pathlib import Path

import pytest
from tests.support.require import require_tool

from lkm.actions.sample_tree import RELEASE, make_sample_tree

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sample") / "root"
    make_sample_tree(str(directory))
    return directory


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [require_tool(command[0]), *command[1:]], capture_output=True, text=True, check=False, timeout=60
    )


def _lines(text: str, *beginnings: str) -> list[str]:
    return sorted(line for line in text.splitlines() if line.startswith(beginnings))


def test_depmod_finds_nothing_wrong_and_says_the_same(root: Path) -> None:
    symvers = root / "usr/lib/modules" / RELEASE / "build/Module.symvers"
    done = _run("depmod", "-n", "-e", "-E", str(symvers), "-b", str(root), RELEASE)
    assert done.returncode == 0
    complaints = [line for line in done.stderr.splitlines() if "modules.order" not in line]
    assert complaints == []
    tree = root / "lib/modules" / RELEASE
    assert _lines(done.stdout, "kernel/") == _lines((tree / "modules.dep").read_text(), "kernel/")
    for name in ("modules.alias", "modules.symbols"):
        ours = _lines((tree / name).read_text(), "alias ")
        assert ours
        assert set(ours) <= set(_lines(done.stdout, "alias "))
    both = sum(len(_lines((tree / name).read_text(), "alias ")) for name in ("modules.alias", "modules.symbols"))
    assert len(_lines(done.stdout, "alias ")) == both


def test_modprobe_reads_our_indexes(root: Path) -> None:
    directory = f"{root}/lib/modules/{RELEASE}"
    modprobe = ("modprobe", "-d", str(root), "-S", RELEASE, "-C", "/dev/null")
    shown = _run(*modprobe, "-D", "fs-vfat")
    assert (shown.returncode, shown.stdout.split()) == (
        0,
        ["insmod", f"{directory}/kernel/fs/fat/fat.ko", "insmod", f"{directory}/kernel/fs/fat/vfat.ko"],
    )
    assert _run(*modprobe, "-R", "symbol:fat_attach").stdout == "fat\n"
    assert _run(*modprobe, "-D", "unix").stdout == "builtin unix\n"


def test_modinfo_reads_our_modules(root: Path) -> None:
    done = _run("modinfo", "-b", str(root), "-k", RELEASE, "-F", "parm", "dummy")
    assert sorted(done.stdout.splitlines()) == [
        "label:Name of the first device (charp)",
        "numdummies:Number of devices to make (int)",
    ]
    signed = _run("modinfo", f"{root}/lib/modules/{RELEASE}/kernel/fs/fat/fat.ko")
    assert "sig_id:         PKCS#7" in signed.stdout
