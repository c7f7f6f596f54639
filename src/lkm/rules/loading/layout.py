"""How much memory a module takes once its init part is gone (kernel/module/main.c ``layout_sections``, 6.1 and 7.2)."""

from typing import TYPE_CHECKING

from lkm.formats.elf.constants import SectionFlag, SectionType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lkm.rules.loading.attempt import Attempt
    from lkm.rules.loading.section_headers import RawSection

__all__ = ["core_size"]

_PAGE = 4096
_RO_AFTER_INIT = frozenset({".data..ro_after_init", "__jump_table"})
_ALLOC, _WRITE, _CODE = SectionFlag.ALLOC.value, SectionFlag.WRITE.value, SectionFlag.EXECINSTR.value
_SYMTAB = SectionType.SYMTAB.value


def core_size(attempt: "Attempt") -> int:
    """Give the size that /proc/modules shows, in bytes, for a 64-bit kernel with KALLSYMS_ALL and STRICT_MODULE_RWX.

    Text, read-only data, read-only-after-init data and writable data each fill whole pages; the symbols that stay
    follow the data (kernel/module/kallsyms.c ``layout_symtab``). Sections named ``.init*`` are freed.
    """
    text: list[RawSection] = []
    constant: list[RawSection] = []
    later_constant: list[RawSection] = []
    data: list[RawSection] = []
    kept: set[int] = set()
    sections = attempt.headers.sections
    for index, (section, name) in enumerate(zip(sections, attempt.headers.names, strict=True)):
        if not section.flags & _ALLOC or index in attempt.dropped or name.startswith(".init"):
            continue
        kept.add(index)
        if section.flags & _CODE:
            text.append(section)
        elif not section.flags & _WRITE:
            constant.append(section)
        else:
            (later_constant if name in _RO_AFTER_INIT else data).append(section)
    size = _pages(_laid_out(_pages(_laid_out(0, constant)), later_constant))
    size = _laid_out(size, data)
    return _pages(_laid_out(0, text)) + _pages(_with_symbols(_pages(size), attempt, (kept | {attempt.percpu}) - {0}))


def _laid_out(start: int, sections: "Iterable[RawSection]") -> int:
    end = start
    for section in sections:
        end = _aligned(end, section.alignment) + section.size
    return end


def _with_symbols(start: int, attempt: "Attempt", kept: set[int]) -> int:
    """Add the kept symbols: records of 24 bytes, their names, a type byte each; and what stands first in each table."""
    named = attempt.symbols.names_in(kept)
    table = next((section for section in attempt.headers.sections if section.type == _SYMTAB), None)
    start = _aligned(start, table.alignment if table else 1)
    return start + (len(named) + 1) * (24 + 1) + sum(named) + 1


def _aligned(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment if alignment > 1 else value


def _pages(size: int) -> int:
    return _aligned(size, _PAGE)
