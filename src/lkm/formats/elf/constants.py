"""The numbers of the ELF format that module work needs, under the names of the System V ABI and ``linux/elf.h``."""

from enum import IntEnum, IntFlag

__all__ = [
    "MAGIC",
    "ElfClass",
    "ElfData",
    "ElfType",
    "Machine",
    "SectionFlag",
    "SectionIndex",
    "SectionType",
    "SymbolBinding",
    "SymbolType",
]

MAGIC = b"\x7fELF"


class ElfClass(IntEnum):
    """``e_ident[EI_CLASS]``: the width of addresses."""

    ELF32 = 1
    ELF64 = 2


class ElfData(IntEnum):
    """``e_ident[EI_DATA]``: the byte order."""

    LITTLE = 1
    BIG = 2


class ElfType(IntEnum):
    """``e_type``: what the file is for."""

    NONE = 0
    REL = 1
    EXEC = 2
    DYN = 3
    CORE = 4


class Machine(IntEnum):
    """``e_machine``: the processors that Linux runs on (``linux/elf-em.h``)."""

    NONE = 0
    SPARC = 2
    I386 = 3
    M68K = 4
    MIPS = 8
    PARISC = 15
    PPC = 20
    PPC64 = 21
    S390 = 22
    ARM = 40
    SH = 42
    SPARCV9 = 43
    X86_64 = 62
    XTENSA = 94
    OPENRISC = 92
    MICROBLAZE = 189
    AARCH64 = 183
    RISCV = 243
    LOONGARCH = 258


class SectionType(IntEnum):
    """``sh_type``: what a section holds."""

    NULL = 0
    PROGBITS = 1
    SYMTAB = 2
    STRTAB = 3
    RELA = 4
    HASH = 5
    DYNAMIC = 6
    NOTE = 7
    NOBITS = 8
    REL = 9
    SHLIB = 10
    DYNSYM = 11
    INIT_ARRAY = 14
    FINI_ARRAY = 15
    PREINIT_ARRAY = 16
    GROUP = 17
    SYMTAB_SHNDX = 18


class SectionFlag(IntFlag):
    """``sh_flags``: how a section is treated."""

    WRITE = 0x1
    ALLOC = 0x2
    EXECINSTR = 0x4
    MERGE = 0x10
    STRINGS = 0x20
    INFO_LINK = 0x40
    LINK_ORDER = 0x80
    GROUP = 0x200
    TLS = 0x400
    COMPRESSED = 0x800


class SectionIndex(IntEnum):
    """The reserved section indexes: no section has a number from ``LORESERVE`` on, unless it is an extended one."""

    UNDEF = 0
    LORESERVE = 0xFF00
    LIVEPATCH = 0xFF20
    ABS = 0xFFF1
    COMMON = 0xFFF2
    XINDEX = 0xFFFF


class SymbolBinding(IntEnum):
    """The upper half of ``st_info``: who sees a symbol."""

    LOCAL = 0
    GLOBAL = 1
    WEAK = 2


class SymbolType(IntEnum):
    """The lower half of ``st_info``: what a symbol names.

    ``SPARC_REGISTER`` marks a declared global register, which is no undefined symbol though it has no section.
    """

    NOTYPE = 0
    OBJECT = 1
    FUNC = 2
    SECTION = 3
    FILE = 4
    COMMON = 5
    TLS = 6
    SPARC_REGISTER = 13
