"""A made-up system to ask modprobe about: modprobe.d, a kernel command line, and modules that are loaded."""

import os
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EMPTY_RELEASE", "EXTRA_FILES", "INDEX_FILES", "System", "make_system"]

EMPTY_RELEASE = "empty"
"""A release whose tree has only soft dependencies of its own."""

INDEX_FILES = (
    *(f"modules.{name}.bin" for name in ("dep", "alias", "symbols", "builtin", "builtin.alias")),
    "modules.softdep",
)
"""What modprobe reads of a module tree."""

_DIRECTORIES = ("etc/modprobe.d", "run/modprobe.d", "usr/local/lib/modprobe.d", "lib/modprobe.d")
_FILES = ("a.conf", "b.conf", "B.conf", "modules.softdep", "z.conf", "c.alias", ".hidden.conf", "d.txt", "zz.conf")
_COMMANDS = ("/bin/true", "modprobe -i x $CMDLINE_OPTS && :", "echo  hi ", "$CMD$CMDLINE_OPTSLINE_OPTS")
_OPTIONS = ("a=1", "b=2 c", 'd="x y"', " e", "f=\t3 ", "g\\h", "$CMDLINE", "'")
_MISTAKES = (
    *("alias x", "blacklist", "wibble y", "options z", "softdep q", "install i", "alias [x y", "alias a]b c"),
    *(" indented vfat", "alias [a-b] v[1-2", "include /x", "# comment", "", "options vfat \\\n cont=1 \\\n"),
    *(
        "alias \\\\x vfat",
        "install fat\tx\\",
        "blacklist x-y z",
        "softdep vfat fat",
        "softdep fat pre:",
        "softdep fat pre: [x xfs",
        "softdep xfs post: a]",
        "options é x=ü",
    ),
    *(
        "softdep xfs post: pre: fat",
        "alias v?[!x-z]* vfat",
        "\tblacklist unix",
        "options fat x#y # z",
        "weakdep vfat fat",
    ),
)
_BLANKS = ("  ", "\t", " \t ", "\\\n", " \\\n\t", "\\ ", "\v", "\\\n\\\n ")
_MARGINS = ("", "", "", " ", "\t", "  ", "\\\n", "\r")
_LINE_ENDS = (*("\n",) * 8, "\n\n", "\n# a comment\n", "\n#alias vfat \\\n no\n", "\r\n", "\n \n", "\n\t# no comment\n")
EXTRA_FILES = ("one.conf", "two")
"""Files of the root that no directory of modprobe.d holds, to be named by ``-C``."""
_WORDS = (
    *(
        "quiet",
        "vfat.x=1",
        "snd-hda-intel.model=x",
        '"fat.r=1 2"',
        'xfs.x="a b"',
        "a].b=c",
        "z.y",
        "k=v.w",
        '"',
        "é.x=1",
    ),
    *(
        "modprobe.blacklist=vfat,usb-storage",
        "modprobe.blacklist=,fat,",
        "modprobe.blacklist=",
        ".x=1",
        "fat.=1",
        "fat.",
    ),
    *("x.y.z=1", "console=ttyS0,115200n8", "modprobe.blacklist=e1000e modprobe.blacklist=nf_nat", "'fat.q=a b'", "--"),
)


@dataclass(frozen=True)
class System:
    """A system below a root.

    :param tangled: a line that kmod itself shows wrongly: it takes two lists of a soft dependency for one
    """

    root: Path
    release: str
    tangled: bool

    def holders(self, name: str) -> list[str]:
        """List the users of a module in the order in which the file system here has them."""
        return os.listdir(self.root / "sys/module" / name / "holders")  # noqa: PTH208  the order counts


def make_system(root: Path, chance: random.Random, tree: Path, names: Sequence[str], patterns: Sequence[str]) -> System:
    """Write a system by chance.

    :param tree: a directory on the same file system with :data:`INDEX_FILES`, called as the release
    :param names: modules to make lines about, and to have loaded
    :param patterns: other texts that stand where names do
    """
    _take_over(tree, root / "lib/modules" / tree.name)
    (root / "lib/modules" / EMPTY_RELEASE).mkdir()
    if chance.random() < 0.5:
        shutil.copy(tree / "modules.softdep", root / "lib/modules" / EMPTY_RELEASE)
    written = "".join(_write_files(root, chance, names, patterns))
    (root / "proc").mkdir()
    line = chance.choice(" " * 5 + "\t").join(chance.choices(_WORDS, k=chance.randrange(6)))
    (root / "proc/cmdline").write_text(f"{line}\n")
    _write_loaded(root, chance, names)
    return System(root, tree.name, _is_tangled(written))


