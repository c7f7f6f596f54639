"""modprobe's plans and answers, compared with kmod's; nothing is loaded or removed here."""

import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.front_ends import run_front_end, run_real
from tests.support.made_up_system import EMPTY_RELEASE, EXTRA_FILES, INDEX_FILES, System, make_system
from tests.support.pretend import pretending
from tests.support.real_tree import builtin_names, module_names, modules, tree

from lkm.interfaces.compat import modprobe_remove
from lkm.interfaces.messages import printable
from lkm.kernels.live import LiveKernel
from lkm.system.root import Root

pytestmark = pytest.mark.peer

CONFIGURATIONS = int(os.environ.get("LKM_CONFIGURATIONS") or (500 if os.environ.get("CI") == "true" else 60))
PATIENCE = 5  # seconds: kmod goes round in some soft dependencies until there is no memory left
UNSAID = (
    ": INFO: ",
    "starting with 'weakdep'",  # which kmod 30 does not know at all, and ours in part
    "kmod_module_get_holders",  # of what is not loaded there are none: no mistake
)
QUERIES = [
    ["-aD"],
    ["-aDi"],
    ["-aDb"],
    ["-aDq"],
    ["-aR"],
    ["-anv"],
    ["-anvb"],
    ["-an", "--first-time"],
    ["-arD"],
    ["-arDi"],
    ["-arn"],
    ["-arnv", "--first-time"],
]

# Small and large, with and without dependencies and soft dependencies; two that no tree has.
MODULES = [
    name
    for name in (
        *["vfat", "fat", "msdos", "xfs", "libcrc32c", "nls_utf8", "usb_storage", "e1000e", "snd_hda_intel", "nf_nat"],
        *["crc32c_generic", "unix", "nosuch", "foo"],
    )
    # What this kernel has built in counts as loading to kmod, whose tree says otherwise.
    if not Path(f"/sys/module/{name}").exists()
]
PATTERNS = [
    *["my-alias", "pci:v*", "vf?t", "[a-f]at", "fs-vfat", "usb:v1234*", "symbol:fat*", "a[!b]c", "abc", "net_pf_1"],
]
ASKED = [
    *["fs-vfat", "fs-ext4", "symbol:crc16", "net-pf-1", "usb:v1234", "abc", "my_alias", "crypto-crc32", "acc"],
    *["pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00", "pci:v00008086d0000A170sv00001028sd000006B2bc04sc03i00"],
]


def compare(*arguments: str) -> None:
    real = run_real("modprobe", *arguments)
    if real.status >= 0:  # kmod runs out of stack on soft dependencies that form a loop
        assert run_front_end("modprobe", *arguments).compared == real.compared


# --- the tree ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", QUERIES, ids=" ".join)
def test_every_module_and_built_in(query: list[str]) -> None:
    names = [name for name in module_names() if not Path("/sys/module", name.replace("-", "_")).exists()]
    compare("-S", tree().name, *query, *names, *builtin_names())


def test_holders_of_what_is_not_loaded() -> None:
    names = [name for name in module_names() if not Path("/sys/module", name.replace("-", "_")).exists()]
    compare("-S", tree().name, "-arnv", "--remove-holders", *names)


