"""Our depmod and kmod's on the same trees: the same files, the same output, the same exit status."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.module_trees import RELEASE, make_random_tree
from tests.support.require import require_path, require_tool

from lkm.formats.index_trie import IndexTrie

pytestmark = pytest.mark.peer

TEXTS = ("modules.dep", "modules.alias", "modules.softdep", "modules.symbols", "modules.devname")
INDEXES = ("modules.dep", "modules.alias", "modules.symbols", "modules.builtin", "modules.builtin.alias")
OURS = (sys.executable, "-m", "lkm", "depmod")
PATIENCE = 20  # seconds: kmod 30 never ends on some dependency cycles


def run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE)


def kmod() -> tuple[str, ...]:
    """Give the peer's command, once it is known to be kmod."""
    path = require_tool("depmod")
    assert b"kmod version" in run((path, "-V")).stdout
    return (path,)


def taken(directory: Path) -> dict[str, bytes]:
    """Take what depmod wrote out of a tree."""
    files = {}
    for name in (*TEXTS, *(f"{name}.bin" for name in INDEXES)):
        path = directory / name
        if path.exists():
            files[name] = path.read_bytes()
            path.unlink()
    return files


def decoded(data: bytes) -> list[tuple[str, int, str]]:
    """Give what an index says; kmod leaves a file without a byte where there is nothing to index."""
    return [(key, value.priority, value.text) for key, value in IndexTrie(data).items()] if data else []


def same(ours: dict[str, bytes], theirs: dict[str, bytes]) -> None:
    assert ours.keys() == theirs.keys()
    for name, data in theirs.items():
        if name.endswith(".bin"):
            assert decoded(ours[name]) == decoded(data), name
            assert ours[name] == data or not data, name
        else:
            assert ours[name].decode("utf-8", "replace") == data.decode("utf-8", "replace"), name


def said(stderr: bytes) -> list[str]:
    # Of a zstd frame that is cut off kmod takes what there is of it for the module.
    text = stderr.replace(b"packed2.ko.zst: Exec format error", b"packed2.ko.zst: Invalid argument")
    lines = text.decode("utf-8", "replace").split("\n")
    return sorted(line for line in lines if line and not line.startswith("depmod: hint: "))


# --- a distribution's tree --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def release() -> str:
    found = sorted(require_path("/lib/modules").glob("*/modules.order"))
    return require_path(found[0] if found else "/lib/modules/*/modules.order").parent.name


@pytest.fixture(scope="module")
def both(release: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give roots with links to the distribution's modules, one indexed by each tool; ours first."""
    roots = []
    for tool in (OURS, kmod()):
        root = tmp_path_factory.mktemp("root")
        tree = root / "lib/modules" / release
        tree.mkdir(parents=True)
        source = Path("/lib/modules") / release
        for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
            if (source / name).exists():
                shutil.copy(source / name, tree / name)
        shutil.copytree(source / "kernel", tree / "kernel", copy_function=link)
        done = run((*tool, "-b", root, release))
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        roots.append(root)
    return roots[0], roots[1]


def link(source: str, target: str) -> None:
    """Link a file; as a symbolic link, which kmod follows wherever it leads."""
    Path(target).symlink_to(Path(source).resolve())


def test_a_distribution_gets_the_same_files(both: tuple[Path, Path], release: str) -> None:
    ours, theirs = (
        {path.name: path.read_bytes() for path in (root / "lib/modules" / release).glob("modules.*")} for root in both
    )
    assert len(theirs["modules.dep"].split(b"\n")) > 1000
    same(ours, theirs)


def test_a_distribution_gets_the_same_dry_run(both: tuple[Path, Path], release: str) -> None:
    ours, theirs = (run((*tool, "-n", "-b", both[0], release)) for tool in (OURS, kmod()))
    assert ours.stdout == theirs.stdout
    assert len(theirs.stdout) > 1_000_000


def test_modprobe_of_kmod_works_on_our_indexes(both: tuple[Path, Path], release: str) -> None:
    names = ["vfat", "e1000e", "snd_hda_intel", "usb_storage", "ext4", "kvm", "nf_tables", "pci:v00008086d000010D3sv*"]
    for name in [*names, "symbol:fat_attach", "fs-xfs", "net-pf-16-proto-4"]:
        found = [run((require_tool("modprobe"), "-d", root, "-S", release, "-D", name)) for root in both]
        plans = [done.stdout.replace(bytes(root), b"") for done, root in zip(found, both, strict=True)]
        assert plans[0] == plans[1]
        assert found[0].returncode == found[1].returncode


def test_our_modprobe_works_on_indexes_of_kmod(both: tuple[Path, Path], release: str) -> None:
    for name in ("vfat", "snd_hda_intel", "fs-xfs"):
        ours = run((sys.executable, "-m", "lkm", "modprobe", "-d", both[1], "-S", release, "-D", name))
        theirs = run((require_tool("modprobe"), "-d", both[1], "-S", release, "-D", name))
        assert (ours.stdout, ours.returncode) == (theirs.stdout, theirs.returncode)


# --- trees made up ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(80))
def test_random_trees_get_the_same(seed: int, tmp_path: Path) -> None:
    tree = make_random_tree(tmp_path / "root", seed)
    arguments: tuple[str, ...] = ("-b", str(tree.root), *tree.options, RELEASE)
    results = []
    for tool in (kmod(), OURS):
        try:
            shown = run((*tool, "-n", *arguments))
            written = run((*tool, *arguments))
        except subprocess.TimeoutExpired:
            assert tree.cyclic, "only on a cycle may the peer be lost"
            assert tool != OURS
            return
        if tool != OURS and min(shown.returncode, written.returncode) < 0:
            assert tree.cyclic, "only on a cycle may the peer crash"
            return
        results.append((shown, written, taken(tree.directory)))
    (their_shown, their_written, theirs), (our_shown, our_written, ours) = results
    assert (our_shown.returncode, our_written.returncode) == (their_shown.returncode, their_written.returncode)
    assert our_shown.stdout.decode("utf-8", "replace") == their_shown.stdout.decode("utf-8", "replace")
    same(ours, theirs)
    if our_written.returncode == 0:
        assert said(our_written.stderr) == said(their_written.stderr)
        assert said(our_shown.stderr) == said(their_shown.stderr)
    else:
        assert said(our_written.stderr)[0] == said(their_written.stderr)[0]