def _take_over(tree: Path, place: Path) -> None:
    """Link the indexes; a symbolic link would lead out of the root."""
    place.mkdir(parents=True)
    for name in INDEX_FILES:
        os.link(tree / name, place / name)
    # kmod looks whether dependencies are there; the system follows this link, out of the root.
    (place / "kernel").symlink_to(f"/lib/modules/{tree.name}/kernel")


def _is_tangled(text: str) -> bool:
    return any(
        line.lstrip().startswith("softdep") and 0 <= line.find("post:") < line.rfind("pre:")
        for line in text.replace("\\\n", "").replace("\\", "").split("\n")
    )


def _write_files(root: Path, chance: random.Random, names: Sequence[str], patterns: Sequence[str]) -> Iterator[str]:
    for directory in _DIRECTORIES:
        if chance.random() < 0.4:
            continue
        (root / directory).mkdir(parents=True)
        for name in chance.sample(_FILES, chance.randint(0, 3)):
            path = root / directory / name
            match chance.randrange(12):
                case 0:
                    path.mkdir()
                case 1:
                    path.symlink_to("/dev/null")
                case _:
                    text = _made_up_lines(chance, names, patterns)
                    path.write_text(text)
                    yield text
    for name in EXTRA_FILES:
        text = _made_up_lines(chance, names, patterns)
        (root / name).write_text(text)
        yield text


def _made_up_lines(chance: random.Random, names: Sequence[str], patterns: Sequence[str]) -> str:
    """Write a file of modprobe.d: directives, mistakes, comments, and white space in all odd places."""
    lines = (_roughened(chance, line) for line in _lines(chance, names, patterns))
    return "".join(line + chance.choice(_LINE_ENDS) for line in lines) + chance.choice(["", "", "", "#", "\\", "alias"])


def _roughened(chance: random.Random, line: str) -> str:
    """Put other white space where there is some, and a little where there is none."""
    if chance.random() < 0.6:
        return line
    rough = "".join(chance.choice(_BLANKS) if letter == " " and chance.random() < 0.4 else letter for letter in line)
    return chance.choice(_MARGINS) + rough + chance.choice(_MARGINS)


def _lines(chance: random.Random, names: Sequence[str], patterns: Sequence[str]) -> Iterator[str]:
    either = [*names, *patterns]
    for _ in range(chance.randint(1, 10)):
        match chance.randrange(10):
            case 0 | 1:
                yield f"alias {chance.choice(either)} {chance.choice(names)}"
            case 2:
                yield f"blacklist {chance.choice(either)}"
            case 3:
                yield f"options {chance.choice(either).replace('_', '-')} {chance.choice(_OPTIONS)}"
            case 4 | 5:
                directive = chance.choice(["install", "install", "remove", "remove"])
                yield f"{directive} {chance.choice([*either, '*', 'f*'])} {chance.choice(_COMMANDS)}"
            case 6 | 7:
                words = chance.choices(["pre:", "post:", *chance.choices(either, k=3)], k=chance.randrange(5))
                yield f"softdep {chance.choice([*either, '*'])} {' '.join(words)}"
            case 8:
                yield f"weakdep {chance.choice([*either, '*'])} {' '.join(chance.choices(either, k=2))}"
            case _:
                yield chance.choice(_MISTAKES)


_STATES = {"live": "Live", "coming": "Loading", "going": "Unloading"}  # as sysfs and as /proc/modules has them


def _write_loaded(root: Path, chance: random.Random, names: Sequence[str]) -> None:
    """Have some modules loaded, with users and states that need not make sense."""
    modules = root / "sys/module"
    modules.mkdir(parents=True)
    rows = []
    loaded = chance.sample(names, chance.randrange(len(names)))
    for name in loaded:
        place = modules / name
        (place / "holders").mkdir(parents=True)
        state = chance.choice(["live"] * 8 + ["coming", "going"])
        (place / "initstate").write_text(f"{state}\n")
        others = [other for other in loaded if other != name]
        users = chance.sample(others, min(len(others), chance.choice([0, 0, 0, 1, 2])))
        for user in users:
            (place / "holders" / user).mkdir()
        count = chance.choice([len(users), len(users), 0, 1])
        (place / "refcnt").write_text(f"{count}\n")
        listed = "".join(f"{user}," for user in os.listdir(place / "holders")) or "-"  # noqa: PTH208  the order counts
        rows.append(f"{name} 4096 {count} {listed} {_STATES[state]} 0x0000000000000000\n")
    (root / "proc/modules").write_text("".join(rows))
