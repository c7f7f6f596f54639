"""The binary indexes, as kmod's own modprobe reads them."""

import random
import subprocess
from pathlib import Path

import pytest
from tests.support.index_file import EMPTY, index_file
from tests.support.require import require_path, require_tool

from lkm.formats import modules_dep
from lkm.formats.index_trie import IndexTrie
from lkm.formats.modprobe_conf import parse

pytestmark = pytest.mark.peer

INDEXES = ("modules.dep", "modules.alias", "modules.symbols", "modules.builtin", "modules.builtin.alias")
SEPARATOR = "zz_separator"


@pytest.fixture(scope="module")
def tree() -> Path:
    """A distribution's module tree."""
    found = sorted(require_path("/lib/modules").glob("*/modules.alias.bin"))
    return require_path(found[0] if found else "/lib/modules/*/modules.alias.bin").parent


@pytest.fixture(scope="module")
def separator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("conf") / "separator.conf"
    path.write_text(f"alias {SEPARATOR} {SEPARATOR}\n")
    return path


def load(path: Path) -> IndexTrie:
    return IndexTrie(path.read_bytes())


def modprobe(root: Path, release: str, *arguments: str | Path) -> list[str]:
    command = [require_tool("modprobe"), "-d", root, "-S", release, *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout.decode("utf-8", "surrogateescape").split("\n")


def resolve(root: Path, release: str, separator: Path, texts: list[str]) -> list[list[str]]:
    """Ask modprobe which modules each text leads to."""
    questions = [word for text in texts for word in (text, SEPARATOR)]
    lines = modprobe(root, release, "-q", "-C", separator, "-a", "-R", "--", *questions)
    answers: list[list[str]] = [[]]
    for line in lines:
        if line == SEPARATOR:
            answers.append([])
        elif line:
            answers[-1].append(line)
    return answers[:-1]


def dumped(root: Path, release: str) -> list[str]:
    lines = modprobe(root, release, "-C", "/dev/null", "-c")
    return lines[lines.index("# End of configuration files. Dumping indexes now:") + 2 :]


def rows(index: IndexTrie) -> list[str]:
    return [f"alias {key} {value.text}" for key, value in index.items()]


# --- a distribution's tree --------------------------------------------------------------------------------------------


def test_everything_comes_in_the_order_of_modprobe_c(tree: Path) -> None:
    expected = dumped(Path("/"), tree.name)
    found = rows(load(tree / "modules.alias.bin")) + rows(load(tree / "modules.symbols.bin"))
    assert len(found) > 1000
    assert [*found, ""] == expected


def test_modules_dep_says_the_same_as_its_index(tree: Path) -> None:
    index = load(tree / "modules.dep.bin")
    written = modules_dep.parse((tree / "modules.dep").read_bytes())
    assert len(written) > 100
    for name, row in written.items():
        found = index.search(name)
        assert found is not None
        assert modules_dep.parse_row(found) == row
    assert len(list(index.items())) == len(written)


def test_aliases_of_devices_lead_to_the_same_modules(tree: Path, separator: Path) -> None:
    chance = random.Random(3)
    index = load(tree / "modules.alias.bin")
    keys = sorted({key for key, _ in index.items()})
    texts = [device(key, chance) for key in chance.sample(keys, min(3000, len(keys)))]
    texts += [mangled(text, chance) for text in texts[:500]]
    expected = resolve(Path("/"), tree.name, separator, texts)
    found = [index.match(text) for text in texts]
    assert sum(map(bool, found)) > len(texts) // 2
    assert [pair for pair in zip(texts, found, expected, strict=True) if pair[1] != pair[2]] == []


def device(key: str, chance: random.Random) -> str:
    """Make a device's alias that a key matches."""
    text = key.replace("[!", "[")
    while "[" in text:
        before, _, rest = text.partition("[")
        inside, _, after = rest.partition("]")
        text = before + inside[:1] + after
    return "".join(wild(chance) if character in "*?" else character for character in text)


def wild(chance: random.Random) -> str:
    return f"{chance.randrange(16**8):08X}"[: chance.choice([1, 2, 4, 8])]


def mangled(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text))
    return text[:place] + chance.choice("0Fvz:") + text[place + 1 :]


# --- trees made up ----------------------------------------------------------------------------------------------------


def made_up(chance: random.Random) -> dict[str, list[tuple[int, str]]]:
    """Make few, short keys that share beginnings and overlap; no kernel's build would write some of them."""
    entries: dict[str, list[tuple[int, str]]] = {}
    for _ in range(chance.randint(1, 25)):
        key = "".join(chance.choices(["a", "b", "c", "*", "?", "[ab]", "[!a]", "[a-b]", "[", "\\", "\\*", "!"], k=5))
        key = key[: chance.randint(1, 8)]
        values = [(chance.randrange(4), f"m{chance.randrange(30)}") for _ in range(chance.randint(1, 3))]
        entries[key] = sorted(values, key=lambda value: value[0])
    return entries


def write_tree(root: Path, entries: dict[str, list[tuple[int, str]]], *, parents_first: bool) -> None:
    tree = root / "lib/modules/made-up"
    tree.mkdir(parents=True)
    for name in INDEXES:
        (tree / f"{name}.bin").write_bytes(EMPTY)
    (tree / "modules.alias.bin").write_bytes(index_file(entries, parents_first=parents_first))


@pytest.mark.parametrize("seed", range(60))
def test_made_up_indexes_are_read_the_same(seed: int, tmp_path: Path, separator: Path) -> None:
    chance = random.Random(seed)
    entries = made_up(chance)
    write_tree(tmp_path, entries, parents_first=seed % 2 == 1)
    index = load(tmp_path / "lib/modules/made-up/modules.alias.bin")
    assert [*rows(index), ""] == dumped(tmp_path, "made-up")
    texts = ["".join(chance.choices("aabbc*?\\!x", k=chance.randint(1, 6))) for _ in range(60)]
    expected = resolve(tmp_path, "made-up", separator, texts)
    found = [index.match(text) for text in texts]
    assert [pair for pair in zip(texts, found, expected, strict=True) if pair[1] != pair[2]] == []


def test_softdeps_of_a_tree_have_no_bad_line(tree: Path) -> None:
    directives, problems = parse(require_path(tree / "modules.softdep").read_bytes(), "modules.softdep")
    assert directives
    assert problems == ()
