"""modprobe's plans and answers, compared with kmod's; nothing is loaded or removed here."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.front_ends import run_front_end, run_real
from tests.support.real_tree import builtin_names, module_names, modules, tree

pytestmark = pytest.mark.peer

CONFIGURATIONS = range(40)
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
COMMANDS = ["/bin/true", "modprobe -i x $CMDLINE_OPTS && :", "echo  hi "]
OPTIONS = ["a=1", "b=2 c", 'd="x y"', " e", "f=\t3 ", "g\\h"]
MISTAKES = [
    *["alias x", "blacklist", "wibble y", "options z", "softdep q", "install i", "alias [x y", "alias a]b c"],
    *[" indented vfat", "alias [a-b] v[1-2", "include /x", "# comment", "", "options vfat \\\n cont=1 \\\n"],
]
FILES = ["a.conf", "b.conf", "modules.softdep", "z.conf", "c.alias", ".hidden.conf", "d.txt", "zz.conf"]


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
    wanted = [alias.replace("*", "0") for _, alias, _ in rows[::25]]
    compare("-S", tree().name, "-aR", *wanted, *symbols[::100])


def test_the_whole_configuration_and_the_indexes() -> None:
    compare("-S", tree().name, "-c")


# --- made-up configurations -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", CONFIGURATIONS)
def test_plans_with_a_configuration(seed: int, tmp_path: Path) -> None:
    random_ = random.Random(seed)
    for name in random_.sample(FILES, random_.randint(1, 4)):
        if random_.random() < 0.1:
            (tmp_path / name).mkdir()
        else:
            end = "\n" if random_.random() < 0.9 else ""
            (tmp_path / name).write_text("\n".join(lines(random_)) + end)
    for query in QUERIES:
        names = [*random_.choices([*MODULES, *PATTERNS], k=6), *random_.choices(ASKED, k=3)]
        compare("-S", tree().name, "-C", str(tmp_path), *query, *names)
    compare("-S", tree().name, "-C", str(tmp_path), "-D", random_.choice(names), "x=1", 'y="a b"', "z=a b", "w='q r'")


def lines(random_: random.Random) -> Iterator[str]:
    names = [*MODULES, *PATTERNS]
    for _ in range(random_.randint(1, 12)):
        match random_.randrange(9):
            case 0 | 1:
                yield f"alias {random_.choice(names)} {random_.choice(MODULES)}"
            case 2:
                yield f"blacklist {random_.choice(names)}"
            case 3:
                yield f"options {random_.choice(names).replace('_', '-')} {random_.choice(OPTIONS)}"
            case 4 | 5:
                directive = random_.choice(["install", "install", "remove"])
                yield f"{directive} {random_.choice([*names, '*', 'f*'])} {random_.choice(COMMANDS)}"
            case 6 | 7:
                words = random_.choices(["pre:", "post:", *random_.choices(names, k=3)], k=random_.randrange(5))
                yield f"softdep {random_.choice([*names, '*'])} {' '.join(words)}"
            case _:
                yield random_.choice(MISTAKES)


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


def test_options_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    conf = tmp_path / "a b.conf"
    conf.write_text("options vfat x=1\n")
    monkeypatch.setenv("MODPROBE_OPTIONS", f"-S {tree().name} -C{conf.parent}/a'\x20'b.conf -D")
    compare("vfat")
