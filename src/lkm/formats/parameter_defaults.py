"""What the parameters of a module are before anybody sets them: the initial values of its variables.

Facts: Linux 6.1, include/linux/moduleparam.h ``struct kernel_param``, ``kparam_string``, ``kparam_array``, and how
kernel/params.c shows each kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lkm.errors import ElfError, FormatError
from lkm.formats.elf.constants import ElfType, SectionType
from lkm.formats.elf.pointers import Pointers
from lkm.formats.elf.words import word

if TYPE_CHECKING:
    from lkm.formats.elf.reader import Elf

__all__ = ["defaults"]

_MOST_PARAMETERS = 4096
_MOST_ELEMENTS = 4096
_LONGEST_TEXT = 4096
# Bytes, and whether it is signed; 0 is as wide as a pointer.
_INTEGERS = {
    "byte": (1, False),
    "short": (2, True),
    "ushort": (2, False),
    "int": (4, True),
    "uint": (4, False),
    "hexint": (4, False),
    "bint": (4, True),
    "long": (0, True),
    "ulong": (0, False),
    "ullong": (8, False),
}
_BOOLEANS = {"bool": False, "bool_enable_only": False, "invbool": True}
_Place = tuple[int, int]  # a section's number, and an offset in it


def defaults(elf: Elf) -> dict[str, str]:
    """Give the initial values as sysfs would show them.

    Parameters whose kind is the module's own, or whose variables are not plain data, are missing.

    :param elf: a module; a linked image has none
    :raises FormatError: ``__param`` points outside of the file
    """
    section = elf.section("__param")
    if section is None or elf.type != ElfType.REL:
        return {}
    reader = _Reader(elf)
    pointers = Pointers(elf, section)
    size = reader.pointer
    found: dict[str, str] = {}
    count = min(section.size // (5 * size), _MOST_PARAMETERS)
    for start in range(0, count * 5 * size, 5 * size):
        name = pointers.place(start, size)
        ops = pointers.undefined_symbol(start + 2 * size)
        argument = pointers.place(start + 4 * size, size)
        if name is None or not ops or argument is None:
            continue
        try:
            value = reader.value(ops.removeprefix("param_ops_"), argument)
        except FormatError:
            continue  # what points outside has no default to show
        if value is not None:
            found.setdefault(elf.string(*name), value)
    return found


class _Reader:
    """Reads variables of a relocatable object."""

    def __init__(self, elf: Elf) -> None:
        self.pointer = 8 if elf.is_64bit else 4
        self._elf = elf
        self._pointers: dict[int, Pointers] = {}

    def value(self, kind: str, place: _Place) -> str | None:
        if kind in _INTEGERS:
            size, signed = _INTEGERS[kind]
            number = self._number(place, size or self.pointer, signed=signed)
            return f"{number:#08x}" if kind == "hexint" else str(number)
        if kind in _BOOLEANS:
            return "Y" if bool(self._number(place, 1)) is not _BOOLEANS[kind] else "N"
        match kind:
            case "charp":
                target = self._target(place)
                return "(null)" if target is None else self._text(target, _LONGEST_TEXT)
            case "string":
                target = self._target((place[0], place[1] + self.pointer))
                longest = self._number(place, 4)
                return None if target is None else self._text(target, min(longest, _LONGEST_TEXT))
            case "param_array_ops":
                return self._array(place)
        return None

    def _array(self, place: _Place) -> str | None:
        """``struct kparam_array``: unsigned int max, elemsize; pointers num, ops, elem."""
        section, at = place
        most, size = self._number(place, 4), self._number((section, at + 4), 4)
        num = self._target((section, at + 8))
        ops = self._symbol((section, at + 8 + self.pointer))
        elements = self._target((section, at + 8 + 2 * self.pointer))
        if elements is None or not ops or not 0 < size <= _LONGEST_TEXT:
            return None
        count = min(most, _MOST_ELEMENTS if num is None else self._number(num, 4), _MOST_ELEMENTS)
        kind = ops.removeprefix("param_ops_")
        shown = [self.value(kind, (elements[0], elements[1] + size * number)) for number in range(count)]
        texts = [text for text in shown if text is not None]
        return ",".join(texts) if len(texts) == len(shown) else None

    def _number(self, place: _Place, size: int, *, signed: bool = False) -> int:
        contents = self._contents(place[0])
        if contents is None:
            self._require_inside(place, size)
            return 0
        return word(self._elf, contents, place[1], size, signed=signed)

    def _text(self, place: _Place, longest: int) -> str:
        contents = self._contents(place[0])
        if contents is None:
            return ""
        if not 0 <= place[1] <= len(contents):
            raise ElfError("a text lies outside of its section")
        raw = bytes(contents[place[1] : place[1] + longest]).split(b"\0", 1)[0]
        return raw.decode("utf-8", "surrogateescape")

    def _target(self, place: _Place) -> _Place | None:
        """Follow a pointer; None where it is null, or points outside of the object."""
        found = self._relocated(place[0])
        target = found.place(place[1], self.pointer) if found else None
        return target if target and 0 < target[0] < self._elf.section_count else None

    def _symbol(self, place: _Place) -> str | None:
        found = self._relocated(place[0])
        return found.undefined_symbol(place[1]) if found else None

    def _relocated(self, index: int) -> Pointers | None:
        if self._contents(index) is None:
            return None
        if index not in self._pointers:
            self._pointers[index] = Pointers(self._elf, self._elf.section_table.one(index, ""))
        return self._pointers[index]

    def _contents(self, index: int) -> memoryview | None:
        """Give a section's bytes; None for one that holds zeros and has none in the file."""
        self._require_section(index)
        if self._elf.section_table.one(index, "").type == SectionType.NOBITS:
            return None
        return self._elf.section_table.contents(index)

    def _require_section(self, index: int) -> None:
        if not 0 < index < self._elf.section_count:
            raise ElfError("a parameter's variable is in no section")

    def _require_inside(self, place: _Place, size: int) -> None:
        if not 0 <= place[1] <= self._elf.section_table.one(place[0], "").size - size:
            raise ElfError("a parameter's variable lies outside of its section")
