"""Small random module trees: real module files, compressed or damaged, and what a kernel's build leaves beside them."""

import random
from dataclasses import dataclass, field, replace
from pathlib import Path

from lkm.formats.compression import Compression, compress
from lkm.formats.elf.constants import Machine
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.formats.symbol_versions import Import

__all__ = ["RELEASE", "RandomTree", "make_random_tree"]

RELEASE = "6.1.0-9-test"
DIRECTORIES = ("kernel/drivers", "kernel/fs/x", "kernel/net", "updates", "updates/dkms", "extra", "weak-updates/y", ".")
MACHINES = (*(Machine.X86_64,) * 4, Machine.S390, Machine.PPC, Machine.ARM, Machine.MIPS, Machine.AARCH64)
"""Either byte order with either word size."""
SUFFIXES = {Compression.NONE: ".ko", Compression.XZ: ".ko.xz", Compression.ZSTD: ".ko.zst"}
KERNEL = ("printk", "kmalloc", "register_netdev", ".dotted")
ALIASES = (
    "usb:v{0:04X}p*d*dc*dsc*dp*ic*isc*ip*in*",
    "pci:v0000{0:04X}d*sv*sd*bc*sc*i*",
    "fs-x{0}",
    "net-pf-{0}-proto-[0-9a-f]*",
    "char-major-{0}-*",
    "char-major-{0}-7",
    "block-major-{0}-1",
    "devname:node{0}",
    "bad]bracket{0}",
    "bad[bracket{0}",
    "x",
    "x-y",
    "acpi*:PNP{0}:*",
)


@dataclass(slots=True)
class RandomTree:
    """A tree, and the options of depmod that its making chose.

    :ivar root: a directory with ``lib/modules/RELEASE``
    :ivar files: module files to name after the release; mostly none
    :ivar machine: the processor of its modules
    """

    root: Path
    options: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    machine: int = Machine.X86_64
    cyclic: bool = False

    @property
    def directory(self) -> Path:
        return self.root / "lib/modules" / RELEASE


