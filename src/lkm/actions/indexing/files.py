"""The contents of all index files of a tree.

They are two halves, each made by a process of its own: what modules say about themselves, and how they link.
"""

from collections.abc import Callable, Sequence

from lkm.formats.index_writer import encode_rows
from lkm.formats.module_facts import ModuleTexts
from lkm.rules.indexing import rows
from lkm.rules.indexing.tree import IndexedTree
from lkm.system.apart import joined, parted
from lkm.system.notices import Level, Notice

__all__ = [
    "BINARY",
    "TEXTS",
    "builtin_files",
    "in_order",
    "link_files",
    "link_texts",
    "packed",
    "say_duplicates",
    "unpacked",
    "word_files",
    "word_texts",
]

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

Files = dict[str, bytes]
Say = Callable[[Notice], None]


def in_order(files: Files) -> Files:
    """Put files in the order in which they are shown and written."""
    return {name: files[name] for name in sorted(files, key=_ORDER.index)}


def packed(files: Files, notices: Sequence[Notice]) -> bytes:
    """Make one text of what a process hands over."""
    said = [b"%d %b" % (one.level, one.text.encode("utf-8", "surrogateescape")) for one in notices]
    return joined(("\0".join(files).encode(), *files.values(), *said))


def unpacked(data: bytes) -> tuple[Files, list[Notice]]:
    """Take apart what :func:`packed` made."""
    parts = parted(data)
    names = parts[0].decode().split("\0")
    said = [part.decode("utf-8", "surrogateescape").split(" ", 1) for part in parts[1 + len(names) :]]
    files = dict(zip(names, parts[1:], strict=False))
    return files, [Notice(Level(int(level)), text) for level, text in said]


# --- what modules say about themselves --------------------------------------------------------------------------------


def word_texts(names: Sequence[bytes], words: Sequence[ModuleTexts], say: Say, *, weakdeps: bool) -> Files:
    """Make the text files of aliases, soft dependencies and device nodes."""
    aliases = [one.aliases for one in words]
    devnames, notices = rows.devname_text(names, aliases)
    for notice in notices:
        say(notice)
    files = {
        "modules.alias": rows.alias_text(names, aliases),
        "modules.softdep": rows.field_text(b"softdep", names, [one.softdeps for one in words]),
        "modules.devname": devnames,
    }
    if weakdeps:
        files["modules.weakdep"] = rows.field_text(b"weakdep", names, [one.weakdeps for one in words])
    return files


def word_files(names: Sequence[bytes], words: Sequence[ModuleTexts], say: Say, *, weakdeps: bool) -> Files:
    """Make these and the index of aliases."""
    files = word_texts(names, words, say, weakdeps=weakdeps)
    found, notices = rows.alias_rows(names, [one.aliases for one in words])
    for notice in notices:
        say(notice)
    return files | {"modules.alias.bin": encode_rows(found)}


# --- how modules link -------------------------------------------------------------------------------------------------


def link_texts(tree: IndexedTree) -> Files:
    """Make the text files of dependencies and symbols.

    :param tree: one without cycles
    """
    return _dependency_text(tree, tree.dependencies()) | _symbol_text(tree)


def link_files(tree: IndexedTree) -> Files:
    """Make these and their indexes.

    :param tree: one without cycles
    """
    wanted = tree.dependencies()
    dependencies = rows.dependency_rows(tree.names, tree.rows, wanted)
    return {
        **_dependency_text(tree, wanted),
        **_symbol_text(tree),
        "modules.dep.bin": encode_rows(dependencies),
        "modules.symbols.bin": encode_rows(rows.symbol_rows(tree.names, tree.owners)),
    }


def _dependency_text(tree: IndexedTree, wanted: Sequence[Sequence[int]]) -> Files:
    return {"modules.dep": rows.dependency_text(tree.rows, wanted)}


def _symbol_text(tree: IndexedTree) -> Files:
    return {"modules.symbols": rows.symbol_text(tree.names, tree.owners)}


# --- built-in modules, and what comes twice ---------------------------------------------------------------------------


def builtin_files(builtin: bytes | None, builtin_modinfo: bytes | None, say: Say) -> Files:
    """Make the indexes of built-in modules.

    :param builtin: the contents of modules.builtin
    :param builtin_modinfo: the contents of modules.builtin.modinfo
    """
    names, notices = rows.builtin_rows(builtin or b"")
    aliases, more = rows.builtin_alias_rows(builtin_modinfo or b"")
    for notice in (*notices, *more):
        say(notice)
    return {"modules.builtin.bin": encode_rows(names), "modules.builtin.alias.bin": encode_rows(aliases)}


def say_duplicates(tree: IndexedTree, words: Sequence[ModuleTexts], say: Say) -> None:
    """Say which rows come twice (``-w``)."""
    kinds = {
        "deps": rows.dependency_rows(tree.names, tree.rows, tree.dependencies()),
        "alias": rows.alias_rows(tree.names, [one.aliases for one in words])[0],
        "syms": rows.symbol_rows(tree.names, tree.owners),
    }
    for kind, found in kinds.items():
        for notice in rows.duplicates(kind, found):
            say(notice)
