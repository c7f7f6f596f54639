"""Our depmod and kmod's on the same trees: the same files, the same output, the same exit status."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.front_ends import run_front_end, run_real
from tests.support.module_trees import RELEASE, make_random_tree
from tests.support.require import require_path, require_tool

from lkm.formats.index_trie import IndexTrie
from lkm.interfaces.messages import printable

pytestmark = pytest.mark.peer

TEXTS = ("modules.dep", "modules.alias", "modules.softdep", "modules.symbols", "modules.devname")
INDEXES = ("modules.dep", "modules.alias", "modules.symbols", "modules.builtin", "modules.builtin.alias")
OURS = (sys.executable, "-m", "lkm", "depmod")
UNSAID = (": hint: ", ": INFO: ")  # of ours, and with -v of libkmod's own workings
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
    lines = [printable(line) for line in text.decode("utf-8", "replace").split("\n")]
    return sorted(line for line in lines if line and not any(words in line for words in UNSAID))


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        *["-x", "-b", "--q", "--o", "--nope", "--all=1", "--basedir", "-P ab", "nonsense", "6", "6.", "-u nonsense"],
        *["--quiet x", "--map x", "-r -q x", "-n -A", "-e -E /nosuch 6.1", "-F /nosuch 6.1", "-b /nosuch 6.1"],
        *["-b /nosuch 6.1 a.ko", "-b /nosuch 6.1 /nosuch.ko", "-A -b /nosuch 6.1", "--m -b /nosuch 6.1"],
        "-b /nosuch 6.1 /dev/null /dev/null",
    ],
)
def test_mistakes(arguments: str) -> None:
    kmod()
    real, ours = run_real("depmod", *arguments.split()), run_front_end("depmod", *arguments.split())
    said = [line for line in real.errors if not any(words in line for words in UNSAID)]
    assert (ours.status, ours.output, ours.errors) == (real.status, real.output, said)


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


@pytest.mark.parametrize("question", ["-c", "-aD", "-aR"])
def test_either_modprobe_works_on_the_indexes_of_either(both: tuple[Path, Path], release: str, question: str) -> None:
    """The whole configuration, every module, and 2,000 aliases."""
    words = {"-c": [], "-aD": module_names(both[1], release), "-aR": aliases(both[1], release)}[question]
    arguments = ("-S", release, "-C", "/dev/null", question, *words)
    found = []
    for tool in ((require_tool("modprobe"),), (sys.executable, "-m", "lkm", "modprobe")):
        for root in both:
            done = run((*tool, "-d", root, *arguments))
            found.append((done.returncode, done.stdout.replace(bytes(root), b"")))
    assert found == [found[0]] * 4
    assert found[0][1].count(b"\n") > 2000


def module_names(root: Path, release: str) -> list[str]:
    """Name all modules, as their files do."""
    rows = (root / "lib/modules" / release / "modules.dep").read_text().splitlines()
    return [Path(row.partition(":")[0]).name.partition(".")[0] for row in rows]


def aliases(root: Path, release: str) -> list[str]:
    """Give aliases that devices could have."""
    rows = (root / "lib/modules" / release / "modules.alias").read_text().splitlines()[1:]
    return [row.split()[1].replace("*", "0") for row in rows[:: max(1, len(rows) // 2200)]]


# --- trees made up ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(80))
def test_random_trees_get_the_same(seed: int, tmp_path: Path) -> None:
    tree = make_random_tree(tmp_path / "root", seed)
    arguments: tuple[str, ...] = ("-b", str(tree.root), *tree.options, RELEASE, *tree.files)
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
        assert first_cycle(our_written.stderr) == first_cycle(their_written.stderr)


def first_cycle(stderr: bytes) -> bytes:
    """Give the first cycle, or all that was said where there is none; kmod may have others begin elsewhere."""
    return next((line for line in stderr.split(b"\n") if b"Cycle detected: " in line), stderr)
