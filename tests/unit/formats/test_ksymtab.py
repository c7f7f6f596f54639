"""Exports, in every layout that kernels have had."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats import ksymtab
from lkm.formats.elf.constants import ElfType, Machine, SectionFlag, SectionIndex, SectionType, SymbolBinding
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, write

EXPORTS = (
    Export("alpha", 0xDEADBEEF, gpl_only=False, namespace=None),
    Export("beta", 1, gpl_only=False, namespace="SOME_NS"),
    Export("gamma", 0x80000000, gpl_only=True, namespace=None),
    Export("zeta", 0, gpl_only=True, namespace="OTHER"),
)
MACHINES = [
    Machine.X86_64,
    Machine.I386,
    Machine.AARCH64,
    Machine.ARM,
    Machine.RISCV,
    Machine.PPC64,
    Machine.PPC,
    Machine.S390,
    Machine.MIPS,
]
ABS64, PC32 = 1, 2
ALLOC = SectionFlag.ALLOC


def module(exports: tuple[Export, ...] = EXPORTS, *, machine: int = Machine.X86_64, flag_table: bool = False) -> bytes:
    return write(ModuleRecipe(name="sample", exports=exports, machine=machine, flag_table=flag_table))


class Table:
    """One ``__ksymtab`` in x86-64's format, of the kernel that a test needs."""

    def __init__(self, *, word: int = 4, fields: int = 3, names: tuple[str, ...] = ("alpha", "beta")) -> None:
        self.writer = ObjectWriter()
        self.word, self.fields, self.names = word, fields, names
        self.kind = PC32 if word == 4 else ABS64
        texts = "".join(f"{name}\0NS_{name}\0" for name in names).encode()
        self.strings = self.writer.add_section("__ksymtab_strings", data=b"\0" + texts, flags=ALLOC)
        self.code = self.writer.add_section(".text", data=bytes(64), flags=ALLOC)
        self.section = self.writer.add_section("__ksymtab", data=bytes(word * fields * len(names)), flags=ALLOC)
        self.base = self.writer.add_symbol("", section=self.strings, binding=SymbolBinding.LOCAL)

    def place(self, text: str) -> int:
        whole = b"\0" + "".join(f"{name}\0NS_{name}\0" for name in self.names).encode()
        return whole.index(b"\0" + text.encode() + b"\0") + 1

    def relocate(self, *, namespaces: bool = True) -> "Table":
        for index, name in enumerate(self.names):
            start = index * self.word * self.fields
            value = self.writer.add_symbol(name, section=self.code, value=8 * index)
            self.writer.add_relocation(self.section, start, value, self.kind, 0)
            self.writer.add_relocation(self.section, start + self.word, self.base, self.kind, self.place(name))
            if self.fields == 3 and namespaces:
                self.writer.add_relocation(
                    self.section, start + 2 * self.word, self.base, self.kind, self.place(f"NS_{name}")
                )
        return self

    def exports(self) -> tuple[Export, ...]:
        return ksymtab.exports(Elf(self.writer.to_bytes()))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("flag_table", [False, True])
def test_written_modules(machine: int, *, flag_table: bool) -> None:
    assert ksymtab.exports(Elf(module(machine=machine, flag_table=flag_table))) == EXPORTS


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("count", range(1, 9))
def test_any_number_of_exports(machine: int, count: int) -> None:
    exports = tuple(Export(f"name{index}", index, gpl_only=False, namespace=None) for index in range(count))
    assert ksymtab.exports(Elf(module(exports, machine=machine))) == exports


def test_without_crcs() -> None:
    exports = (Export("a", None, gpl_only=False, namespace=None), Export("b", None, gpl_only=True, namespace="N"))
    assert ksymtab.exports(Elf(module(exports))) == exports


def test_without_exports() -> None:
    assert ksymtab.exports(Elf(module(()))) == ()


@pytest.mark.parametrize("names", [("alpha",), ("alpha", "beta"), tuple("abcdef")])
@pytest.mark.parametrize("word", [4, 8])
def test_entries_with_a_namespace(word: int, names: tuple[str, ...]) -> None:
    found = Table(word=word, names=names).relocate().exports()
    assert [(export.name, export.namespace) for export in found] == [(name, f"NS_{name}") for name in names]


