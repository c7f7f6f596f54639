"""Relocations that x86-64 kernels do not know."""

import errno
from dataclasses import replace

import pytest
from tests.support.loader import PROFILE, answer, recipe

from lkm.formats.elf.constants import Machine, SectionType
from lkm.formats.elf.reader import Elf
from lkm.formats.module_writer import write

GOOD = write(recipe())
ELF = Elf(GOOD)
TABLE = next(found for found in ELF.sections if found.type == SectionType.RELA)


def _edited(at: int, value: int, size: int = 4) -> bytes:
    return GOOD[:at] + value.to_bytes(size, "little") + GOOD[at + size :]


def _header_field(offset: int) -> int:
    return ELF.header.shoff + 64 * TABLE.index + offset


@pytest.mark.parametrize("kind", [0, 1, 2, 4, 10, 11, 24])
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
    arm = replace(PROFILE, machine=Machine.AARCH64)
    data = write(replace(recipe(), machine=Machine.AARCH64))
    assert answer(data, profile=arm).loads
