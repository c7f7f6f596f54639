"""What the indexes of a module tree need to know of a module, read from as few of its bytes as possible.

A run over a tree reads thousands of modules, so this takes sections by their raw bytes and leaves all else of the file
alone. Names are bytes here, as they stand in the file.

Facts: kmod 30, libkmod/libkmod-elf.c ``kmod_elf_new``, ``kmod_elf_get_symbols``, ``kmod_elf_get_dependency_symbols``,
``kmod_elf_get_strings``; what kmod calls EINVAL is :attr:`Damage.INVALID`.
"""

from enum import IntEnum
from functools import cache
from itertools import compress
from struct import Struct
from typing import NamedTuple

from lkm.formats.elf.constants import MAGIC, Machine, SymbolBinding, SymbolType
from lkm.formats.elf.layouts import IDENT_SIZE, Layout, column, layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[int, int], bytes]

__all__ = ["NOTHING", "Damage", "ModuleFacts", "ModuleSymbols", "ModuleTexts", "damaged", "read_facts"]


class Damage(IntEnum):
    """Why nothing is known of a module; the values are those of errno that kmod gives."""

    NONE = 0
    NO_ELF = 8  # ENOEXEC
    INVALID = 22  # EINVAL


class ModuleTexts(NamedTuple):
    """What a module says about itself: the values of three fields of .modinfo, in the file's order."""

    aliases: list[bytes]
    softdeps: list[bytes]
    weakdeps: list[bytes]


class ModuleSymbols(NamedTuple):
    """What a module offers to others, and needs of them.

    :param exports: the symbols that it offers
    :param needs: the symbols that it needs: undefined ones, then those it states only a version for
    :param weak: those of its needs that it can do without
    :param damage: errno of what keeps its symbols from being read, 0 where nothing does
    """

    exports: list[bytes]
    needs: list[bytes]
    weak: list[bytes]
    damage: int = 0


class ModuleFacts(NamedTuple):
    """The facts of one module; the two parts go into different indexes."""

    texts: ModuleTexts
    symbols: ModuleSymbols


NOTHING = ModuleFacts(ModuleTexts([], [], []), ModuleSymbols([], [], []))

_PREFIX = b"__crc_"
_RECORD = 64  # bytes of struct modversion_info, of 32 and of 64 bits
_SPARC = frozenset((Machine.SPARC.value, Machine.SPARCV9.value))
_UNDEFINED_TO_1 = bytes([1]) + bytes(255)
_OFFSET, _SIZE = 4, 5  # positions in Layout.section
_WEAK, _REGISTER = SymbolBinding.WEAK.value, SymbolType.SPARC_REGISTER.value


def damaged(errno: int) -> ModuleFacts:
    """Give the facts of a module of which nothing can be read."""
    return ModuleFacts(NOTHING.texts, ModuleSymbols([], [], [], errno))


def read_facts(read: "Read", size: int) -> ModuleFacts:
    """Read the facts of an uncompressed module.

    :param read: gives ``size`` bytes at an offset, or fewer where the file ends; called a few times
    :param size: of the file, in bytes
    """
    try:
        sections = _Sections(read, size)
    except _Damaged as error:
        return damaged(error.damage)
    info = sections.contents(b".modinfo")
    texts = _modinfo(info) if info else NOTHING.texts
    strings, symbols = sections.contents(b".strtab"), sections.contents(b".symtab")
    if not strings or not symbols or len(symbols) % sections.layout.symbol.size:
        return ModuleFacts(texts, ModuleSymbols(_bare_exports(sections), [], []))
    if strings[-1]:
        strings += b"\0"  # a last name without an end ends with its table
    exports = _exports(symbols, strings, sections.layout) if _PREFIX in strings else []
    needs, weak = _needs(sections, symbols, strings)
    return ModuleFacts(texts, ModuleSymbols(exports or _bare_exports(sections), needs, weak))


# --- sections ---------------------------------------------------------------------------------------------------------


class _Damaged(Exception):
    def __init__(self, damage: Damage) -> None:
        super().__init__(damage)
        self.damage = damage


class _Sections:
    """The section headers of a file, by name; as for kmod a section that is not all in the file does not exist."""

    __slots__ = ("_name_offsets", "_names", "_read", "_records", "_size", "layout", "machine")

    def __init__(self, read: "Read", size: int) -> None:
        self._read, self._size = read, size
        head = read(0, IDENT_SIZE + 48)  # the longer of the two headers
        self.layout = _class_layout(head, size)
        header = self.layout.header.unpack_from(head, IDENT_SIZE)
        self.machine, offset, (record_size, count, names) = header[1], header[5], header[10:13]
        length = count * self.layout.section.size
        if record_size != self.layout.section.size or offset + length > size or not 0 < names < count:
            raise _Damaged(Damage.INVALID)
        self._records = read(offset, length)
        if len(self._records) != length:
            raise _Damaged(Damage.INVALID)
        found = self._at(names)
        if not found or found[-1]:
            raise _Damaged(Damage.INVALID)
        self._names = found
        records = memoryview(self._records)
        self._name_offsets = column(records, self.layout.section, 0, "I", is_native=self.layout.is_native)
        self._name_offsets[0] = -1  # number 0 is no section

    def contents(self, name: bytes) -> bytes:
        """Give the bytes of the first section of a name that is all in the file; none where there is none."""
        wanted = name + b"\0"
        names, offsets = self._names, self._name_offsets
        place = names.find(wanted)
        if place < 0:
            return b""
        if names.find(wanted, place + 1) < 0:  # as a rule a name stands once, and one section has it
            if place not in offsets:
                return b""
            contents = self._at(offsets.index(place))
            if contents is not None:
                return contents
        for index in self._all(wanted):
            contents = self._at(index)
            if contents is not None:
                return contents
        return b""

    def _all(self, wanted: bytes) -> list[int]:
        """List the sections of a name with its NUL; as names may share their ends, it may stand at several places."""
        places = set()
        place = self._names.find(wanted)
        while place >= 0:
            places.add(place)
            place = self._names.find(wanted, place + 1)
        return [index for index, offset in enumerate(self._name_offsets) if offset in places]

    def _at(self, index: int) -> bytes | None:
        fields = self.layout.section.unpack_from(self._records, index * self.layout.section.size)
        offset, size = fields[_OFFSET], fields[_SIZE]
        if offset + size > self._size:
            return None
        contents = self._read(offset, size)
        return contents if len(contents) == size else None


