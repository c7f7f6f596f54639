"""How the checks of the ELF file differ from version to version: order, words, and what is looked at."""

import errno
import struct
from dataclasses import replace

import pytest
from tests.support.loader import JOINT, LAYOUT_CRC, MODERN, NEWEST, OLD, PROFILE, answer, recipe

from lkm.formats.elf.constants import SectionType
from lkm.formats.elf.reader import Elf
from lkm.formats.module_writer import write
from lkm.rules.loading.attempt import Verdict
from lkm.system.kernel_profile import KernelProfile

GOOD = write(recipe())
ELF = Elf(GOOD)
COUNT = len(ELF.sections)
NAMES = ELF.section_name_index
SYMTAB = next(section.index for section in ELF.sections if section.type == SectionType.SYMTAB)
STRTAB = ELF.sections[SYMTAB].link
THIS = ELF.section_index(".gnu.linkonce.this_module") or 0
MODINFO = ELF.section_index(".modinfo") or 0
TEXT = ELF.section_index(".text") or 0
_FIELDS = {"name": (0, "<I"), "type": (4, "<I"), "flags": (8, "<Q"), "offset": (24, "<Q"), "size": (32, "<Q")}
_FIELDS |= {"link": (40, "<I")}
COMMON = "Module has invalid ELF structures"
TWIN = "Only one .modinfo section must exist."
STRIPPED = "mod: module has no symbols (stripped?)"
SIZE = "section size must match the kernel's built struct module size at run time"


def _changed(index: int, **fields: int) -> bytes:
    data = bytearray(GOOD)
    for name, value in fields.items():
        offset, form = _FIELDS[name]
        struct.pack_into(form, data, ELF.header.shoff + 64 * index + offset, value)
    return bytes(data)


def _header(offset: int, value: int) -> bytes:
    return GOOD[:offset] + value.to_bytes(2, "little") + GOOD[offset + 2 :]


def _refused(data: bytes, profile: KernelProfile) -> Verdict:
    verdict = answer(data, profile=profile)
    assert verdict.errno == errno.ENOEXEC
    assert verdict.stage in {"elf", "sections"}
    return verdict


@pytest.mark.parametrize("profile", [OLD, PROFILE, JOINT, MODERN, NEWEST], ids=lambda profile: profile.release)
def test_the_good_one_loads_everywhere(profile: KernelProfile) -> None:
    assert answer(GOOD, profile=profile).loads


@pytest.mark.parametrize("data", [GOOD[:10], b"no ELF file at all, but long enough for one" * 3, _header(18, 3)])
def test_one_line_for_all_faults_of_old(data: bytes) -> None:
    assert _refused(data, OLD).log == (COMMON,)


def test_two_faults_have_their_own_line_as_well() -> None:
    outside = f"Invalid ELF section in module (section {TEXT} type 1)"
    assert _refused(_changed(TEXT, size=1 << 40), OLD).log == (outside, COMMON)
    unnamed = f"Invalid ELF section name in module (section {TEXT} type 1)"
    assert _refused(_changed(TEXT, name=1 << 20), OLD).log == (unnamed, COMMON)


def test_an_empty_table_of_names() -> None:
    data = _changed(NAMES, size=0)
    assert _refused(data, OLD).log[-1] == COMMON
    assert _refused(data, PROFILE).log == ("empty section name table",)
    at = ELF.sections[NAMES].offset - 1
    before = data[:at] + b"\0" + data[at + 1 :]
    assert _refused(before, OLD).log[0].startswith("Invalid ELF section name in module")


def test_the_order_of_the_checks_changed() -> None:
    """Two faults at once: which is told first."""
    wrong_first = bytearray(_changed(0, size=1))
    wrong_first[62:64] = (0xFFFF).to_bytes(2, "little")
    names = f"Invalid ELF section name index: 65535 || e_shstrndx (65535) >= e_shnum ({COUNT})"
    first = "ELF Spec violation: section 0 type(0)!=SH_NULL or non-zero len or addr"
    for profile, line in ((PROFILE, names), (JOINT, names), (MODERN, first)):
        assert _refused(bytes(wrong_first), profile).log == (line,)


def test_types_of_string_tables_count_late() -> None:
    for profile in (OLD, PROFILE, JOINT):
        assert answer(_changed(NAMES, type=8), profile=profile).loads
        assert answer(_changed(STRTAB, type=1), profile=profile).loads
    assert _refused(_changed(NAMES, type=8), MODERN).log == ("Invalid ELF section name table type: 8",)
    assert _refused(_changed(STRTAB, type=1), MODERN).log == ("Invalid ELF symbol string table type: 1",)