@pytest.mark.parametrize("names", [("alpha",), ("alpha", "beta"), tuple("abcdef")])
@pytest.mark.parametrize("word", [4, 8])
def test_entries_before_namespaces(word: int, names: tuple[str, ...]) -> None:
    found = Table(word=word, fields=2, names=names).relocate().exports()
    assert [(export.name, export.namespace) for export in found] == [(name, None) for name in names]


def test_assembly_code_leaves_the_namespace_field_empty() -> None:
    assert [export.namespace for export in Table().relocate(namespaces=False).exports()] == [None, None]


def test_a_distance_in_two_relocations() -> None:
    table = Table().relocate()
    for offset in (4, 16):
        table.writer.add_relocation(table.section, offset, 1, PC32, 0)
    assert [export.name for export in table.exports()] == ["alpha", "beta"]


def test_obsolete_tables() -> None:
    table = Table().relocate()
    old = table.writer.add_section("__ksymtab_unused_gpl", data=bytes(12), flags=ALLOC)
    table.writer.add_relocation(old, 4, table.base, PC32, table.place("beta"))
    assert table.exports()[-1] == Export("beta", None, gpl_only=True, namespace=None)


# --- CRCs -------------------------------------------------------------------------------------------------------------


def test_crcs_that_are_symbols() -> None:
    table = Table().relocate()
    crcs = table.writer.add_section("__kcrctab", data=bytes(8), flags=ALLOC)
    known = table.writer.add_symbol("__crc_alpha", value=0xFEDCBA98, section=SectionIndex.ABS)
    missing = table.writer.add_symbol("__crc_beta", binding=SymbolBinding.WEAK)
    table.writer.add_relocation(crcs, 0, known, 10, 0)
    table.writer.add_relocation(crcs, 4, missing, 10, 0)
    assert [export.crc for export in table.exports()] == [0xFEDCBA98, 0]


def test_crcs_as_wide_as_a_long() -> None:
    table = Table().relocate()
    crcs = table.writer.add_section("__kcrctab", data=bytes(16), flags=ALLOC)
    for index, crc in enumerate((0xFEDCBA98, 5)):
        symbol = table.writer.add_symbol(f"__crc_{index}", value=crc, section=SectionIndex.ABS)
        table.writer.add_relocation(crcs, 8 * index, symbol, ABS64, 0)
    assert [export.crc for export in table.exports()] == [0xFEDCBA98, 5]


def test_crcs_at_a_distance() -> None:
    table = Table().relocate()
    values = table.writer.add_section(".rodata", data=struct.pack("<3I", 0, 0xFEDCBA98, 5), flags=ALLOC)
    crcs = table.writer.add_section("__kcrctab", data=bytes(8), flags=ALLOC)
    for index in range(2):
        symbol = table.writer.add_symbol(f"__crc_{index}", value=4 + 4 * index, section=values)
        table.writer.add_relocation(crcs, 4 * index, symbol, PC32, 0)
    assert [export.crc for export in table.exports()] == [0xFEDCBA98, 5]


# --- linked images ----------------------------------------------------------------------------------------------------

NAMES = tuple(f"symbol_{index:02}" for index in range(12))
STRINGS = b"".join(name.encode() + b"\0" + (b"NS\0" if index % 2 else b"\0") for index, name in enumerate(NAMES))
TABLE_AT, STRINGS_AT, CRCS_AT, VALUES_AT = (
    0xFFFFFFFF82400000,
    0xFFFFFFFF82500000,
    0xFFFFFFFF82600000,
    0xFFFFFFFF82700000,
)


def field_distances(order: str, offset: int, *targets: int) -> bytes:
    base = TABLE_AT + offset
    return struct.pack(f"{order}3i", *(target - base - 4 * index for index, target in enumerate(targets)))


def field_pointers(order: str, _offset: int, *targets: int) -> bytes:
    return struct.pack(f"{order}3Q", *targets)


