"""Sections that a module must not have, or not in this way (kernel/module/main.c, 5.10 to 7.2)."""

import errno

from lkm.formats.elf.constants import SectionFlag
from lkm.rules.loading.attempt import Attempt, Refusal

__all__ = ["check_constructors", "check_export_flags", "check_section_flags", "check_section_names"]

_WRITABLE_CODE = (SectionFlag.WRITE | SectionFlag.EXECINSTR).value
_ALLOC = SectionFlag.ALLOC.value
_SMALLEST_EXPORT = 12  # struct kernel_symbol with relative references
_OBSOLETE = ("__ksymtab_gpl", "__kcrctab_gpl")


def check_section_flags(attempt: Attempt) -> Refusal | None:
    """``module_enforce_rwx_sections`` (kernel/module/strict_rwx.c): nothing is writable and executable at once."""
    if not attempt.profile.has("STRICT_MODULE_RWX"):
        return None
    for index, section in enumerate(attempt.headers.sections):
        if section.flags & _WRITABLE_CODE == _WRITABLE_CODE:
            name = attempt.headers.names[index]
            attempt.say(f"{attempt.name}: section {name} (index {index}) has invalid WRITE|EXEC flags")
            return Refusal(errno.ENOEXEC)
    return None


def check_constructors(attempt: Attempt) -> Refusal | None:
    """``find_module_sections``: what is missing does no harm, constructors of two kinds do."""
    if attempt.traits.keeps_export_flags:
        for name in _OBSOLETE:
            if _has_address(attempt, name):
                attempt.say(f"{attempt.name}: ignoring obsolete section {name}")
    both = attempt.has_section(".ctors") and attempt.has_section(".init_array")
    if both and attempt.profile.has("CONSTRUCTORS"):
        attempt.say(f"{attempt.name}: has both .ctors and .init_array.")
        return Refusal(errno.EINVAL)
    if _has_address(attempt, "__obsparm"):
        attempt.say(f"{attempt.name}: Ignoring obsolete parameters")
    return None


def _has_address(attempt: Attempt, name: str) -> bool:
    """Tell whether ``section_addr`` finds a section: an empty one where nothing else is, is nowhere."""
    index = attempt.headers.in_memory(name)
    if not index:
        return False
    key = _region(attempt, index)
    sections = attempt.headers.sections
    others = (i for i, section in enumerate(sections) if section.flags & _ALLOC and i not in attempt.dropped)
    return any(sections[i].size and _region(attempt, i) == key for i in others)


def _region(attempt: Attempt, index: int) -> tuple[bool, int]:
    """Tell which memory a section goes to: one for all, or from 6.4 one for each kind; that of .init* is another."""
    flags = attempt.headers.sections[index].flags & _WRITABLE_CODE
    is_init = attempt.headers.names[index].startswith(".init")
    return is_init, flags if attempt.traits.separates_memory else 0


def check_export_flags(attempt: Attempt) -> Refusal | None:
    """``check_export_symbol_sections`` (7.2): a table of exports has a table of flags beside it."""
    table = attempt.headers.sections[attempt.headers.in_memory("__ksymtab")]
    has_flags = not attempt.traits.keeps_export_flags or attempt.has_section("__kflagstab")
    if table.size >= _SMALLEST_EXPORT and not has_flags:
        attempt.say(f"{attempt.name}: no flags for exported symbols")
        return Refusal(errno.ENOEXEC)
    return None


def check_section_names(attempt: Attempt) -> Refusal | None:
    """``add_sect_attrs`` (kernel/module/sysfs.c): each section in memory gets a file in sysfs, of which one is left."""
    headers = attempt.headers
    shown = [
        name
        for index, (section, name) in enumerate(zip(headers.sections, headers.names, strict=True))
        if section.flags & _ALLOC and section.size and index not in attempt.dropped  # sect_empty
    ]
    if len(set(shown)) == len(shown):
        return None
    twin = next(name for index, name in enumerate(shown) if name in shown[:index])
    attempt.say(f"sysfs: cannot create duplicate filename '/module/{attempt.name}/sections/{twin}'")
    attempt.undecidable.append("the dump of the kernel's stack in the log")
    return Refusal(errno.EEXIST) if attempt.traits.refuses_twin_sections else None
