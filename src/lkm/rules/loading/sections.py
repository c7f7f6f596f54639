"""Sections that a module must have, and such as it must not have (kernel/module/main.c, 6.1)."""

import errno

from lkm.formats.elf.constants import SectionFlag, SectionType
from lkm.rules.loading.attempt import Attempt, Refusal

__all__ = ["check_constructors", "check_module_sections", "check_section_flags"]

_WRITABLE_CODE = SectionFlag.WRITE | SectionFlag.EXECINSTR
_THIS_MODULE = ".gnu.linkonce.this_module"


def check_module_sections(attempt: Attempt) -> Refusal | None:
    """``setup_load_info``: a symbol table and a struct module must be there, of the kernel's size where it looks."""
    image = attempt.image
    name = attempt.modinfo.first("name")
    if name is None:
        name = "(missing .modinfo section or name field)"
    if not any(section.type == SectionType.SYMTAB for section in image.elf.sections):
        attempt.say(f"{name}: module has no symbols (stripped?)")
        return Refusal(errno.ENOEXEC)
    struct_module = attempt.section(_THIS_MODULE)
    if struct_module is None:
        attempt.say(_missing_struct_module(attempt, name))
        return Refusal(errno.ENOEXEC)
    expected = attempt.profile.struct_module_size
    if attempt.traits.checks_struct_module_size and expected and struct_module.size != expected:
        attempt.say(
            f"module {name}: {_THIS_MODULE} section size must match the kernel's built struct module size at run time"
        )
        return Refusal(errno.ENOEXEC)
    return None


def _missing_struct_module(attempt: Attempt, name: str) -> str:
    if attempt.traits.checks_struct_module_size:
        return f"module {name}: Exactly one {_THIS_MODULE} section must exist."
    return f"{name}: No module found in object"


def check_section_flags(attempt: Attempt) -> Refusal | None:
    """``module_enforce_rwx_sections`` (kernel/module/strict_rwx.c): nothing is writable and executable at once."""
    if not attempt.profile.has("STRICT_MODULE_RWX"):
        return None
    for section in attempt.image.elf.sections:
        if section.flags & _WRITABLE_CODE == _WRITABLE_CODE:
            attempt.say(f"{attempt.name}: section {section.name} (index {section.index}) has invalid WRITE|EXEC flags")
            return Refusal(errno.ENOEXEC)
    return None


def check_constructors(attempt: Attempt) -> Refusal | None:
    """``find_module_sections``: what is missing does no harm, constructors of two kinds do."""
    both = attempt.section(".ctors") is not None and attempt.section(".init_array") is not None
    if both and attempt.profile.has("CONSTRUCTORS"):
        attempt.say(f"{attempt.name}: has both .ctors and .init_array.")
        return Refusal(errno.EINVAL)
    if attempt.section("__obsparm") is not None:
        attempt.say(f"{attempt.name}: Ignoring obsolete parameters")
    return None
