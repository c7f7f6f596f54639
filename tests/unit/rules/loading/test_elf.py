"""The kernel's checks of the ELF file: each refusal with its exact line."""

import errno
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.loader import PROFILE, TRUSTED, answer, configured, recipe

from lkm.formats.elf.constants import Machine
from lkm.formats.elf.reader import Elf
from lkm.formats.module_signature import append
from lkm.formats.module_writer import write
from lkm.rules.signatures.check import SignatureFinding
from lkm.rules.signatures.policy import SignatureState

GOOD = write(recipe())
ELF = Elf(GOOD)
NAMES = ELF.section_name_index
COUNT = len(ELF.sections)
SYMTAB = next(section.index for section in ELF.sections if section.type == 2)
TEXT = ELF.section_index(".text") or 0

_FIELDS = {"name": (0, "<I"), "type": (4, "<I"), "flags": (8, "<Q"), "address": (16, "<Q"), "offset": (24, "<Q")}
_FIELDS |= {"size": (32, "<Q"), "link": (40, "<I")}


def _header(data: bytes, offset: int, form: str, value: int) -> bytes:
    edited = bytearray(data)
    struct.pack_into(form, edited, offset, value)
    return bytes(edited)


def _section(data: bytes, index: int, **fields: int) -> bytes:
    start = ELF.header.shoff + 64 * index
    for name, value in fields.items():
        offset, form = _FIELDS[name]
        data = _header(data, start + offset, form, value)
    return data


def _line(data: bytes) -> str:
    """Give the only line of a refusal with ENOEXEC by the ELF stage."""
    verdict = answer(data)
    assert (verdict.errno, verdict.stage, len(verdict.log)) == (errno.ENOEXEC, "elf", 1)
    assert verdict.state.taint == 0
    return verdict.log[0]


def test_the_good_one_loads() -> None:
    assert answer(GOOD).loads


@pytest.mark.parametrize("size", [1, 4, 63])
def test_too_short_for_a_header(size: int) -> None:
    assert _line(GOOD[:size]) == f"Invalid ELF header len {size}"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"#!/bin/sh\n" * 20, "Invalid ELF header magic: != \x7fELF"),
        (_header(GOOD, 0, "<B", 0), "Invalid ELF header magic: != \x7fELF"),
        (_header(GOOD, 16, "<H", 2), "Invalid ELF header type: 2 != 1"),
        (_header(GOOD, 18, "<H", 183), "Invalid architecture in ELF header: 183"),
        (_header(GOOD, 58, "<H", 40), "Invalid ELF section header size"),
        (_header(GOOD, 40, "<Q", len(GOOD)), "Invalid ELF section header overflow"),
        (_header(GOOD, 40, "<Q", 2**64 - 1), "Invalid ELF section header overflow"),
        (_header(GOOD, 60, "<H", 0xFFFF), "Invalid ELF section header overflow"),
        (GOOD[:1500], "Invalid ELF section header overflow"),
        (
            _header(GOOD, 62, "<H", 0),
            f"Invalid ELF section name index: 0 || e_shstrndx (0) >= e_shnum ({COUNT})",
        ),
        (
            _header(GOOD, 62, "<H", COUNT),
            f"Invalid ELF section name index: {COUNT} || e_shstrndx ({COUNT}) >= e_shnum ({COUNT})",
        ),
        (_header(GOOD, 60, "<H", 0), f"Invalid ELF section name index: {NAMES} || e_shstrndx ({NAMES}) >= e_shnum (0)"),
        (_section(GOOD, NAMES, size=2**40), "Invalid ELF section hdr(type 3)"),
        (_section(GOOD, NAMES, offset=2**64 - 1), "Invalid ELF section hdr(type 3)"),
        (_section(GOOD, NAMES, size=0), "empty section name table"),
        (
            _section(GOOD, NAMES, size=ELF.sections[NAMES].size - 1),
            "ELF Spec violation: section name table isn't null terminated",
        ),
        (
            _section(GOOD, 0, type=1),
            "ELF Spec violation: section 0 type(1)!=SH_NULL or non-zero len or addr",
        ),
        (
            _section(GOOD, 0, type=0xFFFFFFFF),
            "ELF Spec violation: section 0 type(-1)!=SH_NULL or non-zero len or addr",
        ),
        (_section(GOOD, 0, size=1), "ELF Spec violation: section 0 type(0)!=SH_NULL or non-zero len or addr"),
        (_section(GOOD, 0, address=1), "ELF Spec violation: section 0 type(0)!=SH_NULL or non-zero len or addr"),
        (
            _section(GOOD, SYMTAB, link=0),
            f"Invalid ELF sh_link!=SHN_UNDEF(0) or (sh_link(0) >= hdr->e_shnum({COUNT})",
        ),
        (
            _section(GOOD, SYMTAB, link=COUNT),
            f"Invalid ELF sh_link!=SHN_UNDEF({COUNT}) or (sh_link({COUNT}) >= hdr->e_shnum({COUNT})",
        ),
        (
            _section(GOOD, SYMTAB, link=0x80000000),
            f"Invalid ELF sh_link!=SHN_UNDEF(-2147483648) or (sh_link(-2147483648) >= hdr->e_shnum({COUNT})",
        ),
        (_section(GOOD, TEXT, size=2**40), f"Invalid ELF section in module (section {TEXT} type 1)"),
        (_section(GOOD, TEXT, offset=2**64 - 8), f"Invalid ELF section in module (section {TEXT} type 1)"),
        (_section(GOOD, TEXT, name=10_000), f"Invalid ELF section name in module (section {TEXT} type 1)"),
    ],
)
def test_refused_with_the_kernels_line(data: bytes, line: str) -> None:
    assert _line(data) == line