def _class_layout(head: bytes, size: int) -> Layout:
    """Tell class and byte order (``elf_identify``: each header must be followed by at least one byte)."""
    if size <= IDENT_SIZE or head[:4] != MAGIC:
        raise _Damaged(Damage.NO_ELF)
    if head[4] not in {1, 2} or head[5] not in {1, 2}:
        raise _Damaged(Damage.INVALID)
    structures = layout(head[4] == 2, head[5] == 1)
    if min(size - 1, len(head)) < IDENT_SIZE + structures.header.size:
        raise _Damaged(Damage.INVALID)
    return structures


# --- .modinfo ---------------------------------------------------------------------------------------------------------


def _modinfo(section: bytes) -> ModuleTexts:
    entries = section.lstrip(b"\0")
    if len(entries) <= 1:
        return NOTHING.texts
    fields = entries.split(b"\0")
    aliases = [field[6:] for field in fields if field.startswith(b"alias=")] if b"alias=" in entries else []
    softdeps = [field[8:] for field in fields if field.startswith(b"softdep=")] if b"softdep=" in entries else []
    weakdeps = [field[8:] for field in fields if field.startswith(b"weakdep=")] if b"weakdep=" in entries else []
    return ModuleTexts(aliases, softdeps, weakdeps)


# --- exports ----------------------------------------------------------------------------------------------------------


def _exports(symbols: bytes, strings: bytes, structures: Layout) -> list[bytes]:
    """List what the symbols ``__crc_NAME`` tell; none if a symbol's name lies outside of the strings."""
    offsets = column(memoryview(symbols), structures.symbol, 0, "I", is_native=structures.is_native)
    if max(offsets[1:], default=0) >= len(strings):
        return []
    places = set()
    place = strings.find(_PREFIX)
    while place >= 0:
        places.add(place)
        place = strings.find(_PREFIX, place + 1)
    end = strings.index
    skipped = len(_PREFIX)
    return [strings[offset + skipped : end(0, offset)] for offset in offsets if offset in places]


def _bare_exports(sections: _Sections) -> list[bytes]:
    """List the texts of ``__ksymtab_strings``: what is left of exports without versions (and namespaces, to kmod)."""
    strings = sections.contents(b"__ksymtab_strings").lstrip(b"\0")
    return [name for name in strings.split(b"\0") if name] if len(strings) > 1 else []


# --- needs ------------------------------------------------------------------------------------------------------------


def _needs(sections: _Sections, symbols: bytes, strings: bytes) -> tuple[list[bytes], list[bytes]]:
    structures = sections.layout
    size = structures.symbol.size
    low, high = symbols[structures.st_shndx :: size], symbols[structures.st_shndx + 1 :: size]
    count = len(low)
    either = int.from_bytes(low, "little") | int.from_bytes(high, "little")
    marks = either.to_bytes(count, "little").translate(_UNDEFINED_TO_1)
    first = marks.find(1, 1)
    names: list[bytes] = []
    weak: list[bytes] = []
    if first >= 0:
        records, marks = memoryview(symbols)[first * size :], marks[first:]
        offsets = list(compress(column(records, structures.symbol, 0, "I", is_native=structures.is_native), marks))
        infos = bytes(compress(records[structures.st_info :: size], marks))
        if sections.machine in _SPARC:
            kept = [info & 0xF != _REGISTER for info in infos]
            offsets, infos = list(compress(offsets, kept)), bytes(compress(infos, kept))
        if offsets and max(offsets) >= len(strings):
            return [], []
        end = strings.index
        names = [strings[offset : end(0, offset)] for offset in offsets]
        if max(infos, default=0) >> 4 >= _WEAK:
            weak = [name for name, info in zip(names, infos, strict=True) if info >> 4 == _WEAK and name]
        if b"" in names:
            names = [name for name in names if name]
    versions = sections.contents(b"__versions")
    if versions and not len(versions) % _RECORD:
        names += _only_versioned(versions, names, word=8 if structures.is_64bit else 4)
    return names, weak


def _only_versioned(versions: bytes, names: list[bytes], *, word: int) -> list[bytes]:
    """List the names that have a version and are no undefined symbol: ``module_layout``, as a rule no other."""
    width = _RECORD - word
    fields = _fields(word, len(versions) // _RECORD).unpack(versions)
    left = set(fields).difference([name.ljust(width, b"\0") for name in names])
    if len(left) <= 1:
        return [field.partition(b"\0")[0] for field in left]
    # Something unusual: text behind the end of a name, or many names without a symbol.
    visited = set(names)
    only = []
    for field in fields:
        name = field.partition(b"\0")[0]
        if name in visited:
            visited.discard(name)  # kmod marks only the first entry of a name
        else:
            only.append(name)
    return only


@cache
def _fields(word: int, count: int) -> Struct:
    """Give what takes all the names out of a table of versions at once."""
    return Struct(f"{word}x{_RECORD - word}s" * count)
