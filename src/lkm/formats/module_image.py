"""A module's file as one object: each part is read when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lkm.errors import FormatError
from lkm.formats import ksymtab, modinfo, module_signature, parameters, symbol_versions, vermagic
from lkm.formats.elf.reader import Elf

if TYPE_CHECKING:
    from mmap import mmap

    from lkm.formats.elf.reader import Section
    from lkm.formats.ksymtab import Export
    from lkm.formats.modinfo import Modinfo
    from lkm.formats.module_signature import ModuleSignature
    from lkm.formats.parameters import Parameter
    from lkm.formats.symbol_versions import Import
    from lkm.formats.vermagic import Vermagic

__all__ = ["ModuleImage"]

_THIS_MODULE = ".gnu.linkonce.this_module"


class ModuleImage:
    """The contents of a module.

    Nothing is read, and nothing refused, before a property is asked for. What each raises it raises again when asked
    again; all are :class:`~lkm.errors.FormatError`, of which ElfError is a kind.

    :param data: the bytes of a module, not compressed; they must not change or be closed while the image is in use
    """

    def __init__(self, data: bytes | bytearray | memoryview | mmap) -> None:
        self.data = data

    @cached_property
    def elf(self) -> Elf:
        """The sections, symbols and relocations.

        :raises ElfError: this is no ELF file
        """
        return Elf(self.data)

    @cached_property
    def modinfo(self) -> Modinfo:
        """What the module says of itself; empty without a ``.modinfo`` section.

        :raises ElfError: this is no ELF file, or the section lies outside of it
        """
        return modinfo.parse(self.elf.contents_of(".modinfo") or b"")

    @cached_property
    def name(self) -> str:
        """The name that the kernel will give the module: that in ``struct module``, or else the one in modinfo.

        ``struct module`` begins with an enum and a list head, then has ``char name[64 - sizeof(unsigned long)]``
        (``include/linux/module.h``, 6.1, and the same since 2.6).

        :raises FormatError: there is no name, or this is no ELF file
        """
        section = self._this_module
        if section is not None:
            word = 8 if self.elf.is_64bit else 4
            field = bytes(self.elf.contents(section)[3 * word : 3 * word + 64 - word])
            name = field.partition(b"\0")[0].decode("utf-8", "surrogateescape")
            if name:
                return name
        name = self.modinfo.first("name") or ""
        if not name:
            raise FormatError("neither struct module nor modinfo names the module")
        return name

    @cached_property
    def struct_module_size(self) -> int | None:
        """The size of ``struct module`` in the kernel that the module was built for; None when there is none.

        :raises ElfError: this is no ELF file
        """
        section = self._this_module
        return None if section is None else section.size

    @cached_property
    def exports(self) -> tuple[Export, ...]:
        """The symbols that the module offers to others.

        :raises FormatError: as :func:`lkm.formats.ksymtab.exports`
        """
        return ksymtab.exports(self.elf)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """The symbols that the module needs.

        :raises FormatError: as :func:`lkm.formats.symbol_versions.imports`
        """
        return symbol_versions.imports(self.elf)

    @cached_property
    def versions(self) -> dict[str, int]:
        """Symbol → CRC, for all that the module was built against, ``module_layout`` among them.

        :raises FormatError: as :func:`lkm.formats.symbol_versions.versions`
        """
        return symbol_versions.versions(self.elf)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that the module declares.

        :raises FormatError: as :func:`lkm.formats.parameters.declared`
        """
        return parameters.declared(self.elf, self.modinfo)

    @cached_property
    def signature(self) -> ModuleSignature | None:
        """The trailer of the appended signature; None for an unsigned module. It need not be an ELF file.

        :raises FormatError: as :func:`lkm.formats.module_signature.split`
        """
        return module_signature.split(self.data)[1]

    @cached_property
    def vermagic(self) -> Vermagic | None:
        """The kernel and the basic options that the module was built for; None when it does not say.

        :raises ElfError: as :attr:`modinfo`
        """
        text = self.modinfo.first("vermagic")
        return None if text is None else vermagic.parse(text)

    @cached_property
    def _this_module(self) -> Section | None:
        return self.elf.section(_THIS_MODULE)
