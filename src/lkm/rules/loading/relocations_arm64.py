"""Relocations of arm64, and the sections its modules need for far jumps.

Sources: arch/arm64/kernel/module.c ``apply_relocate_add``, ``module_init_ftrace_plt``, arch/arm64/kernel/module-plts.c
``module_frob_arch_sections`` (5.10 to 7.2); the numbers from include/uapi/asm/elf.h and include/asm/elf.h of arm64.
"""

import errno
from typing import TYPE_CHECKING

from lkm.rules.loading.attempt import Attempt, Refusal

if TYPE_CHECKING:
    from lkm.rules.loading.relocated import Relocated

__all__ = ["check_plts", "check_trampolines", "faults"]

_NONE = frozenset({0, 256})
_DATA = frozenset(range(257, 263))  # ABS64 ABS32 ABS16 PREL64 PREL32 PREL16
_MOVW = frozenset((*range(263, 273), *range(287, 294)))  # UABS, SABS; PREL
_IMMEDIATE = frozenset((*range(273, 281), 282, 283, 284, 285, 286, 299))
_KNOWN = _NONE | _DATA | _MOVW | _IMMEDIATE
# Those whose value must fit into a few bits that addresses of a kernel may or may not fit into.
_NARROW = frozenset({258, 259, 262, 263, 265, 267, 270, 271, 272, 273, 274, 279, 280})
_PLTS = (".plt", ".init.plt")
_TRAMPOLINES = (".text.ftrace_trampoline", ".init.text.ftrace_trampoline")


def faults(attempt: Attempt, relocated: "Relocated") -> tuple[str, ...]:
    """Give the line for the first relocation of a section that is of an unknown type."""
    kinds = relocated.kinds
    narrow = sorted(kinds & _NARROW)
    if narrow:
        shown = ", ".join(map(str, narrow))
        attempt.undecidable.append(f"whether the relocations of type {shown} in section {relocated.number} overflow")
    if kinds <= _KNOWN:
        return ()
    unknown = next(kind for _, _, kind, _ in relocated.entries() if kind not in _KNOWN)
    prefix = "" if attempt.traits.needs_plt_option else "Modules: "
    return (f"{prefix}module {attempt.name}: unsupported RELA relocation: {unknown}",)


def check_plts(attempt: Attempt) -> Refusal | None:
    """Refuse a module without room for far jumps."""
    if not _has_plts(attempt) or all(attempt.headers.all_named(name) for name in _PLTS):
        return None
    attempt.say(f"{attempt.name}: module PLT section(s) missing")
    return Refusal(errno.ENOEXEC)


def check_trampolines(attempt: Attempt) -> Refusal | None:
    """Refuse, without a word, a module without room for the jump to the function tracer."""
    if not attempt.profile.has("DYNAMIC_FTRACE") or not _has_plts(attempt):
        return None
    needed = _TRAMPOLINES if attempt.traits.has_init_trampoline else _TRAMPOLINES[:1]
    return None if all(attempt.headers.all_named(name) for name in needed) else Refusal(errno.ENOEXEC)


def _has_plts(attempt: Attempt) -> bool:
    return attempt.profile.has("ARM64_MODULE_PLTS") or not attempt.traits.needs_plt_option
