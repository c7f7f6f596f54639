"""Kernel images from a recipe: a linked vmlinux with what a profile reads, alone or in a bzImage."""

import gzip
import struct
from dataclasses import dataclass, field

from lkm.formats.elf.constants import ElfType, Machine, SectionFlag, SectionType
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.ksymtab import Export

__all__ = ["KernelRecipe", "btf_of", "bzimage", "certificate", "certificate_list", "ikconfig", "vmlinux"]

_ENTRY = 12  # bytes of struct kernel_symbol where fields are distances
_BASE = 0xFFFFFFFF81000000


def certificate(number: int = 1, *, version: int = 3) -> bytes:
    """Make what begins as an X.509 certificate does, and has its length; nothing else of it is real."""
    begin = b"\xa0\x03\x02\x01\x02\x02" if version == 3 else b"\x02\x02"
    body = begin + bytes([number]) * 200
    inner = b"\x30\x82" + len(body).to_bytes(2, "big") + body
    return b"\x30\x82" + len(inner).to_bytes(2, "big") + inner


def certificate_list(certificates: tuple[bytes, ...], *, room: int = 0, module_key: bool = True) -> bytes:
    """Lay certificates out as certs/system_certificates.S does, to be put at a multiple of 8 bytes."""
    joined = b"".join(certificates)
    padded = joined + bytes(room) + bytes(-(len(joined) + room) % 8)
    sizes = (len(joined), len(certificates[0])) if module_key and certificates else (len(joined),)
    return padded + b"".join(struct.pack("<Q", size) for size in sizes)


def ikconfig(text: str) -> bytes:
    """Pack a configuration as kernel/configs.c does."""
    return b"IKCFG_ST" + gzip.compress(text.encode(), mtime=0) + b"IKCFG_ED"


def btf_of(structs: dict[str, int], *, order: str = "<") -> bytes:
    """Describe structs without members, an integer before and a type of each other kind between them."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in structs)
    types = struct.pack(order + "IIII", 0, 1 << 24, 4, 32)
    for name, size in structs.items():
        types += struct.pack(order + "III", 0, 13 << 24 | 2, 0) + bytes(16)  # a prototype with two arguments
        types += struct.pack(order + "III", 0, 5 << 24 | 1, 8) + bytes(12)  # a nameless union with one member
        types += struct.pack(order + "III", names.index(b"\0" + name.encode() + b"\0") + 1, 4 << 24, size)
    header = struct.pack(order + "HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(names))
    return header + types + names


@dataclass(frozen=True)
class KernelRecipe:
    """A kernel to be made.

    :param flag_table: as from 7.1: one table, and a byte of flags for each symbol
    :param texts: what else stands in .rodata, each ended by NUL
    """

    release: str = "6.1.0-sample"
    options: str = "SMP preempt mod_unload modversions "
    exports: tuple[Export, ...] = ()
    flag_table: bool = False
    certificates: tuple[bytes, ...] = ()
    config: str | None = None
    parameters: tuple[tuple[str, int], ...] = ()
    btf: bytes = b""
    texts: tuple[str, ...] = field(default=())


def vmlinux(recipe: KernelRecipe) -> bytes:
    """Make the ELF image of an x86-64 kernel."""
    writer = ObjectWriter(Machine.X86_64, type=ElfType.EXEC)
    rodata = b"\0".join(
        text.encode()
        for text in (
            "Linux version %s (%s)",
            f"Linux version {recipe.release} (somebody@example.org) (cc) # SMP\n",
            f"Linux version {recipe.release} (somebody@example.org) (cc) #7 SMP 2026-01-01\n",
            f"{recipe.release} {recipe.options}",
            *recipe.texts,
            "",
        )
    )
    if recipe.config is not None:
        rodata += ikconfig(recipe.config)
    _add(writer, ".rodata", rodata, _BASE)
    _add_exports(writer, recipe)
    _add_parameters(writer, recipe.parameters)
    _add(writer, ".init.data", bytes(16) + certificate_list(recipe.certificates) + bytes(64), _BASE + 0x800000)
    if recipe.btf:
        _add(writer, ".BTF", recipe.btf, _BASE + 0x900000)
    return writer.to_bytes()


def _add(writer: ObjectWriter, name: str, data: bytes, address: int) -> None:
    writer.add_section(name, SectionType.PROGBITS, SectionFlag.ALLOC, data, address=address, alignment=8)


def _add_exports(writer: ObjectWriter, recipe: KernelRecipe) -> None:
    strings_at = _BASE + 0x500000
    strings = b"\0"
    ordered = sorted(recipe.exports, key=lambda export: export.name)
    groups = {"": ordered} if recipe.flag_table else {"": [], "_gpl": []}
    for export in () if recipe.flag_table else ordered:
        groups["_gpl" if export.gpl_only else ""].append(export)
    for number, (suffix, exports) in enumerate(groups.items()):
        table_at = _BASE + 0x400000 + number * 0x10000
        table = b""
        for export in exports:
            name, strings = strings_at + len(strings), strings + export.name.encode() + b"\0"
            namespace = strings_at
            if export.namespace is not None:
                namespace, strings = strings_at + len(strings), strings + export.namespace.encode() + b"\0"
            place = table_at + len(table)
            table += struct.pack("<iii", _BASE - place, name - place - 4, namespace - place - 8)
        _add(writer, f"__ksymtab{suffix}", table, table_at)
        if any(export.crc is not None for export in exports):
            crcs = b"".join(struct.pack("<I", export.crc or 0) for export in exports)
            _add(writer, f"__kcrctab{suffix}", crcs, table_at + 0x100000)
    if recipe.flag_table:
        _add(writer, "__kflagstab", bytes(export.gpl_only for export in ordered), _BASE + 0x480000)
    _add(writer, "__ksymtab_strings", strings, strings_at)


def _add_parameters(writer: ObjectWriter, parameters: tuple[tuple[str, int], ...]) -> None:
    names_at = _BASE + 0x700000
    names, entries = b"", b""
    for name, permissions in parameters:
        entries += struct.pack("<Q16xH14x", names_at + len(names), permissions)
        names += name.encode() + b"\0"
    _add(writer, ".names", names, names_at)
    _add(writer, "__param", entries, _BASE + 0x710000)


def bzimage(payload: bytes, release: str = "6.1.0-sample") -> bytes:
    """Wrap a packed image as arch/x86/boot does: 27 sectors of setup, then the payload."""
    version = f"{release} (somebody@example.org) #7 SMP".encode() + b"\0"
    start = 512 * 28
    image = bytearray(start + 0x100) + payload + bytes(64)
    image[0x1F1] = 27
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<HxxxxxxH", image, 0x206, 0x020F, 0x3000)
    struct.pack_into("<II", image, 0x248, 0x100, len(payload))
    image[0x3200 : 0x3200 + len(version)] = version
    return bytes(image)
