"""Relocations of x86-64 (arch/x86/kernel/module.c ``apply_relocate_add``, 5.10 to 7.2)."""

from typing import TYPE_CHECKING

from lkm.errors import LkmError
from lkm.formats.elf.constants import SectionIndex
from lkm.rules.loading.relocated import UNKNOWN, Relocated, hold_zeros, offsets_of, types_of

if TYPE_CHECKING:
    from lkm.formats.elf.layouts import Layout
    from lkm.rules.loading.attempt import Attempt

__all__ = ["are_plain", "faults"]

_NONE, _ABS64, _PC32, _PLT32, _ABS32, _ABS32_SIGNED, _PC64 = 0, 1, 2, 4, 10, 11, 24
_SIZES = {_ABS64: 8, _PC32: 4, _PLT32: 4, _ABS32: 4, _ABS32_SIGNED: 4, _PC64: 8}
_RANGES = {_ABS32: range(1 << 32), _ABS32_SIGNED: range(-(1 << 31), 1 << 31)}
_FOUR_BYTES = frozenset({_PC32, _PLT32, _ABS32_SIGNED})
_EIGHT_BYTES = frozenset({_ABS64, _PC64})
_COMMON = _FOUR_BYTES | _EIGHT_BYTES | {_NONE}  # whose values fit at whatever address


def are_plain(attempt: "Attempt", records: memoryview, contents: memoryview | None, structures: "Layout") -> bool:
    """Tell whether a section's relocations are without a fault, and as nearly all sections': all of one size.

    :param records: whole Elf64_Rela
    :param contents: what the relocated section holds; None where it is memory without contents
    """
    types = types_of(records, structures)
    if _FOUR_BYTES.issuperset(types):
        size = 4
    elif _EIGHT_BYTES.issuperset(types):
        size = 8
    else:
        return False
    if size == _SIZES[_ABS32_SIGNED] and attempt.symbols.has_large_numbers:
        return False
    return hold_zeros(contents, offsets_of(records, structures), size)


def faults(attempt: "Attempt", relocated: Relocated) -> tuple[str, ...]:
    """Give the lines for the first relocation of a section that is refused.

    The modules of a tree have millions of relocations without a fault: what is of one size is looked at in bulk.
    """
    kinds = relocated.kinds
    if (
        kinds <= _COMMON
        and (kinds.isdisjoint(_FOUR_BYTES) or relocated.replaces_zeros(_FOUR_BYTES, 4))
        and (kinds.isdisjoint(_EIGHT_BYTES) or relocated.replaces_zeros(_EIGHT_BYTES, 8))
        and not (_ABS32_SIGNED in kinds and attempt.symbols.has_large_numbers)
    ):
        return ()
    for index, (offset, symbol, kind, addend) in enumerate(relocated.entries()):
        if kind == _NONE:
            continue
        size = _SIZES.get(kind)
        if size is None:
            return (f"module: {attempt.name}: Unknown rela relocation: {kind}",)
        is_used = relocated.is_zero(offset, size) is False
        if relocated.is_zero(offset, size) is None:
            attempt.undecidable.append(f"what relocation {index} of section {relocated.number} overwrites")
        overflow = _overflow(attempt, kind, symbol, addend, (relocated.number, index))
        if overflow and not (is_used and attempt.traits.skips_used_targets):
            return overflow
        if is_used:
            place = f"sec {relocated.number}, idx {index}, " if attempt.traits.places_relocation_faults else ""
            return (_used_target(attempt, place, kind),)
    return ()


def _used_target(attempt: "Attempt", place: str, kind: int) -> str:
    """Give the line for a relocation whose target already holds something."""
    attempt.undecidable.append("the addresses in the log")
    verb = "Skipping invalid" if attempt.traits.skips_used_targets else "Invalid"
    what = f"{place}type {kind}, loc {UNKNOWN}, val {UNKNOWN}"
    return f"module: x86/modules: {verb} relocation target, existing value is nonzero for {what}"


def _overflow(attempt: "Attempt", kind: int, symbol: int, addend: int, place: tuple[int, int]) -> tuple[str, ...]:
    """Give the lines for a value that does not fit into 32 bits; the last thing that is looked at in old kernels."""
    if kind not in _RANGES:
        return ()
    number = _number(attempt, symbol)
    if number is None:  # an address, and all addresses in a kernel are at the upper end of memory
        if kind == _ABS32_SIGNED:
            return ()
        attempt.undecidable.append("the addresses in the log")
        shown = UNKNOWN
    else:
        total = (number + addend) & (1 << 64) - 1
        if total in _RANGES[kind] or total - (1 << 64) in _RANGES[kind]:
            return ()
        shown = f"{total:x}"
    where = f" sec {place[0]} idx {place[1]}" if attempt.traits.places_relocation_faults else ""
    return (
        f"module: overflow in relocation type {kind} val {shown}{where}",
        f"module: `{attempt.name}' likely not compiled with -mcmodel=kernel",
    )


def _number(attempt: "Attempt", symbol: int) -> int | None:
    """Give what a symbol stands for where that is no address: a number, or nothing at all."""
    elf = attempt.image.elf
    try:
        section, value = elf.symbol_place(symbol)
        if section == SectionIndex.UNDEF:
            name = elf.symbol(symbol).name
            return None if name in attempt.profile.exports or name in attempt.offers else value
    except LkmError:
        attempt.undecidable.append("what a relocation of a symbol that does not exist comes to")
        return 0
    return value if section == SectionIndex.ABS else None
