"""The rows of each index, as depmod writes them (kmod 30, tools/depmod.c ``output_*``)."""

import re
from collections.abc import Iterable, Sequence
from itertools import count

from lkm.formats.index_writer import Rows, row_value
from lkm.formats.module_name import from_path, normalise_alias
from lkm.rules.indexing.dependencies import KERNEL, Owners
from lkm.rules.indexing.name_hash import SYMBOL_BUCKETS, in_bucket_order
from lkm.system.notices import Level, Notice

__all__ = [
    "alias_rows",
    "alias_text",
    "builtin_alias_rows",
    "builtin_rows",
    "dependency_rows",
    "dependency_text",
    "devname_text",
    "duplicates",
    "field_text",
    "symbol_rows",
    "symbol_text",
]

_MAJOR = re.compile(rb"(char|block)-major-\s*([+-]?[0-9]+)-\s*([+-]?[0-9]+)")
_DEVNAME = b"devname:"
_MASK = 0xFFFF_FFFF
_DEVNAME_HEADER = b"# Device nodes to trigger on-demand module loading.\n"
_SOFTDEP_HEADERS = {
    b"softdep": b"# Soft dependencies extracted from modules themselves.\n",
    b"weakdep": b"# Weak dependencies extracted from modules themselves.\n",
}


# --- dependencies -----------------------------------------------------------------------------------------------------


def dependency_text(paths: Sequence[bytes], wanted: Sequence[Sequence[int]]) -> bytes:
    """Give modules.dep.

    :param paths: of the modules, as rows name them
    :param wanted: for each module all that it needs
    """
    return b"".join([b"%s\n" % row for row in _dependencies(paths, wanted)])


def dependency_rows(names: Sequence[bytes], paths: Sequence[bytes], wanted: Sequence[Sequence[int]]) -> Rows:
    """Give the rows of modules.dep.bin."""
    return list(names), list(map(row_value, _dependencies(paths, wanted), count()))


def _dependencies(paths: Sequence[bytes], wanted: Sequence[Sequence[int]]) -> list[bytes]:
    return [
        b" ".join([path + b":", *[paths[other] for other in others]]) if others else path + b":"
        for path, others in zip(paths, wanted, strict=True)
    ]


# --- aliases ----------------------------------------------------------------------------------------------------------


def alias_text(names: Sequence[bytes], aliases: Sequence[Sequence[bytes]]) -> bytes:
    """Give modules.alias: each alias as its module spells it."""
    parts = [b"# Aliases extracted from modules themselves.\n"]
    for name, own in zip(names, aliases, strict=True):
        if own:
            end = b" %b\n" % name
            parts += [b"alias ", (end + b"alias ").join(own), end]
    return b"".join(parts)


def alias_rows(names: Sequence[bytes], aliases: Sequence[Sequence[bytes]]) -> tuple[Rows, list[Notice]]:
    """Give the rows of modules.alias.bin, and what is said about aliases that it can't hold."""
    keys: list[bytes] = []
    values: list[bytes] = []
    notices: list[Notice] = []
    for number, (name, own) in enumerate(zip(names, aliases, strict=True)):
        if own:
            found = _keys(own, notices)
            keys += found
            values += [row_value(name, number)] * len(found)
    return (keys, values), notices


def _keys(aliases: Sequence[bytes], notices: list[Notice]) -> Sequence[bytes]:
    """Give the spellings by which aliases are looked up, of those that an index can hold."""
    joined = b"\0".join(aliases)
    if joined.isascii() and b"[" not in joined and b"]" not in joined:
        return joined.replace(b"-", b"_").split(b"\0") if b"-" in joined else aliases
    return [key for alias in aliases if (key := _key(alias, notices)) is not None]


def _key(alias: bytes, notices: list[Notice]) -> bytes | None:
    """Give the spelling by which an alias is looked up."""
    if not alias.isascii():
        notices.append(Notice(Level.WARNING, f"An index can't hold {_text(alias)}: it is not ASCII"))
        return None
    if b"-" not in alias and b"[" not in alias and b"]" not in alias:
        return alias
    key = normalise_alias(_text(alias))
    if key is None:
        notices.append(Notice(Level.WARNING, f"Unmatched bracket in {_text(alias)}"))
        return None
    return key.encode()


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


# --- symbols ----------------------------------------------------------------------------------------------------------


