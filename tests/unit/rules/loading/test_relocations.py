"""Relocations that kernels do not know, or refuse for what they would do; what arm64 asks of a module."""

import errno
from dataclasses import replace

import pytest
from tests.support.loader import PROFILE, answer, configured, recipe
from tests.support.module_edit import with_section

from lkm.formats.elf.constants import Machine, SectionFlag, SectionType
from lkm.formats.elf.reader import Elf
from lkm.formats.module_writer import write

GOOD = write(recipe())
ELF = Elf(GOOD)
TABLE = next(found for found in ELF.sections if found.type == SectionType.RELA)


def _edited(at: int, value: int, size: int = 4) -> bytes:
    return GOOD[:at] + value.to_bytes(size, "little") + GOOD[at + size :]


def _header_field(offset: int) -> int:
    return ELF.header.shoff + 64 * TABLE.index + offset


@pytest.mark.parametrize("kind", [0, 1, 2, 4, 11, 24])
def test_known_types(kind: int) -> None:
    assert answer(_edited(TABLE.offset + 8, kind)).loads


@pytest.mark.parametrize("kind", [3, 5, 9, 12, 37, 42, 0xFFFFFFFF])
def test_unknown_types(kind: int) -> None:
    verdict = answer(_edited(TABLE.offset + 8, kind))
    assert (verdict.errno, verdict.stage) == (errno.ENOEXEC, "relocations")
    assert verdict.log == (f"module: mod: Unknown rela relocation: {kind}",)


def test_only_sections_that_stay_are_relocated() -> None:
    unknown = _edited(TABLE.offset + 8, 99)
    for target in (0, ELF.section_name_index, len(ELF.sections), 0xFFFFFFFF):
        at = _header_field(44)
        assert answer(unknown[:at] + target.to_bytes(4, "little") + unknown[at + 4 :]).loads, target


def test_rel_sections_are_not_for_this_machine() -> None:
    verdict = answer(_edited(_header_field(4), SectionType.REL))
    assert (verdict.errno, verdict.log) == (errno.ENOEXEC, ("module mod: REL relocation unsupported",))


def test_other_machines_are_not_judged() -> None:
    riscv = replace(PROFILE, machine=Machine.RISCV)
    verdict = answer(write(replace(recipe(), machine=Machine.RISCV)), profile=riscv)
    assert verdict.loads
    assert "whether this processor's kernel knows the relocations" in verdict.undecidable


# --- what depends on values and on what is there ----------------------------------------------------------------------

OLD_PLACE = (
    "module: x86/modules: Skipping invalid relocation target, existing value is nonzero for type 1, loc ?, val ?"
)


@pytest.mark.parametrize(
    ("release", "line"),
    [
        ("6.1.0", OLD_PLACE),
        ("6.12.0", OLD_PLACE.replace("Skipping invalid", "Invalid")),
        ("7.2.0", OLD_PLACE.replace("Skipping invalid", "Invalid").replace("type 1", "sec 5, idx 0, type 1")),
    ],
)
def test_a_target_that_holds_something(release: str, line: str) -> None:
    place = ELF.sections[TABLE.info].offset + ELF.relocations(TABLE.info)[0].offset
    verdict = answer(_edited(place + 7, 1, 1), profile=replace(PROFILE, release=release))
    assert (verdict.errno, verdict.stage) == (errno.ENOEXEC, "relocations")
    assert verdict.log == (line,)
    assert verdict.undecidable == ("the addresses in the log",)


def test_an_address_in_32_bits() -> None:
    verdict = answer(_edited(TABLE.offset + 8, 10))
    assert verdict.errno == errno.ENOEXEC
    assert verdict.log == (
        "module: overflow in relocation type 10 val ?",
        "module: `mod' likely not compiled with -mcmodel=kernel",
    )
    late = answer(_edited(TABLE.offset + 8, 10), profile=replace(PROFILE, release="7.2.0"))
    assert late.log[0] == "module: overflow in relocation type 10 val ? sec 5 idx 0"


def test_a_target_outside_of_the_section() -> None:
    verdict = answer(_edited(TABLE.offset, 1 << 40, 8))
    assert verdict.loads
    assert "what relocation 0 of section 5 overwrites" in verdict.undecidable


# --- arm64 ------------------------------------------------------------------------------------------------------------

ARM = replace(PROFILE, machine=Machine.AARCH64)
NEW_ARM = replace(ARM, release="6.12.0-test")


def _arm_module(*names: str) -> bytes:
    data = write(replace(recipe(), machine=Machine.AARCH64))
    for name in names:
        data = with_section(data, name, SectionType.PROGBITS, SectionFlag.ALLOC | SectionFlag.EXECINSTR, b"\0")
    return data


def test_arm64_modules_have_room_for_far_jumps() -> None:
    verdict = answer(_arm_module(), profile=NEW_ARM)
    assert (verdict.errno, verdict.stage) == (errno.ENOEXEC, "architecture")
    assert verdict.log == ("mod: module PLT section(s) missing",)
    assert answer(_arm_module(), profile=ARM).loads  # without CONFIG_ARM64_MODULE_PLTS
    assert answer(_arm_module(".plt", ".init.plt"), profile=NEW_ARM).loads


def test_arm64_modules_have_room_for_the_tracer() -> None:
    traced = configured(NEW_ARM, DYNAMIC_FTRACE=True)
    verdict = answer(_arm_module(".plt", ".init.plt"), profile=traced)
    assert (verdict.errno, verdict.stage, verdict.log) == (errno.ENOEXEC, "architecture", ())
    rooms = (".plt", ".init.plt", ".text.ftrace_trampoline", ".init.text.ftrace_trampoline")
    assert answer(_arm_module(*rooms), profile=traced).loads


def test_arm64_types() -> None:
    module = _arm_module(".plt", ".init.plt")
    at = next(found for found in Elf(module).sections if found.type == SectionType.RELA).offset + 8
    unknown = module[:at] + (999).to_bytes(4, "little") + module[at + 4 :]
    assert answer(unknown, profile=NEW_ARM).log == ("Modules: module mod: unsupported RELA relocation: 999",)
    assert answer(unknown, profile=ARM).log == ("module mod: unsupported RELA relocation: 999",)
    narrow = module[:at] + (258).to_bytes(4, "little") + module[at + 4 :]
    verdict = answer(narrow, profile=NEW_ARM)
    assert verdict.loads
    assert any("relocations of type 258" in question for question in verdict.undecidable)
