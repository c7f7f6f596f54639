"""The newest module tree of this machine, for comparisons with real tools."""

from functools import cache
from pathlib import Path

from tests.support.require import require_path

__all__ = ["builtin_names", "module_names", "modules", "tree"]


@cache
def tree() -> Path:
    """Give the newest module tree that has indexes."""
    found = sorted(Path("/lib/modules").glob("*/modules.dep.bin"))
    return found[-1].parent if found else require_path("/lib/modules/RELEASE/modules.dep.bin")


def modules() -> list[Path]:
    """Give every module of the tree, in the order of modules.dep."""
    rows = (tree() / "modules.dep").read_text().splitlines()
    return [tree() / row.partition(":")[0] for row in rows]


def module_names() -> list[str]:
    """Give every module's name as its file spells it."""
    return [path.name.partition(".")[0] for path in modules()]


def builtin_names() -> list[str]:
    """Give the name of every module that is part of the kernel image, as its file would spell it."""
    return [Path(line).stem for line in (tree() / "modules.builtin").read_text().splitlines()]