@pytest.mark.parametrize(
    "data",
    [
        _header(GOOD, 4, "<B", 1),  # EI_CLASS
        _header(GOOD, 5, "<B", 2),  # EI_DATA
        _header(GOOD, 6, "<B", 9),  # EI_VERSION
        _header(GOOD, 20, "<I", 9),  # e_version
        _header(GOOD, 52, "<H", 9),  # e_ehsize
        _section(GOOD, TEXT, type=8, size=2**40),  # NOBITS takes no room in the file
    ],
)
def test_what_the_kernel_never_looks_at(data: bytes) -> None:
    assert answer(data).loads


def test_names_of_what_is_not_loaded_may_lie() -> None:
    assert answer(_section(GOOD, SYMTAB, name=10_000)).loads


@pytest.mark.parametrize(
    ("break_first", "break_second", "line"),
    [
        (lambda d: _section(d, TEXT, size=2**40), lambda d: _section(d, 0, size=1), "section 0 type"),
        (lambda d: _section(d, 0, size=1), lambda d: _section(d, NAMES, size=0), "empty section name table"),
        (lambda d: _header(d, 58, "<H", 1), lambda d: _header(d, 18, "<H", 1), "Invalid architecture"),
    ],
)
def test_the_order_of_the_checks(
    break_first: Callable[[bytes], bytes], break_second: Callable[[bytes], bytes], line: str
) -> None:
    assert line in _line(break_second(break_first(GOOD)))


# --- the length without a signature -----------------------------------------------------------------------------------


def _with_table_at_the_end(data: bytes) -> bytes:
    """Move the section headers behind everything, so that any byte cut too much is missed."""
    table = data[ELF.header.shoff : ELF.header.shoff + 64 * COUNT]
    return _header(data, 40, "<Q", len(data)) + table


def test_the_signature_is_cut_off_before_the_checks() -> None:
    content = _with_table_at_the_end(GOOD)
    signed = append(content, b"\x30\x82" * 30)
    assert answer(signed).loads
    inside = _header(content, 40, "<Q", len(content) - 64)  # the last header lies in the signature
    assert "overflow" in _line(append(inside, b"\x30\x82" * 60))


def test_another_kind_of_signature_stays_but_for_the_marker() -> None:
    signed = bytearray(append(GOOD, b"\0" * 64))
    signed[-28 - 12 + 2] = 1  # X.509
    table_in_it = _header(bytes(signed), 40, "<Q", len(signed) - 28 - 64 * COUNT)
    unsupported = SignatureFinding(SignatureState.UNSUPPORTED)
    assert answer(table_in_it, signature=unsupported).log == ("empty section name table",)
    outside = _header(bytes(signed), 40, "<Q", len(signed) - 28 - 64 * COUNT + 1)
    assert answer(outside, signature=unsupported).log == ("Invalid ELF section header overflow",)


def test_without_module_signatures_nothing_is_cut() -> None:
    signed = append(GOOD, b"\0" * 64)
    in_it = _header(signed, 40, "<Q", len(GOOD) - 64 * COUNT + 64)
    assert answer(in_it, profile=configured(MODULE_SIG=False)).log[0] != "Invalid ELF section header overflow"
    assert answer(in_it, signature=TRUSTED).log == ("Invalid ELF section header overflow",)


def test_a_trailer_that_lies_about_its_length() -> None:
    lying = append(GOOD, b"")[:-32] + (0xFFFFFFFF).to_bytes(4, "big") + append(b"", b"")[-28:]
    assert answer(lying).log == ("Invalid ELF header len 0",)


# --- other machines ---------------------------------------------------------------------------------------------------


def test_kernels_of_another_class_have_another_header() -> None:
    profile = replace(PROFILE, machine=Machine.ARM, is_64bit=False)
    assert answer(GOOD[:51], profile=profile).log == ("Invalid ELF header len 51",)
    assert answer(GOOD[:52], profile=profile).log == ("Invalid architecture in ELF header: 62",)
    as_big_endian = replace(PROFILE, machine=Machine.S390, little_endian=False)
    assert answer(GOOD, profile=as_big_endian).log == (f"Invalid ELF header type: {0x100} != 1",)


def test_arm64() -> None:
    profile = replace(PROFILE, machine=Machine.AARCH64)
    assert answer(write(replace(recipe(), machine=Machine.AARCH64)), profile=profile).loads
    assert answer(GOOD, profile=profile).log == ("Invalid architecture in ELF header: 62",)
