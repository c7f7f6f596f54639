"""What differs between processors in a written module: relocation types, and code that returns a number."""

from __future__ import annotations

from dataclasses import dataclass

from lkm.errors import FormatError
from lkm.formats.elf.constants import Machine

__all__ = ["Architecture", "architecture", "returning"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """How to write modules for a processor (its ELF supplement; ``arch/*/include/asm/elf.h`` in the kernel).

    :param is_64bit: ELFCLASS64
    :param little_endian: ELFDATA2LSB
    :param pointer: the relocation type of an address as wide as a pointer
    :param distance: the relocation type of a 32-bit distance from the field, or None where kernels use pointers instead
    :param with_addend: relocations are RELA
    """

    is_64bit: bool
    little_endian: bool
    pointer: int
    distance: int | None
    with_addend: bool


_ARCHITECTURES = {
    Machine.X86_64: Architecture(is_64bit=True, little_endian=True, pointer=1, distance=2, with_addend=True),
    Machine.I386: Architecture(is_64bit=False, little_endian=True, pointer=1, distance=2, with_addend=False),
    Machine.AARCH64: Architecture(is_64bit=True, little_endian=True, pointer=257, distance=261, with_addend=True),
    Machine.ARM: Architecture(is_64bit=False, little_endian=True, pointer=2, distance=None, with_addend=False),
    Machine.RISCV: Architecture(is_64bit=True, little_endian=True, pointer=2, distance=57, with_addend=True),
    Machine.PPC64: Architecture(is_64bit=True, little_endian=True, pointer=38, distance=26, with_addend=True),
    Machine.PPC: Architecture(is_64bit=False, little_endian=False, pointer=1, distance=None, with_addend=True),
    Machine.S390: Architecture(is_64bit=True, little_endian=False, pointer=22, distance=5, with_addend=True),
    Machine.MIPS: Architecture(is_64bit=False, little_endian=False, pointer=2, distance=None, with_addend=False),
}


def architecture(machine: int) -> Architecture:
    """Return what is known of a processor.

    :param machine: ``e_machine``
    :returns: its conventions
    :raises FormatError: modules for it can't be written
    """
    for known, conventions in _ARCHITECTURES.items():
        if known == machine:
            return conventions
    raise FormatError(f"modules for ELF machine {machine} can't be written")


def returning(machine: int, value: int) -> bytes:
    """Return machine code of a function that returns a number and does nothing else.

    :param machine: ``e_machine``
    :param value: a C int, as in -19 for -ENODEV
    :returns: the code; for all but x86 and arm64 zeros, which must not be run
    :raises FormatError: the number does not fit
    """
    if not -0x8000 <= value <= 0x7FFF:
        raise FormatError(f"{value} is no number that a module's function should return")
    if machine in {Machine.X86_64, Machine.I386}:
        # endbr64 (a no-op to processors without IBT); mov eax, value, or shorter xor eax, eax; ret
        load = b"\xb8" + value.to_bytes(4, "little", signed=True) if value else b"\x31\xc0"
        return b"\xf3\x0f\x1e\xfa" + load + b"\xc3"
    if machine == Machine.AARCH64:
        # bti c; movz w0, value or movn w0, ~value; ret
        load_word = 0x52800000 | value << 5 if value >= 0 else 0x12800000 | ~value << 5
        return b"".join(word.to_bytes(4, "little") for word in (0xD503245F, load_word, 0xD65F03C0))
    return bytes(8)
