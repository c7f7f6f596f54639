"""What ``depmod -e`` reports: symbols that nothing offers, and versions that differ.

Facts: kmod 30, tools/depmod.c ``depmod_load_module_dependencies``, ``depmod_load_symvers``,
``depmod_load_system_map``.
"""

from collections.abc import Callable, Mapping

from lkm.rules.indexing.dependencies import KERNEL
from lkm.rules.indexing.tree import IndexedTree, KernelSymbols
from lkm.system.notices import Level, Notice

__all__ = ["read_symvers", "read_system_map", "report"]

_FAKES = (b"__this_module", b"_GLOBAL_OFFSET_TABLE_", b"TOC.")  # what a kernel's loader puts in itself
_KSYMTAB = b"__ksymtab_"

Crcs = Callable[[int], tuple[Mapping[bytes, int], Mapping[bytes, int]]]


def read_symvers(data: bytes, shown: str, prefix: bytes, say: Callable[[Notice], None]) -> KernelSymbols:
    """Read the kernel's rows of a Module.symvers (``-E``)."""
    crcs: dict[bytes, int] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        words = line.replace(b"\t", b" ").split(b" ")
        columns = [word for word in words if word]
        if len(columns) < 3 or columns[2] != b"vmlinux":
            continue
        try:
            crc = int(columns[0], 16)
        except ValueError:
            text = columns[0].decode("utf-8", "surrogateescape")
            say(Notice(Level.ERROR, f"{shown}:{number} Invalid symbol version {text}: Success"))
            continue
        crcs[columns[1].removeprefix(prefix)] = crc
    return KernelSymbols(crcs | dict.fromkeys(_FAKES, 0), checks_versions=True)


def read_system_map(data: bytes, shown: str, prefix: bytes, say: Callable[[Notice], None]) -> KernelSymbols:
    """Read the exports of a System.map (``-F``)."""
    crcs: dict[bytes, int] = {}
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n") if data else (), 1):
        columns = line.split(b" ", 2)
        if len(columns) < 3:
            text = line.decode("utf-8", "surrogateescape")
            say(Notice(Level.ERROR, f"{shown}:{number}: invalid line: {text}\n"))
            continue
        symbol = columns[2].removeprefix(prefix)
        if symbol.startswith(_KSYMTAB):
            crcs[symbol.removeprefix(_KSYMTAB)] = 0
    return KernelSymbols(crcs | dict.fromkeys(_FAKES, 0))


def report(tree: IndexedTree, kernel: KernelSymbols, crcs: Crcs, say: Callable[[Notice], None]) -> None:
    """Say which symbols are unknown, and, where versions count, which differ.

    :param crcs: gives for a module by number the versions of its exports, and those that it was built against
    """
    owner_crcs: dict[int, Mapping[bytes, int]] = {}
    for number, module in enumerate(tree.modules):
        wanted = crcs(number)[1] if kernel.checks_versions else {}
        weak = set(module.symbols.weak)
        for symbol in module.symbols.needs:
            if symbol in weak:
                continue
            owner = tree.spelled.get(symbol)
            text = symbol.decode("utf-8", "surrogateescape")
            if owner is None:
                say(Notice(Level.WARNING, f"{module.path} needs unknown symbol {text}"))
            elif kernel.checks_versions:
                if owner != KERNEL and owner not in owner_crcs:
                    owner_crcs[owner] = crcs(owner)[0]
                offered = kernel.crcs if owner == KERNEL else owner_crcs[owner]
                if offered.get(symbol, 0) != wanted.get(symbol, 0):
                    say(Notice(Level.WARNING, f"{module.path} disagrees about version of symbol {text}"))