def make_random_tree(root: Path, seed: int) -> RandomTree:
    """Make the tree of a seed."""
    chance = random.Random(seed)
    tree = RandomTree(root)
    tree.directory.mkdir(parents=True)
    names = [
        f"{chance.choice('abcxyz')}{chance.choice(['-', '_', ''])}m{number}" for number in range(chance.randint(1, 14))
    ]
    tree.cyclic = chance.random() < 0.12
    tree.machine = chance.choice(MACHINES)
    placed = [_place(chance, tree, name, _recipe(chance, names, name, cyclic=tree.cyclic)) for name in names]
    again = chance.sample(names, chance.randint(0, len(names) // 2))
    placed += [_place(chance, tree, name, _recipe(chance, names, name, cyclic=False)) for name in again]
    _damage(chance, tree)
    _links(chance, tree)
    _build_files(chance, tree, placed)
    _configuration(chance, tree, names)
    _options(chance, tree)
    if chance.random() < 0.15:
        tree.files = [str(tree.directory / path) for path in chance.sample(placed, chance.randint(1, len(placed)))]
    return tree


def _recipe(chance: random.Random, names: list[str], name: str, *, cyclic: bool) -> ModuleRecipe:
    number = names.index(name)
    exports = [f"{name.replace('-', '_')}_{letter}" for letter in "ab"[: chance.randint(0, 2)]]
    if chance.random() < 0.15:
        exports.append("shared")
    wanted = chance.sample(KERNEL, chance.randint(0, 3))
    if chance.random() < 0.1 and number == 0 and "shared" not in exports:
        wanted.append("shared")
    for other in names[:number]:
        if chance.random() < 0.3:
            wanted.append(f"{other.replace('-', '_')}_{chance.choice('ab')}")
    if cyclic and number == 0 and len(names) > 1:
        wanted.append(f"{names[-1].replace('-', '_')}_a")
    versioned = chance.random() < 0.8
    imports = [
        Import(symbol, chance.random() < 0.1, chance.getrandbits(32) if versioned else None) for symbol in wanted
    ]
    modinfo = [("alias", chance.choice(ALIASES).format(chance.randrange(200))) for _ in range(chance.randint(0, 5))]
    modinfo += [("softdep", f"pre: {chance.choice(names)}")] * (chance.random() < 0.2)
    modinfo += [("weakdep", "w")] * (chance.random() < 0.1)
    chance.shuffle(modinfo)
    return ModuleRecipe(
        name=name.replace("-", "_"),
        modinfo=(*modinfo, ("license", "GPL")),
        exports=tuple(
            Export(symbol, chance.getrandbits(32) if versioned else None, gpl_only=False, namespace=None)
            for symbol in exports
        ),
        imports=tuple(imports),
        layout_crc=chance.getrandbits(32) if chance.random() < 0.7 else None,
        with_versions=versioned,
    )


def _place(chance: random.Random, tree: RandomTree, name: str, recipe: ModuleRecipe) -> str:
    directory = chance.choice(DIRECTORIES)
    kind = chance.choice([Compression.NONE] * 3 + [Compression.XZ, Compression.ZSTD])
    relative = f"{directory}/{name}{chance.choice(['.b', '', '', '', '', '', ''])}{SUFFIXES[kind]}".removeprefix("./")
    path = tree.directory / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(compress(write(replace(recipe, machine=tree.machine)), kind))
    return relative


def _damage(chance: random.Random, tree: RandomTree) -> None:
    """Add files that are no modules, or half of one."""
    whole = write(ModuleRecipe(name="whole", modinfo=(("alias", "whole"),)))
    kinds = {
        "text": b"this is no module at all\n",
        "empty": b"",
        "tiny": b"\x7fELF",
        "half": whole[: len(whole) // 2],
        "head": whole[:40],
        "class": whole[:4] + b"\x07" + whole[5:],
    }
    for name in chance.sample(sorted(kinds), chance.choice([0, 0, 1, 2, 3])):
        (tree.directory / f"{name}.ko").write_bytes(kinds[name])
    if chance.random() < 0.2:
        (tree.directory / "packed.ko.xz").write_bytes(compress(whole, Compression.XZ)[:-40])
    if chance.random() < 0.2:
        (tree.directory / "packed2.ko.zst").write_bytes(compress(whole, Compression.ZSTD)[:60])
    if chance.random() < 0.2:
        (tree.directory / "readme.txt").write_text("not a module\n")
        (tree.directory / ".hidden.ko").write_bytes(whole)


def _links(chance: random.Random, tree: RandomTree) -> None:
    if chance.random() < 0.3:
        elsewhere = tree.root / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "linked.ko").write_bytes(write(ModuleRecipe(name="linked", modinfo=(("alias", "linked"),))))
        (tree.directory / "link").symlink_to(elsewhere)
        (tree.directory / "file-link.ko").symlink_to(elsewhere / "linked.ko")
    if chance.random() < 0.2:
        (tree.directory / "build").mkdir()
        (tree.directory / "build/skipped.ko").write_bytes(b"never looked at")


def _build_files(chance: random.Random, tree: RandomTree, placed: list[str]) -> None:
    if chance.random() < 0.85:
        listed = [_plain(path) for path in chance.sample(placed, chance.randint(0, len(placed)))]
        chance.shuffle(listed)
        end = "" if chance.random() < 0.1 else "\n"
        text = "\n".join([*listed, "kernel/not/there.ko"]) + end
        (tree.directory / "modules.order").write_text(text)
    if chance.random() < 0.8:
        (tree.directory / "modules.builtin").write_text("kernel/net/unix.ko\nkernel/fs/ext-4.ko\n")
    if chance.random() < 0.8:
        modinfo = b"unix.license=GPL\0unix.alias=net-pf-1\0ext_4.alias=fs-ext4\0ext_4.alias=fs-[a]-b\0"
        (tree.directory / "modules.builtin.modinfo").write_bytes(modinfo)


def _plain(path: str) -> str:
    return path.removesuffix(".xz").removesuffix(".zst")


def _configuration(chance: random.Random, tree: RandomTree, names: list[str]) -> None:
    """Write a depmod.d; it is always named, so that the machine's own has no say."""
    directory = tree.root / "depmod.d"
    directory.mkdir()
    external = tree.root / "external"
    lines = []
    if chance.random() < 0.6:
        words = chance.sample(
            ["updates", "built-in", "extra", "external", "kernel/fs", "weak-updates"], chance.randint(1, 4)
        )
        lines.append("search " + chance.choice([" ", "\t"]).join(words))
    for name in chance.sample(names, min(len(names), chance.choice([0, 0, 1, 2]))):
        pattern = chance.choice(["*", r"^6\.1", "6.1.0-[0-9]+-test$", "5.10", "[[:digit:]]{2}", "(", "6|7", ".*"])
        lines.append(f"override {name} {pattern} {chance.choice(DIRECTORIES)}")
    if chance.random() < 0.3:
        external.mkdir()
        for name in chance.sample([*names, "outside"], 1):
            (external / f"{name}.ko").write_bytes(write(ModuleRecipe(name=name.replace("-", "_"))))
        lines += [f"external {chance.choice(['*', '^6', '^5'])} {external}", f"external * {tree.root}/missing"]
    if chance.random() < 0.2:
        lines.append("exclude extra net")
    lines += chance.choice(
        [[], ["# comment"], ["nonsense here"], ["override too few"], ["include x"], ["", "make_map_files"]]
    )
    chance.shuffle(lines)
    (directory / "a.conf").write_text("\n".join(_roughened(chance, line) for line in lines) + chance.choice(["\n", ""]))
    if chance.random() < 0.3:
        (directory / "b.conf").write_text("search up\\\ndates extra\n")
    (directory / "ignored.txt").write_text("search nowhere\n")
    single = tree.root / "single"
    single.write_text(f"search extra\noverride {names[0]} * extra\n")
    more = chance.choice([[], [], [], [single], [directory / "ignored.txt"], [tree.root / "nosuch"], [directory]])
    places = [directory, *more]
    chance.shuffle(places)
    tree.options += [word for place in places for word in ("-C", str(place))]


def _roughened(chance: random.Random, line: str) -> str:
    """Put other white space where there is some, and a little where there is none."""
    if chance.random() < 0.6:
        return line
    blanks = ("  ", "\t", " \t ", "\\\n", " \\\n\t", "\\ ", "\v")
    margins = ("", "", " ", "\t", "\\\n", "\r")
    rough = "".join(chance.choice(blanks) if letter == " " and chance.random() < 0.4 else letter for letter in line)
    return chance.choice(margins) + rough + chance.choice(margins)


def _options(chance: random.Random, tree: RandomTree) -> None:
    if chance.random() < 0.3:
        tree.options.append("-w")
    if chance.random() < 0.15:
        tree.options += ["-P", "_"]
    tree.options += chance.choice([[], [], [], ["-v"], ["-a"], ["-A"], ["-vv", "-a"]])
    match chance.randrange(5):
        case 0:
            path = tree.root / "Module.symvers"
            path.write_text(
                "".join(f"{chance.getrandbits(32):#010x}\t{name}\tvmlinux\tEXPORT_SYMBOL\t\n" for name in KERNEL)
            )
            tree.options += ["-e", "-E", str(path)]
        case 1:
            path = tree.root / "System.map"
            path.write_text(
                "".join(f"c0294200 R __ksymtab_{name}\nc0294200 T {name}\n" for name in KERNEL[:2]) + "bad\n"
            )
            tree.options += ["-e", "-F", str(path)]
        case 2:
            tree.options.append("-e")