def symbol_text(names: Sequence[bytes], owners: Owners) -> bytes:
    """Give modules.symbols, in the order of kmod's hash table."""
    rows = [
        b"alias symbol:%s %s\n" % (symbol, names[owner])
        for symbol in in_bucket_order(owners, SYMBOL_BUCKETS)
        if (owner := owners[symbol]) != KERNEL
    ]
    return b"".join([b"# Aliases for symbols, used by symbol_request().\n", *rows])


def symbol_rows(names: Sequence[bytes], owners: Owners) -> Rows:
    """Give the rows of modules.symbols.bin."""
    values = list(map(row_value, names, count()))
    symbols = [symbol for symbol, owner in owners.items() if owner != KERNEL and symbol.isascii()]
    return [b"symbol:" + symbol for symbol in symbols], [values[owners[symbol]] for symbol in symbols]


# --- soft dependencies and device nodes -------------------------------------------------------------------------------


def field_text(key: bytes, names: Sequence[bytes], values: Sequence[Sequence[bytes]]) -> bytes:
    """Give modules.softdep or modules.weakdep.

    :param key: ``softdep`` or ``weakdep``
    """
    rows = [b"%s %s %s\n" % (key, name, value) for name, own in zip(names, values, strict=True) for value in own]
    return b"".join([_SOFTDEP_HEADERS[key], *rows])


def devname_text(names: Sequence[bytes], aliases: Sequence[Sequence[bytes]]) -> tuple[bytes, list[Notice]]:
    """Give modules.devname, and what is said about modules that name a device node without its numbers."""
    rows: list[bytes] = []
    notices: list[Notice] = []
    for name, own in zip(names, aliases, strict=True):
        if _DEVNAME not in b"\0".join(own) or not any(alias.startswith(_DEVNAME) for alias in own):
            continue
        node, device = _device(own)
        if device:
            rows.append(b"%s %s %s\n" % (name, node, device))
        else:
            text = (
                f"Module '{_text(name)}' has devname ({_text(node)}) but lacks major and minor information. Ignoring."
            )
            notices.append(Notice(Level.ERROR, text))
    return b"".join([_DEVNAME_HEADER, *rows]) if rows else b"", notices


def _device(aliases: Iterable[bytes]) -> tuple[bytes, bytes]:
    """Find a module's device node and its numbers; the first aliases that give both."""
    node: bytes | None = None
    device = b""
    for alias in aliases:
        if alias.startswith(_DEVNAME):
            node = alias[len(_DEVNAME) :]
        elif found := _MAJOR.match(alias):
            major, minor = (int(number) & _MASK for number in found.groups()[1:])
            device = b"%c%d:%d" % (found[1][:1], major, minor)
        if node is not None and device:
            break
    return node or b"", device


# --- built-in modules -------------------------------------------------------------------------------------------------


def builtin_rows(listed: bytes) -> tuple[Rows, list[Notice]]:
    """Give the rows of modules.builtin.bin.

    :param listed: the contents of modules.builtin
    """
    keys: list[bytes] = []
    notices: list[Notice] = []
    for line in listed.removesuffix(b"\n").split(b"\n") if listed else ():
        if not line[:1].isalpha():
            notices.append(Notice(Level.ERROR, f"Invalid modules.builtin line: {_text(line)}\n"))
            continue
        name = from_path(_text(line)).encode("utf-8", "surrogateescape")
        if name.isascii():
            keys.append(name)
    return (keys, [row_value(b"", 0)] * len(keys)), notices


def builtin_alias_rows(modinfo: bytes) -> tuple[Rows, list[Notice]]:
    r"""Give the rows of modules.builtin.alias.bin.

    :param modinfo: the contents of modules.builtin.modinfo, ``module.key=value\0``
    """
    keys: list[bytes] = []
    values: list[bytes] = []
    notices: list[Notice] = []
    for entry in modinfo.split(b"\0"):
        module, _, field = entry.partition(b".")
        key, _, value = field.partition(b"=")
        if key == b"alias" and value and module:
            alias = _key(value, notices)
            if alias is not None:
                keys.append(alias)
                values.append(row_value(module, 0))
    return (keys, values), notices


def duplicates(kind: str, rows: Rows) -> list[Notice]:
    """Say which rows come more than once (``-w``).

    :param kind: ``deps``, ``alias`` or ``syms``
    """
    seen: set[tuple[bytes, bytes]] = set()
    notices: list[Notice] = []
    for key, value in zip(*rows, strict=True):
        text = value[8:-1]  # without number and priority
        if (key, text) in seen:
            shown = _text(text) if kind == "deps" else f"{_text(key)} {_text(text)}"
            notices.append(Notice(Level.WARNING, f"duplicate module {kind}:\n{shown}"))
        seen.add((key, text))
    return notices