def test_string_tables_of_symbols_are_read_late() -> None:
    for profile in (OLD, PROFILE, JOINT):
        assert answer(_changed(STRTAB, size=0), profile=profile).loads
    assert _refused(_changed(STRTAB, size=0), MODERN).log == ("empty symbol string table",)
    shifted = _changed(STRTAB, offset=ELF.sections[STRTAB].offset + 1)
    assert _refused(shifted, MODERN).log == ("symbol string table missing leading NUL",)
    cut = _changed(STRTAB, size=ELF.sections[STRTAB].size - 1)
    assert _refused(cut, MODERN).log == ("symbol string table isn't NUL terminated",)
    outside = bytearray(GOOD)
    struct.pack_into("<I", outside, ELF.sections[SYMTAB].offset + 24, 1 << 20)
    assert _refused(bytes(outside), MODERN).log == ("symbol name out of bounds in string table",)


def test_struct_module() -> None:
    missing = "{} .gnu.linkonce.this_module section must exist."
    gone = _changed(THIS, name=0)
    assert _refused(gone, PROFILE).log == ("mod: No module found in object",)
    assert _refused(gone, JOINT).log == ("module mod: " + missing.format("Only one"),)
    assert _refused(gone, MODERN).log == ("module mod: " + missing.format("Exactly one"),)
    not_loaded = _changed(THIS, flags=0)
    where = "module mod: .gnu.linkonce.this_module must occupy memory during process execution"
    assert _refused(not_loaded, PROFILE).log == ("mod: No module found in object",)
    assert _refused(not_loaded, JOINT).log == _refused(not_loaded, MODERN).log == (where,)
    size = f"module mod: .gnu.linkonce.this_module {SIZE}"
    for profile in (JOINT, MODERN):
        assert _refused(GOOD, replace(profile, struct_module_size=0x400)).log == (size,)
    assert answer(GOOD, profile=replace(PROFILE, struct_module_size=0x400)).loads
    assert answer(GOOD, profile=replace(MODERN, struct_module_size=None)).loads


def test_two_sections_of_one_name() -> None:
    twin = _changed(TEXT, name=ELF.sections[MODINFO].name_offset)
    assert _refused(twin, JOINT).log == _refused(twin, MODERN).log == (TWIN,)
    nothing = _changed(TEXT, name=ELF.sections[MODINFO].name_offset, type=SectionType.NOBITS)
    assert answer(nothing, profile=JOINT).stage != "sections"  # what has no contents is not seen
    assert _refused(nothing, MODERN).log == (TWIN,)


def test_symbol_tables_are_counted_late() -> None:
    second = _changed(TEXT, type=SectionType.SYMTAB, link=STRTAB)
    assert answer(second, profile=PROFILE).log != (STRIPPED,)
    assert _refused(second, JOINT).log == _refused(second, MODERN).log == (STRIPPED,)


@pytest.mark.parametrize("profile", [OLD, PROFILE, JOINT], ids=lambda profile: profile.release)
def test_modinfo_is_read_to_the_end_of_its_last_entry(profile: KernelProfile) -> None:
    """The first entry is looked at however small the section says it is."""
    first = ELF.contents(ELF.sections[MODINFO]).tobytes().partition(b"\0")[0]
    verdict = answer(_changed(MODINFO, size=0), profile=profile)
    assert (b"license=" in first) is not any("license" in line for line in verdict.log)
    assert answer(_changed(MODINFO, size=ELF.sections[MODINFO].size - 3), profile=profile).loads


def test_extended_versions_need_names() -> None:
    module = write(replace(recipe(), layout_crc=LAYOUT_CRC, extended_versions=True))
    elf = Elf(module)
    names = elf.section_index("__version_ext_names") or 0
    at = elf.header.shoff + 64 * names
    assert answer(module, profile=MODERN).loads
    without = module[: at + 8] + bytes(8) + module[at + 16 :]
    assert _refused(without, MODERN).log == ("extended version crc+name presence does not match",)
    assert answer(without, profile=JOINT).loads
    short = module[: at + 32] + bytes(8) + module[at + 40 :]
    assert _refused(short, MODERN).log == ("more extended version crcs than names",)
