"""The contents of all index files of a tree."""

from collections.abc import Callable, Sequence

from lkm.formats.index_writer import Row, encode_rows
from lkm.rules.indexing import rows
from lkm.rules.indexing.tree import IndexedTree
from lkm.system.apart import Apart
from lkm.system.notices import Notice

__all__ = ["BINARY", "TEXTS", "index_files", "index_texts"]

TEXTS = ("modules.dep", "modules.alias", "modules.softdep", "modules.symbols", "modules.devname")
"""What ``depmod -n`` shows, in this order."""

BINARY = (
    "modules.dep.bin",
    "modules.alias.bin",
    "modules.symbols.bin",
    "modules.builtin.bin",
    "modules.builtin.alias.bin",
)

_ORDER = (*TEXTS, "modules.weakdep", *BINARY)
_LARGE = ("modules.alias", "modules.symbols")
_LENGTH = 8  # bytes of the number before each part that another process hands over
_FEWEST_ROWS = 4000  # from which on a second process pays

Say = Callable[[Notice], None]


def index_texts(tree: IndexedTree, say: Say, *, weakdeps: bool = False) -> dict[str, bytes]:
    """Make the text files.

    :param tree: one without cycles
    """
    return _in_order(_small_texts(tree, tree.dependencies(), say, weakdeps=weakdeps) | _large_texts(tree))


def index_files(
    tree: IndexedTree,
    builtin: bytes | None,
    builtin_modinfo: bytes | None,
    say: Say,
    *,
    weakdeps: bool = False,
    warns_of_duplicates: bool = False,
    meanwhile: Callable[[], None] | None = None,
) -> dict[str, bytes]:
    """Make all files, about half of the work in a process of its own.

    :param tree: one without cycles
    :param builtin: the contents of modules.builtin
    :param builtin_modinfo: the contents of modules.builtin.modinfo
    :param warns_of_duplicates: say which rows come twice
    :param meanwhile: what the other process does first
    """
    names = _names(tree)
    alias_rows, notices = rows.alias_rows(names, _aliases(tree))

    def apart() -> bytes:
        if meanwhile:
            meanwhile()
        texts = _large_texts(tree)
        return _joined([*(texts[name] for name in _LARGE), encode_rows(alias_rows)])

    other = Apart(apart, alone=len(alias_rows) < _FEWEST_ROWS)
    wanted = tree.dependencies()
    files = _small_texts(tree, wanted, say, weakdeps=weakdeps)
    dependency_rows = rows.dependency_rows(names, [module.row for module in tree.modules], wanted)
    symbol_rows = rows.symbol_rows(names, tree.owners)
    builtin_rows, more = rows.builtin_rows(builtin or b"")
    builtin_alias_rows, most = rows.builtin_alias_rows(builtin_modinfo or b"")
    files["modules.dep.bin"] = encode_rows(dependency_rows)
    files["modules.symbols.bin"] = encode_rows(symbol_rows)
    files["modules.builtin.bin"] = encode_rows(builtin_rows)
    files["modules.builtin.alias.bin"] = encode_rows(builtin_alias_rows)
    for notice in (*notices, *more, *most):
        say(notice)
    if warns_of_duplicates:
        _say_duplicates({"deps": dependency_rows, "alias": alias_rows, "syms": symbol_rows}, say)
    files |= zip((*_LARGE, "modules.alias.bin"), _parted(other.result()), strict=True)
    return _in_order(files)


def _in_order(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: files[name] for name in sorted(files, key=_ORDER.index)}


def _joined(parts: Sequence[bytes]) -> bytes:
    return b"".join([piece for part in parts for piece in (len(part).to_bytes(_LENGTH), part)])


def _parted(data: bytes) -> list[bytes]:
    parts = []
    place = 0
    while place < len(data):
        start = place + _LENGTH
        place = start + int.from_bytes(data[place:start])
        parts.append(data[start:place])
    return parts


def _large_texts(tree: IndexedTree) -> dict[str, bytes]:
    names = _names(tree)
    return {
        "modules.alias": rows.alias_text(names, _aliases(tree)),
        "modules.symbols": rows.symbol_text(names, tree.owners),
    }


def _small_texts(tree: IndexedTree, wanted: Sequence[Sequence[int]], say: Say, *, weakdeps: bool) -> dict[str, bytes]:
    names, aliases = _names(tree), _aliases(tree)
    devnames, notices = rows.devname_text(names, aliases)
    for notice in notices:
        say(notice)
    files = {
        "modules.dep": rows.dependency_text([module.row for module in tree.modules], wanted),
        "modules.softdep": rows.field_text(b"softdep", names, [module.facts.softdeps for module in tree.modules]),
        "modules.devname": devnames,
    }
    if weakdeps:
        weak = [module.facts.weakdeps for module in tree.modules]
        files["modules.weakdep"] = rows.field_text(b"weakdep", names, weak)
    return files


def _names(tree: IndexedTree) -> list[bytes]:
    return [module.name for module in tree.modules]


def _aliases(tree: IndexedTree) -> list[list[bytes]]:
    return [module.facts.aliases for module in tree.modules]


def _say_duplicates(kinds: dict[str, list[Row]], say: Say) -> None:
    for kind, found in kinds.items():
        for notice in rows.duplicates(kind, found):
            say(notice)
