"""Our reader against pyelftools, our writer against pyelftools and binutils."""

import subprocess
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest
from elftools.elf import enums
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import NoteSection, SymbolTableSection
from tests.support.require import require_path, require_tool

from lkm.formats.elf.constants import Machine, SectionFlag, SectionIndex, SectionType, SymbolBinding, SymbolType
from lkm.formats.elf.reader import Elf, Section, Symbol
from lkm.formats.elf.writer import ObjectWriter

pytestmark = pytest.mark.peer

SAMPLE = 48
LARGEST = 1 << 18

KINDS = [
    pytest.param(Machine.X86_64, True, True, id="x86-64"),
    pytest.param(Machine.PPC64, True, False, id="ppc64"),
    pytest.param(Machine.ARM, False, True, id="arm"),
    pytest.param(Machine.S390, False, False, id="s390"),
]


def modules() -> list[Path]:
    """Return some modules of each installed tree, spread over it, small enough for the oracle's pace."""
    paths = [path for path in sorted(require_path("/lib/modules").rglob("*.ko")) if path.stat().st_size < LARGEST]
    assert paths or require_path("/lib/modules/*/kernel/*.ko")
    return paths[:: max(1, len(paths) // SAMPLE)]


def number(value: int | str, names: Mapping[str, int]) -> int:
    return value if isinstance(value, int) else names[value]


def section_of(peer: object, index: int) -> Section:
    header = peer.header  # type: ignore[attr-defined]  # pyelftools has no types
    return Section(
        index,
        peer.name,  # type: ignore[attr-defined]  # (the same)
        number(header.sh_type, enums.ENUM_SH_TYPE_BASE),
        header.sh_flags,
        header.sh_addr,
        header.sh_offset,
        header.sh_size,
        header.sh_link,
        header.sh_info,
        header.sh_addralign,
        header.sh_entsize,
        header.sh_name,
    )


def symbol_of(peer: object) -> Symbol:
    entry = peer.entry  # type: ignore[attr-defined]  # pyelftools has no types
    return Symbol(
        peer.name,  # type: ignore[attr-defined]  # (the same)
        entry.st_value,
        entry.st_size,
        number(entry.st_shndx, enums.ENUM_ST_SHNDX),
        number(entry.st_info.bind, enums.ENUM_ST_INFO_BIND),
        number(entry.st_info.type, enums.ENUM_ST_INFO_TYPE),
        number(entry.st_other.visibility, enums.ENUM_ST_VISIBILITY) | entry.st_other.local << 5,
        extended=False,
    )


def compare(data: bytes) -> None:
    """Fail unless pyelftools reads the same as we do."""
    ours, peer = Elf(data), ELFFile(BytesIO(data))
    assert (ours.is_64bit, ours.little_endian) == (peer.elfclass == 64, peer.little_endian)
    assert ours.header.shoff == peer.header.e_shoff
    peer_sections = list(peer.iter_sections())
    assert ours.sections == tuple(section_of(section, index) for index, section in enumerate(peer_sections))
    for section, other in zip(ours.sections, peer_sections, strict=True):
        if section.type not in {SectionType.NULL, SectionType.NOBITS} and not isinstance(other, NoteSection):
            assert bytes(ours.contents(section)) == other.data()
        if isinstance(other, SymbolTableSection):
            compare_symbols(ours, tuple(symbol_of(symbol) for symbol in other.iter_symbols()))
        if isinstance(other, RelocationSection):
            compare_relocations(ours, other, section)


def compare_symbols(ours: Elf, symbols: tuple[Symbol, ...]) -> None:
    assert ours.symbols == symbols
    undefined = [symbol for symbol in symbols[1:] if symbol.section == SectionIndex.UNDEF and symbol.name]
    assert ours.undefined_symbols() == [(symbol.name, symbol.binding == SymbolBinding.WEAK) for symbol in undefined]
    for prefix in ("__ksymtab_", "__crc_", "_"):
        named = [symbol for symbol in symbols if symbol.name.startswith(prefix)]
        expected = [(symbol.name.removeprefix(prefix), symbol.value, symbol.section) for symbol in named]
        assert ours.symbol_values_with_prefix(prefix) == expected


def compare_relocations(ours: Elf, peer: RelocationSection, section: Section) -> None:
    expected = [
        (each["r_offset"], each["r_info_sym"], each["r_info_type"], each["r_addend"] if peer.is_RELA() else None)
        for each in peer.iter_relocations()
    ]
    assert ours.relocation_entries(section.info) == expected


def written(machine: int, *, is_64bit: bool, little_endian: bool, addends: bool) -> bytes:
    writer = ObjectWriter(machine, is_64bit=is_64bit, little_endian=little_endian)
    code = SectionFlag.ALLOC | SectionFlag.EXECINSTR
    text = writer.add_section(".text", flags=code, data=bytes(64), alignment=16)
    data = writer.add_section(".data", flags=SectionFlag.ALLOC | SectionFlag.WRITE, data=bytes(32), alignment=8)
    writer.add_section(".bss", SectionType.NOBITS, SectionFlag.ALLOC | SectionFlag.WRITE, size=100, alignment=32)
    writer.add_section(".modinfo", flags=SectionFlag.ALLOC, data=b"license=GPL\0depends=\0")
    writer.add_symbol("made.c", section=SectionIndex.ABS, binding=SymbolBinding.LOCAL, type=SymbolType.FILE)
    start = writer.add_symbol("init_module", section=text, size=16, type=SymbolType.FUNC)
    needed = writer.add_symbol("printk")
    writer.add_symbol("maybe", binding=SymbolBinding.WEAK)
    local = writer.add_symbol("here", section=text, value=8, binding=SymbolBinding.LOCAL, other=2)
    writer.add_symbol("__ksymtab_made", section=data, value=4)
    for offset, symbol in ((0, needed), (8, local), (16, start)):
        writer.add_relocation(text, offset, symbol, 1, -4 * offset if addends else None)
    writer.add_relocation(data, 8, start, 1, 1 << 20 if addends else None)
    return writer.to_bytes()


@pytest.mark.parametrize("addends", [True, False])
@pytest.mark.parametrize(("machine", "is_64bit", "little_endian"), KINDS)
def test_written_objects(machine: int, *, is_64bit: bool, little_endian: bool, addends: bool) -> None:
    compare(written(machine, is_64bit=is_64bit, little_endian=little_endian, addends=addends))


def test_modules_of_an_installed_kernel() -> None:
    paths = modules()
    assert paths
    for path in paths:
        compare(path.read_bytes())


@pytest.mark.parametrize(("machine", "is_64bit", "little_endian"), KINDS)
def test_binutils_finds_no_fault(machine: int, *, is_64bit: bool, little_endian: bool, tmp_path: Path) -> None:
    file = tmp_path / "made.o"
    file.write_bytes(written(machine, is_64bit=is_64bit, little_endian=little_endian, addends=True))
    command = [require_tool("readelf"), "--all", "--wide", "--lint", str(file)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert "init_module" in run.stdout


def test_the_linker_takes_it(tmp_path: Path) -> None:
    made, linked = tmp_path / "made.o", tmp_path / "linked.o"
    made.write_bytes(written(Machine.X86_64, is_64bit=True, little_endian=True, addends=True))
    run = subprocess.run(
        [require_tool("ld"), "-m", "elf_x86_64", "-r", "-o", str(linked), str(made)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    result = linked.read_bytes()
    compare(result)
    before, after = Elf(made.read_bytes()), Elf(result)
    assert sorted(after.undefined_symbols()) == sorted(before.undefined_symbols())
    assert after.symbol_values_with_prefix("__ksymtab_")[0][:2] == ("made", 4)
    assert bytes(after.contents_of(".modinfo") or b"") == b"license=GPL\0depends=\0"
    text = after.section_index(".text")
    assert text is not None
    assert [each.addend for each in after.relocations(text)] == [0, -32, -64]