def test_many_aliases() -> None:
    rows = [line.split() for line in (tree() / "modules.alias").read_text().splitlines() if line.startswith("alias ")]
    symbols = [line.split()[1] for line in (tree() / "modules.symbols").read_text().splitlines()[1:]]
    wanted = [alias.replace("*", "0") for _, alias, _ in rows[:: max(1, len(rows) // 2200)]]
    compare("-S", tree().name, "-aR", *wanted, *symbols[::100])


def test_the_whole_configuration_and_the_indexes() -> None:
    compare("-S", tree().name, "-c")


# --- made-up systems --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies of the tree's indexes, where made-up systems can link to them."""
    place = tmp_path_factory.mktemp("indexes") / tree().name
    place.mkdir()
    for name in INDEX_FILES:
        shutil.copy(tree() / name, place)
    return place


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_plans_of_made_up_systems(seed: int, indexes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    system = make_system(tmp_path / "root", chance, indexes, MODULES, PATTERNS)
    pretend(system, monkeypatch)
    environment = pretending(system.root, system.release)
    for arguments in questions(chance, system):
        try:
            real = run_real("modprobe", *arguments, environment=environment, patience=PATIENCE)
        except subprocess.TimeoutExpired:
            continue
        if real.status < 0:
            continue  # its stack ran out, in others
        ours = run_front_end("modprobe", *arguments)
        output, expected = (outcome.output.replace(str(system.root), "") for outcome in (ours, real))
        # Of the directive that kmod 30 does not know ours shows what it is.
        output = "\n".join(line for line in output.split("\n") if not line.startswith("weakdep "))
        errors, said = (
            [printable(line.replace(str(system.root), "")) for line in outcome.errors if not is_unsaid(line)]
            for outcome in (ours, real)
        )
        assert (arguments, ours.status, output, errors) == (arguments, real.status, expected, said)


def is_unsaid(line: str) -> bool:
    """Tell whether only one of the two says this."""
    return any(words in line for words in UNSAID)


def pretend(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have our modprobe see the same system."""

    def live_kernel(kernel: LiveKernel) -> None:
        kernel.release, kernel._root = system.release, Root(str(system.root))

    monkeypatch.setattr(LiveKernel, "__init__", live_kernel)
    # A real kernel's directories have an order of their own; these have that of a disk, and /proc/modules has it too.
    monkeypatch.setattr(modprobe_remove, "in_sysfs_order", list)
    monkeypatch.setenv("LKM_ROOT", str(system.root))
    monkeypatch.setenv("LKM_RELEASE", system.release)
    monkeypatch.delenv("LKM_KERNEL", raising=False)


def questions(chance: random.Random, system: System) -> Iterator[list[str]]:
    """Make command lines about a system."""
    names = [*MODULES, *PATTERNS, *ASKED]
    if not system.tangled:
        yield ["-S", EMPTY_RELEASE, "-c"]
        yield ["-c", "-d", str(system.root), "-S", EMPTY_RELEASE, *other_configuration(chance, system)]
    for action in (["-aD"], ["-aR"], ["-anv"], ["-arnv"]):
        yield [*action, *more_options(chance), *chance.choices(names, k=6)]
    for action in (["-D"], ["-R"], ["-nv"], ["-rnv"]):
        elsewhere = other_configuration(chance, system) if chance.random() < 0.3 else []
        parameters = chance.sample(["x=1", 'y="a b"', "z=a b", "w='q r'", "plain", "é=ü"], chance.randrange(3))
        yield [*action, *elsewhere, *more_options(chance), chance.choice(names), *parameters]


def other_configuration(chance: random.Random, system: System) -> list[str]:
    """Name files and directories in place of modprobe.d."""
    places = [str(system.root / name) for name in (*EXTRA_FILES, "etc/modprobe.d", "missing")]
    return [word for place in chance.sample(places, chance.randint(1, 3)) for word in ("-C", place)]


def more_options(chance: random.Random) -> list[str]:
    return chance.sample(
        ["-b", "-i", "-q", "--first-time", "--remove-holders", "-D", "-v"], chance.choice([0, 0, 1, 2])
    )


# --- files and mistakes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--show-modversions", "--dump-modversions", "--show-exports"])
def test_what_is_in_files(option: str, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("hello, world\n" * 9)
    for path in [*modules()[::80], text, tmp_path, tmp_path / "nosuch"]:
        compare(option, str(path))


@pytest.mark.parametrize(
    "arguments",
    [
        *[[], ["-x"], ["--nope", "x"], ["--re", "x"], ["--=x"], ["-C"], ["--config"], ["--all=1"], ["-w", "1s", "x"]],
        *[["-D", "-S", "0", "x"], ["-D", "-d", "/nonexistent", "x"], ["-D", "-d", "a//b", "-S", "0", "x"], ["-D", ""]],
        *[["-R", "[x"], ["-R", "a/../b"], ["-r", "nosuch"], ["-rq", "nosuch"], ["-q", "nosuch"], ["-a", "nosuch"]],
    ],
    ids=" ".join,
)
def test_mistakes(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    compare(*arguments)


@pytest.mark.parametrize(
    "level", ["0", "2", "3", "7", "", " ", "3 x", " 4", "+3", "-1", "3x", "err", "errors", "info", "crit"]
)
def test_what_the_library_says_is_up_to_the_environment(
    level: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    conf = tmp_path / "bad.conf"
    conf.write_text("nonsense\n")
    monkeypatch.setenv("KMOD_LOG", level)
    for tool, arguments in (("modprobe", ("-S", tree().name, "-C", str(conf), "-D", "vfat")), ("lsmod", ())):
        real, ours = run_real(tool, *arguments), run_front_end(tool, *arguments)
        said = [line for line in real.errors if not re.search(r"\b(INFO|DEBUG)\b", line)]
        assert (ours.status, ours.output, ours.errors) == (real.status, real.output, said)


def test_options_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    conf = tmp_path / "a b.conf"
    conf.write_text("options vfat x=1\n")
    monkeypatch.setenv("MODPROBE_OPTIONS", f"-S {tree().name} -C{conf.parent}/a'\x20'b.conf -D")
    compare("vfat")
