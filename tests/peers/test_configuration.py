"""The configuration, as ``modprobe -c`` shows it: the same directives in the same order, the same complaints."""

import random
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.index_file import EMPTY
from tests.support.require import require_command, require_tool

from lkm.formats.modprobe_conf import Softdep
from lkm.system import configuration
from lkm.system.configuration import Configuration
from lkm.system.root import Root

pytestmark = pytest.mark.peer

SEEDS = range(80)
INDEXES = ("modules.dep", "modules.alias", "modules.symbols", "modules.builtin", "modules.builtin.alias")
END = "\n# End of configuration files. Dumping indexes now:\n\n"
SEPARATOR = "zz-separator"

COMMANDS = ["alias", "blacklist", "options", "install", "remove", "softdep", "include", "config", "nonsense", "#"]
NAMES = ["a", "b-c", "snd-*", "x[a-b]-y", "?", "net-pf-10", "a]", "[", "d_e", "\\e", "f\0g", "h\r", "\udcff", "é"]
TAILS = [
    "a=1",
    'b="x y"',
    "pre: a b",
    "post: c",
    "pre:",
    "/bin/true; echo $CMDLINE_OPTS",
    "\tz\t",
    "",
    " ",
    "pre: \v q",
]
BLANKS = [" ", " ", " ", "  ", "\t", "   ", " \t"]
ENDS = ["\n", "\n", "\n", "\n", "\n\n", " \n", "\\\n", "\\", "", "\r\n", "\n# comment\n", "\n # no comment\n"]
FILES = [
    "a.conf",
    "b.conf",
    "B.conf",
    "m.conf",
    "n.conf",
    "old.alias",
    ".hidden.conf",
    "c.conf~",
    "x.conf.bak",
    "é.conf",
]
WORDS = [
    "quiet",
    "a.b=1",
    "mo-d.par=x",
    '"q.r=1 2"',
    'w.x="a b"',
    "a].b=c",
    "modprobe.blacklist=a,b-c",
    "z.y",
    "k=v.w",
    '"',
]


@dataclass
class Machine:
    """A made-up place for configuration files."""

    root: Path
    paths: list[Path] = field(default_factory=list)
    cmdline: str = ""

    @property
    def tree(self) -> Path:
        return self.root / "lib/modules/made-up"

    def command(self, *arguments: str) -> list[str]:
        chosen = [word for path in self.paths for word in ("-C", str(path))]
        return [require_tool("modprobe"), "-d", str(self.root), "-S", "made-up", *chosen, *arguments]

    def read(self) -> Configuration:
        return configuration.read(
            Root(), directories=map(str, self.paths), cmdline=self.cmdline, tree_directory=str(self.tree)
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path, cmdline=this_command_line())
    made.tree.mkdir(parents=True)
    for name in INDEXES:
        (made.tree / f"{name}.bin").write_bytes(EMPTY)
    return made


def this_command_line() -> str:
    """The kernel's command line here, which modprobe reads in any case."""
    return Path("/proc/cmdline").read_bytes().decode("utf-8", "surrogateescape")


def line(chance: random.Random) -> str:
    words = [chance.choice(COMMANDS), chance.choice(NAMES)]
    # Where pre: comes after post:, modprobe -c shows words twice: it takes each list for one piece of memory.
    words += sorted(chance.choices([*NAMES, *TAILS], k=chance.randint(0, 3)), key=lambda word: word.startswith("post"))
    return chance.choice(["", "", "", " "]) + "".join(word + chance.choice(BLANKS) for word in words).rstrip(" ")


def text(chance: random.Random) -> bytes:
    lines = (line(chance) + chance.choice(ENDS) for _ in range(chance.randint(0, 12)))
    return "".join(lines).encode("utf-8", "surrogateescape")


def fill(machine: Machine, chance: random.Random) -> None:
    """Write directories and files, and choose which of them modprobe is told of."""
    # After a directory kmod takes a link that leads nowhere for one, too: its struct stat is the old one.
    has_nested, has_links = chance.choice([(True, False), (False, True)])
    for number in range(chance.randint(1, 4)):
        directory = machine.root / f"d{number}"
        directory.mkdir()
        for name in chance.sample(FILES, chance.randint(0, 6)):
            (directory / name).write_bytes(text(chance))
        if has_nested and chance.random() < 0.3:
            (directory / "nested.conf").mkdir()
        if has_links and chance.random() < 0.3:
            (directory / "link.conf").symlink_to(machine.root / "d0" / "a.conf")
        if has_links and chance.random() < 0.3:
            (directory / "loop.conf").symlink_to("loop.conf")
        machine.paths.append(directory)
    (machine.root / "plain").write_bytes(text(chance))
    extra = [machine.root / "plain", machine.root / "missing", machine.root / "d0" / "a.conf", Path("/dev/null")]
    machine.paths += chance.sample(extra, chance.randint(0, 3))
    chance.shuffle(machine.paths)
    if chance.random() < 0.5:
        (machine.tree / "modules.softdep").write_bytes(b"softdep tree pre: a b\n" + text(chance))