def image(entry: Callable[..., bytes], crcs: bytes, *, little_endian: bool = True, values: bytes = b"") -> ObjectWriter:
    order = "<" if little_endian else ">"
    table = b""
    for index, name in enumerate(NAMES):
        place = STRINGS_AT + STRINGS.index(name.encode() + b"\0")
        namespace = place + len(name) + 1
        table += entry(order, len(table), 0xFFFFFFFF81000000 + index, place, namespace)
    machine = Machine.X86_64 if little_endian else Machine.S390
    writer = ObjectWriter(machine, little_endian=little_endian, type=ElfType.EXEC)
    writer.add_section("__ksymtab_gpl", data=table, flags=ALLOC, address=TABLE_AT)
    writer.add_section("__ksymtab_strings", data=STRINGS, flags=ALLOC, address=STRINGS_AT)
    writer.add_section("__kcrctab_gpl", data=crcs, flags=ALLOC, address=CRCS_AT)
    writer.add_section(".rodata", data=values, flags=ALLOC, address=VALUES_AT)
    return writer


@pytest.mark.parametrize("little_endian", [True, False])
@pytest.mark.parametrize("entry", [field_distances, field_pointers])
def test_linked_images(entry: Callable[..., bytes], *, little_endian: bool) -> None:
    crcs = struct.pack(("<" if little_endian else ">") + "12I", *range(1000, 1012))
    elf = Elf(image(entry, crcs, little_endian=little_endian).to_bytes())
    assert ksymtab.exports(elf) == tuple(
        Export(name, 1000 + index, gpl_only=True, namespace="NS" if index % 2 else None)
        for index, name in enumerate(NAMES)
    )


def test_linked_crcs_at_a_distance() -> None:
    distances = struct.pack("<12i", *(VALUES_AT - CRCS_AT - 4 * index + 4 * (11 - index) for index in range(12)))
    values = struct.pack("<12I", *range(0xF0000000, 0xF000000C))
    elf = Elf(image(field_distances, distances, values=values).to_bytes())
    assert [export.crc for export in ksymtab.exports(elf)] == [0xF000000B - index for index in range(12)]


# --- what is no table -------------------------------------------------------------------------------------------------


def broken(change: Callable[[Table], object]) -> Table:
    table = Table()
    change(table)
    return table


def crc_relocation(table: Table, offset: int, **symbol: int) -> None:
    table.relocate()
    crcs = table.writer.add_section("__kcrctab", data=bytes(8), flags=ALLOC)
    table.writer.add_relocation(crcs, offset, table.writer.add_symbol("__crc_x", **symbol), PC32, 0)


def without_strings() -> Elf:
    writer = ObjectWriter()
    writer.add_section("__ksymtab", data=bytes(12), flags=ALLOC)
    return Elf(writer.to_bytes())


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,  # no relocations at all
        lambda table: table.writer.add_relocation(table.section, 4, table.base, PC32, 1),  # only the first entry
        lambda table: crc_relocation(table, 2, section=SectionIndex.ABS),
        lambda table: crc_relocation(table, 8, section=SectionIndex.ABS),
        lambda table: crc_relocation(table, 0, section=table.code, value=61),
        lambda table: crc_relocation(table, 0, section=500),
        lambda table: table.relocate().writer.add_section("__kcrctab", data=bytes(7), flags=ALLOC),
        lambda table: table.relocate().writer.add_section("__kflagstab", data=b"\0", flags=ALLOC),
    ],
)
def test_refused(change: Callable[[Table], object]) -> None:
    with pytest.raises(FormatError):
        broken(change).exports()


def test_refused_without_strings() -> None:
    with pytest.raises(FormatError):
        ksymtab.exports(without_strings())


def test_a_name_outside_of_the_strings() -> None:
    table = Table(names=("alpha",))
    table.writer.add_relocation(table.section, 4, table.base, PC32, 1000)
    with pytest.raises(FormatError):
        table.exports()


def test_a_table_that_takes_no_room_in_the_file() -> None:
    writer = ObjectWriter()
    writer.add_section("__ksymtab", SectionType.NOBITS, ALLOC, size=1 << 60)
    assert ksymtab.exports(Elf(writer.to_bytes())) == ()


@pytest.mark.parametrize("linked", [False, True])
@given(data=st.data())
@settings(max_examples=250)
def test_damaged_files(data: st.DataObject, *, linked: bool) -> None:
    crcs = struct.pack("<12I", *range(12))
    damaged = bytearray(image(field_distances, crcs).to_bytes() if linked else module())
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = ksymtab.exports(Elf(bytes(damaged)))
    except FormatError:
        return
    assert len(found) <= len(damaged) // 8
