"""modinfo, compared byte by byte with kmod's: every module of the newest tree, its built-ins, and damaged files."""

import random
from pathlib import Path

import pytest
from tests.support.front_ends import run_front_end, run_real
from tests.support.real_tree import builtin_names, module_names, modules, tree
from tests.support.require import missing

from lkm.formats.elf.reader import Elf

pytestmark = pytest.mark.peer

SELECTIONS = [
    [],
    ["-0"],
    ["-p"],
    ["-a"],
    ["-d"],
    ["-l"],
    ["-n"],
    ["-m"],
    ["-F", "alias"],
    ["-F", "firmware"],
    ["-F", "parmtype"],
    ["-F", "name"],
    ["-F", "signature"],
    ["-F", "LICENSE"],
    ["-0", "-F", "parm"],
]
CHANGED_FILES = range(120)


def compare(*arguments: str) -> None:
    assert run_front_end("modinfo", *arguments).compared == run_real("modinfo", *arguments).compared


@pytest.mark.parametrize("selection", SELECTIONS, ids=" ".join)
def test_every_module(selection: list[str]) -> None:
    compare("-k", tree().name, *selection, *module_names())


@pytest.mark.parametrize("selection", SELECTIONS, ids=" ".join)
def test_every_built_in(selection: list[str]) -> None:
    compare("-k", tree().name, *selection, *builtin_names())


@pytest.mark.parametrize("selection", [[], ["-n"]], ids=" ".join)
def test_files(selection: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree())
    paths = [str(path.relative_to(tree())) for path in modules()[::40]]
    compare(*selection, *paths, *[f"./{path}" for path in paths], *[str(tree() / path) for path in paths])


def test_aliases_and_what_is_none() -> None:
    rows = [line.split() for line in (tree() / "modules.alias").read_text().splitlines() if line.startswith("alias ")]
    wanted = [alias.replace("*", "0").replace("-", "_") for _, alias, _ in rows[::300]]
    compare("-k", tree().name, "-n", *wanted, "symbol:snd_card_new", "nosuch", "", "[x", "a/b", "x.ko", "unix")


@pytest.mark.parametrize(
    "arguments",
    [[], ["-x"], ["--nope", "x"], ["--f=x"], ["-F"], ["-k"], ["--null=1"], ["-k", "0", "x"], ["-b", "/x", "-m", "x"]],
    ids=" ".join,
)
def test_mistakes(arguments: list[str]) -> None:
    compare(*arguments)


@pytest.fixture(scope="module")
def plain_module() -> bytes:
    found = next((path.read_bytes() for path in modules() if path.suffix == ".ko"), None)
    if found is None:
        missing("all modules of the tree are compressed")
    return found


@pytest.mark.parametrize("seed", CHANGED_FILES)
def test_damaged_files(seed: int, plain_module: bytes, tmp_path: Path) -> None:
    random_ = random.Random(seed)
    path = tmp_path / "some-name.ko"
    path.write_bytes(changed(plain_module, random_))
    real = run_real("modinfo", str(path))
    found = run_front_end("modinfo", str(path))
    if real.status < 0:
        # kmod crashes where a damaged header leads it out of the file.
        assert found.status in {0, 1}
    else:
        assert found.compared == real.compared


def changed(module: bytes, random_: random.Random) -> bytes:
    """Change a few bytes of what modinfo reads, or cut the file.

    The signature is left alone: OpenSSL reads more, and refuses other texts, than a strict reader of DER.
    """
    elf = Elf(module)
    table = int.from_bytes(module[40:48], "little")
    modinfo = elf.section(".modinfo")
    assert modinfo is not None
    places = [(0, 64), (table, table + 64 * elf.section_count), (modinfo.offset, modinfo.offset + modinfo.size)]
    data = bytearray(module)
    for _ in range(random_.randint(1, 3)):
        place = random_.randrange(*random_.choice(places))
        data[place] = random_.choice([0, 0xFF, random_.randrange(256), data[place] ^ 1 << random_.randrange(8)])
    if random_.random() < 0.2:
        del data[random_.randrange(len(data)) :]
    return bytes(data)
