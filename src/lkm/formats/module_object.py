"""A module under construction: an ELF object that knows its processor's conventions and its own symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lkm.errors import FormatError
from lkm.formats.elf.constants import SectionFlag, SectionType, SymbolBinding, SymbolType
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.module_architectures import architecture

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ModuleObject", "encoded"]


class ModuleObject:
    """Sections, symbols and relocations of a module to be written.

    :param machine: ``e_machine``
    :raises FormatError: modules for it can't be written
    """

    def __init__(self, machine: int) -> None:
        self.machine = machine
        self.architecture = architecture(machine)
        self.word = 8 if self.architecture.is_64bit else 4
        self._objects = ObjectWriter(
            machine, is_64bit=self.architecture.is_64bit, little_endian=self.architecture.little_endian
        )
        self._globals: dict[str, int] = {}

    def add(self, name: str, data: bytes, flags: int = 0, *, alignment: int = 1, entry_size: int = 0) -> int:
        """Add a section that is loaded; return its number."""
        flags |= SectionFlag.ALLOC
        return self._objects.add_section(
            name, SectionType.PROGBITS, flags, data, alignment=alignment, entry_size=entry_size
        )

    def local(self, name: str, section: int, value: int) -> int:
        """Add a symbol that only this object sees; return it for :meth:`relocate`."""
        return self._objects.add_symbol(checked(name), value=value, section=section, binding=SymbolBinding.LOCAL)

    def define(self, name: str, section: int, value: int, size: int, kind: SymbolType) -> int:
        """Add a symbol that others see; return it.

        :raises FormatError: there is a symbol of this name
        """
        if name in self._globals:
            raise FormatError(f"two symbols of the name {name}")
        symbol = self._objects.add_symbol(checked(name), value=value, size=size, section=section, type=kind)
        self._globals[name] = symbol
        return symbol

    def need(self, name: str, *, weak: bool = False) -> int:
        """Return the symbol of a name, adding it as undefined when there is none yet."""
        symbol = self._globals.get(name)
        if symbol is None:
            binding = SymbolBinding.WEAK if weak else SymbolBinding.GLOBAL
            symbol = self._globals[name] = self._objects.add_symbol(checked(name), binding=binding)
        return symbol

    def point(self, section: int, offset: int, symbol: int) -> None:
        """Let a word of a section hold the address of a symbol."""
        self._relocate(section, offset, symbol, self.architecture.pointer)

    def refer(self, section: int, offset: int, symbol: int) -> None:
        """Let a field of ``struct kernel_symbol`` refer to a symbol, by address or distance as the processor does."""
        kind = self.architecture.distance
        self._relocate(section, offset, symbol, self.architecture.pointer if kind is None else kind)

    @property
    def reference_size(self) -> int:
        """How many bytes :meth:`refer` fills."""
        return self.word if self.architecture.distance is None else 4

    def numbers(self, values: Sequence[int], size: int) -> bytes:
        """Return an array of unsigned numbers in the processor's byte order.

        :raises FormatError: one does not fit into ``size`` bytes
        """
        little_endian = self.architecture.little_endian
        try:
            return b"".join(value.to_bytes(size, "little" if little_endian else "big") for value in values)
        except OverflowError as error:
            raise FormatError(f"a number that does not fit into {size} bytes") from error

    def to_bytes(self) -> bytes:
        """Return the file.

        :raises ElfError: a number does not fit into its field
        """
        return self._objects.to_bytes()

    def _relocate(self, section: int, offset: int, symbol: int, kind: int) -> None:
        addend = 0 if self.architecture.with_addend else None
        self._objects.add_relocation(section, offset, symbol, kind, addend)


def checked(text: str) -> str:
    """Return a text that can stand in a string table.

    :raises FormatError: it holds a NUL
    """
    if "\0" in text:
        raise FormatError(f"a NUL inside of {text!r}")
    return text


def encoded(text: str, size: int | None = None) -> bytes:
    """Return a text as bytes that a NUL ends, and that NULs fill up to ``size`` when that is given.

    :raises FormatError: it holds a NUL, or with one more byte is longer than ``size``
    """
    data = checked(text).encode("utf-8", "surrogateescape") + b"\0"
    if size is None:
        return data
    if len(data) > size:
        raise FormatError(f"{text!r} does not fit into {size} bytes")
    return data.ljust(size, b"\0")