def shown(found: Configuration) -> str:
    """Write directives as ``modprobe -c`` does."""
    lines = [f"blacklist {line.module}" for line in found.blacklist]
    lines += [f"install {line.module} {line.command}" for line in found.installs]
    lines += [f"remove {line.module} {line.command}" for line in found.removes]
    lines += [f"alias {line.alias} {line.module}" for line in found.aliases]
    lines += [f"options {line.module} {line.options}" for line in found.options]
    lines += [f"softdep {line.module} {softdep(line)}" for line in found.softdeps]
    return "".join(f"{line}\n" for line in lines)


def softdep(line: Softdep) -> str:
    # kmod 30 forgets the space between the two.
    pre = f"pre: {' '.join(line.pre)}" if line.pre else ""
    return pre + (f"post: {' '.join(line.post)}" if line.post else "")


def complaints(found: Configuration) -> list[str]:
    """Write problems as kmod does on stderr."""
    return [
        f"libkmod: ERROR ../libkmod/{problem.kind.value}: {problem.text}"
        for problem in found.problems
        if problem.kind.is_printed
    ]


def run(command: Sequence[str]) -> tuple[str, str]:
    done = subprocess.run(command, capture_output=True, check=False)
    return decoded(done.stdout), decoded(done.stderr)


def decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("seed", SEEDS)
def test_made_up_configurations_are_read_the_same(seed: int, machine: Machine) -> None:
    fill(machine, random.Random(seed))
    output, messages = run(machine.command("-c"))
    found = machine.read()
    assert decoded(shown(found).encode("utf-8", "surrogateescape")) == output.removesuffix(END)
    assert output.endswith(END)
    assert "".join(f"{line}\n" for line in complaints(found)) == messages


def test_the_seeds_meet_every_kind_of_directive_and_problem(machine: Machine, tmp_path: Path) -> None:
    kinds = set()
    for seed in SEEDS:
        place = Machine(tmp_path / str(seed))
        place.tree.mkdir(parents=True)
        fill(place, random.Random(seed))
        found = place.read()
        kinds |= {type(line).__name__ for line in found.directives} | {problem.kind.name for problem in found.problems}
    assert kinds >= {"Alias", "Blacklist", "Options", "Install", "Remove", "Softdep"}
    assert kinds >= {"BAD_LINE", "DEPRECATED", "NESTED_DIRECTORY", "UNREADABLE", "MISSING"}


def test_this_machines_configuration_is_read_the_same() -> None:
    output, _ = run([require_tool("modprobe"), "-S", "none", "-c"])
    found = configuration.read(Root(), cmdline=this_command_line())
    assert shown(found) == output.removesuffix(END)


@pytest.mark.parametrize("seed", range(30))
def test_command_lines_are_read_the_same(seed: int, machine: Machine) -> None:
    require_command("unshare", "-rm", "true")
    chance = random.Random(seed)
    letters = "".join(chance.choices('ab..=""-[], \t\v', k=40))
    machine.cmdline = " ".join([*chance.choices(WORDS, k=chance.randint(1, 8)), letters]) + chance.choice(["", "\n"])
    (machine.root / "cmdline").write_text(machine.cmdline)
    machine.paths = [Path("/dev/null")]
    script = 'mount --bind "$0" /proc/cmdline && exec "$@"'
    source = str(machine.root / "cmdline")
    output, messages = run(["unshare", "-rm", "sh", "-c", script, source, *machine.command("-c")])
    found = machine.read()
    assert shown(found) == output.removesuffix(END)
    assert "".join(f"{line}\n" for line in complaints(found)) == messages


@pytest.mark.parametrize("seed", range(30))
def test_aliases_lead_to_the_same_names(seed: int, machine: Machine) -> None:
    chance = random.Random(seed)
    # Each ends in a letter that the separator does not end in.
    pieces = ["a", "b", "*", "?", "[ab]", "[!b]", "-"]
    patterns = ["".join(chance.choices(pieces, k=3)) + chance.choice("ab") for _ in range(12)]
    lines = [f"alias {pattern} m{number}\n" for number, pattern in enumerate(patterns)]
    path = machine.root / "aliases.conf"
    path.write_text(f"alias {SEPARATOR} {SEPARATOR}\n{''.join(lines)}")
    machine.paths = [path]
    names = ["".join(chance.choices("ab_", k=chance.randint(1, 4))) for _ in range(30)]
    questions = [word for name in names for word in (name, SEPARATOR)]
    output, _ = run(machine.command("-q", "-a", "-R", *questions))
    found = machine.read()
    assert list(answers(output)) == [[line.module for line in found.matching_aliases(name)] for name in names]


def answers(output: str) -> Iterator[list[str]]:
    answer: list[str] = []
    for row in output.split("\n"):
        if row == SEPARATOR.replace("-", "_"):
            yield answer
            answer = []
        else:
            answer.append(row)
