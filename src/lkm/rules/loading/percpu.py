"""Memory for a module's per-CPU variables, of which little is set aside (kernel/module/main.c ``percpu_modalloc``)."""

import errno

from lkm.rules.loading.attempt import Attempt, Refusal
from lkm.rules.taint import Taint

__all__ = ["check_percpu"]

_PAGE = 4096
_RESERVED = 8 << 10  # PERCPU_MODULE_RESERVE (include/linux/percpu.h)
_RESERVED_WITH_PROFILING = 8 << 13  # with CONFIG_MEM_ALLOC_PROFILING
_LARGEST = 32 << 10  # PCPU_MIN_UNIT_SIZE


def check_percpu(attempt: Attempt) -> Refusal | None:
    """Refuse what does not fit where nothing else has been put yet; what does may find too little left."""
    if not attempt.percpu:
        return None
    section = attempt.headers.sections[attempt.percpu]
    size, alignment = section.size, section.alignment
    if not size:
        return None
    if alignment > _PAGE:
        attempt.say(f"{attempt.name}: per-cpu alignment {alignment} > {_PAGE}")
        alignment = _PAGE
    if size <= (_RESERVED_WITH_PROFILING if attempt.profile.has("MEM_ALLOC_PROFILING") else _RESERVED):
        return None
    if size > _LARGEST:
        attempt.say("------------[ cut here ]------------")
        attempt.say(f"illegal size ({size}) or align ({alignment}) for percpu allocation")
        attempt.add_taint(Taint.WARN, kernel_only=True)
    else:
        how = f"size={size} align={alignment} atomic=0, alloc from reserved chunk failed"
        attempt.say(f"percpu: allocation failed, {how}")
    attempt.undecidable.append("the dump of the kernel's stack in the log")
    attempt.say(f"{attempt.name}: Could not allocate {size} bytes percpu data")
    return Refusal(errno.ENOMEM)
