"""How much memory a module takes once its init part is gone (kernel/module/main.c ``layout_sections``, 6.1)."""

from lkm.formats.elf.constants import SectionFlag, SectionIndex, SectionType
from lkm.formats.elf.reader import Section
from lkm.formats.module_image import ModuleImage

__all__ = ["core_size"]

_PAGE = 4096
_RO_AFTER_INIT = frozenset({".data..ro_after_init", "__jump_table"})
_VERSIONS = "__versions"
_NOT_KEPT = frozenset({".modinfo", _VERSIONS, ".data..percpu"})


def core_size(image: ModuleImage, *, keeps_versions: bool = False) -> int:
    """Give the size that /proc/modules shows, in bytes, for a 64-bit kernel with KALLSYMS_ALL and STRICT_MODULE_RWX.

    Text, read-only data, read-only-after-init data and writable data each fill whole pages; the symbols that stay
    follow the data (kernel/module/kallsyms.c ``layout_symtab``). Sections named ``.init*`` are freed.

    :param keeps_versions: the kernel was told to overlook the symbol versions, and so does not throw them away either
    """
    gone = _NOT_KEPT - {_VERSIONS} if keeps_versions else _NOT_KEPT
    kept = [section for section in image.elf.sections if _is_kept(section, gone)]
    text = [section for section in kept if section.flags & SectionFlag.EXECINSTR]
    data = [section for section in kept if not section.flags & SectionFlag.EXECINSTR]
    writable = [section for section in data if section.flags & SectionFlag.WRITE]
    size = _pages(_laid_out(0, [section for section in data if not section.flags & SectionFlag.WRITE]))
    size = _pages(_laid_out(size, [section for section in writable if section.name in _RO_AFTER_INIT]))
    size = _laid_out(size, [section for section in writable if section.name not in _RO_AFTER_INIT])
    return _pages(_laid_out(0, text)) + _pages(_with_symbols(_pages(size), image, gone))


def _is_kept(section: Section, gone: frozenset[str]) -> bool:
    is_init = section.name.startswith(".init")
    return bool(section.flags & SectionFlag.ALLOC) and not is_init and section.name not in gone


def _laid_out(start: int, sections: list[Section]) -> int:
    end = start
    for section in sections:
        end = _aligned(end, section.alignment) + section.size
    return end


def _with_symbols(start: int, image: ModuleImage, gone: frozenset[str]) -> int:
    """Add the kept symbols: records of 24 bytes, their names, a type byte each."""
    sections = image.elf.sections
    kept = strings = 1
    for symbol in image.elf.symbols[1:]:
        if symbol.section == SectionIndex.UNDEF or symbol.section >= len(sections) or not symbol.name:
            continue
        section = sections[symbol.section]
        if section.name == ".data..percpu" or _is_kept(section, gone):
            kept += 1
            strings += len(symbol.name.encode("utf-8", "surrogateescape")) + 1
    table = next((section for section in sections if section.type == SectionType.SYMTAB), None)
    return _aligned(start, table.alignment if table else 1) + kept * 24 + strings + kept


def _aligned(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment if alignment > 1 else value


def _pages(size: int) -> int:
    return _aligned(size, _PAGE)
