"""How much memory a module takes: sections in pages, and the symbols that stay."""

from tests.support.loader import PROFILE

from lkm.formats.elf.constants import Machine, SectionFlag, SectionType, SymbolBinding
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.loading.attempt import IGNORE_MODVERSIONS, Attempt, KernelState, Request
from lkm.rules.loading.layout import core_size
from lkm.rules.loading.section_headers import SectionHeaders, read_headers
from lkm.rules.signatures.policy import Lockdown

ALLOC, WRITE, CODE = SectionFlag.ALLOC, SectionFlag.WRITE, SectionFlag.EXECINSTR
PAGE = 4096


def _size(*sections: tuple[str, int, int], symbols: tuple[tuple[str, int], ...] = (), alignment: int = 1) -> int:
    writer = ObjectWriter(machine=Machine.X86_64)
    for name, flags, size in sections:
        writer.add_section(name, SectionType.PROGBITS, flags, bytes(size), alignment=alignment)
    for name, section in symbols:
        writer.add_symbol(name, value=0, section=section, binding=SymbolBinding.LOCAL)
    return core_size(_attempt(writer.to_bytes()))


def _attempt(data: bytes, flags: int = 0) -> Attempt:
    attempt = Attempt(Request(data, flags=flags), PROFILE, KernelState(), PROFILE.traits, Cmdline(""), Lockdown.NONE)
    headers = read_headers(memoryview(data), PROFILE)
    assert isinstance(headers, SectionHeaders)
    attempt.headers = headers
    return attempt


def test_nothing_still_has_the_first_symbol() -> None:
    assert _size() == PAGE


def test_each_kind_fills_its_own_pages() -> None:
    assert _size((".text", ALLOC | CODE, 1)) == 2 * PAGE
    assert _size((".rodata", ALLOC, 1)) == 2 * PAGE
    assert _size((".data", ALLOC | WRITE, 1), (".bss", ALLOC | WRITE, 1)) == 2 * PAGE
    everything = (
        (".text", ALLOC | CODE, PAGE + 1),
        (".rodata", ALLOC, 1),
        (".data..ro_after_init", ALLOC | WRITE, 1),
        (".data", ALLOC | WRITE, 1),
    )
    assert _size(*everything) == (2 + 1 + 1 + 1 + 1) * PAGE


def test_what_goes_or_never_comes_is_not_counted() -> None:
    gone = [(name, ALLOC, PAGE) for name in (".init.text", ".init.rodata", ".modinfo", "__versions", ".data..percpu")]
    assert _size(*gone, (".comment", 0, PAGE)) == PAGE


def test_versions_that_were_overlooked_are_not_thrown_away() -> None:
    writer = ObjectWriter(machine=Machine.X86_64)
    writer.add_section("__versions", SectionType.PROGBITS, ALLOC, bytes(64))
    data = writer.to_bytes()
    assert (core_size(_attempt(data)), core_size(_attempt(data, IGNORE_MODVERSIONS))) == (PAGE, 2 * PAGE)


def test_names_that_only_begin_like_those_are_counted() -> None:
    assert _size(("__versions_of_mine", ALLOC, 1)) == 2 * PAGE
    assert _size((".modinfo2", ALLOC, 1)) == 2 * PAGE


def test_only_writable_sections_become_read_only_later() -> None:
    assert _size(("__jump_table", ALLOC | WRITE, 1), (".rodata", ALLOC, 1)) == 3 * PAGE
    assert _size(("__jump_table", ALLOC, 1), (".rodata", ALLOC, 1)) == 2 * PAGE


def test_alignment() -> None:
    sections = [(f".data{number}", ALLOC | WRITE, 1) for number in range(16)]
    assert _size(*sections, alignment=256) == 2 * PAGE
    assert _size(*sections, (".data16", ALLOC | WRITE, 1), alignment=256) == 3 * PAGE


def test_symbols_of_what_stays_stay_too() -> None:
    """24 bytes, a type, the name and its NUL for each; the pages before them are full."""
    text = (".text", ALLOC | CODE, 1)
    many = tuple((f"symbol_{number:05}", 1) for number in range(1000))
    room = 24 + 1 + 13
    assert _size(text, symbols=many) == PAGE + -(-1000 * room // PAGE) * PAGE
    assert _size((".init.text", ALLOC | CODE, 1), symbols=many) == PAGE
    assert _size((".data..percpu", ALLOC | WRITE, 1), symbols=many) == -(-1000 * room // PAGE) * PAGE
    undefined = tuple((f"symbol_{number:05}", 0) for number in range(1000))
    assert _size(text, symbols=undefined) == 2 * PAGE
