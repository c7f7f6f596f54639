"""Sections with a meaning, and relocations."""

from collections.abc import Iterator

from tests.truth.case import Case, one
from tests.truth.maker import Maker
from tests.truth.patch import Patch

from lkm.formats.elf.constants import SectionFlag, SectionType

__all__ = ["cases"]

_W, _A, _X = SectionFlag.WRITE, SectionFlag.ALLOC, SectionFlag.EXECINSTR
_ABSOLUTE = 0xFFF1


def cases() -> Iterator[Case]:
    for name in (".ctors", ".init_array", ".fini_array", ".dtors"):
        yield one(f"layout/{name}", lambda maker, name: maker.patch().add_section(name, b"").data, given=(name,))
    yield one(
        "layout/both constructors", lambda m: m.patch().add_section(".ctors", b"").add_section(".init_array", b"").data
    )
    yield one(
        "layout/both, one is not loaded",
        lambda m: m.patch().add_section(".ctors", b"").add_section(".init_array", flags=0).data,
    )
    yield one("layout/percpu", lambda maker: maker.patch().add_section(".data..percpu", bytes(64), flags=_W | _A).data)
    for size in (0, 32 * 1024, 1 << 20, 64 << 20):
        yield one(
            f"layout/percpu of {size} bytes",
            lambda m, size: (
                m.patch().add_section(".data..percpu", b"", kind=SectionType.NOBITS, flags=_W | _A, size=size).data
            ),
            given=(size,),
        )
    yield one(
        "layout/percpu aligned to 8 KiB",
        lambda m: m.patch().add_section(".data..percpu", bytes(8), flags=_W | _A, alignment=8192).data,
    )
    for name, flags in (
        ("odd", _W | _A | _X), ("odd", _W | _X), (".init.odd", _W | _A | _X), (".exit.text", _A | _X), ("odd", _A | _X),
        ("odd", _W | _A), ("odd", 0), (".init.text", _A | _X), (".data", _W | _A), ("", _A), ("__ex_table", _A),
        ("__bug_table", _W | _A), (".altinstructions", _A), ("__jump_table", _W | _A), ("__tracepoints_ptrs", _A),
        ("_ftrace_events", _W | _A), (".static_call_sites", _W | _A), ("__mcount_loc", _A), (".noinstr.text", _A | _X),
        ("__dyndbg", _W | _A), (".smp_locks", _A), (".parainstructions", _A), ("__obsparm", _A), (".BTF", _A),
        (".codetag.alloc_tags", _W | _A), (".plt", _A | _X), (".retpoline_sites", _A), (".orc_unwind", _A),
        (".orc_unwind_ip", _A), ("_error_injection_whitelist", _W | _A), ("_kprobe_blacklist", _W | _A),
        (".kunit_test_suites", _W | _A), ("__bpf_raw_tp_map", _W | _A), (".discard.x", _A), (".note.x", _A),
    ):  # fmt: skip
        yield one(
            f"layout/empty {name} with flags {int(flags)}",
            lambda maker, name, flags: maker.patch().add_section(name, b"", flags=flags).data,
            given=(
                name,
                flags,
            ),
        )
    yield one(
        "layout/more than memory",
        lambda m: m.patch().add_section("odd", b"", kind=SectionType.NOBITS, flags=_W | _A, size=1 << 62).data,
    )
    yield one("layout/no sections of code", lambda maker: maker.module(init_offset=None, exit_offset=None))
    yield one("layout/no init", lambda maker: maker.module(init_offset=None))
    yield one("layout/no exit", lambda maker: maker.module(exit_offset=None))
    yield one("layout/aligned to 16 MiB", lambda m: m.patch().section(".text", "sh_addralign", 1 << 24).data)
    yield one("layout/aligned to 3", lambda m: m.patch().section(".text", "sh_addralign", 3).data)
    yield one("layout/compressed section", lambda m: m.patch().add_section("odd", flags=SectionFlag.COMPRESSED).data)
    yield one("layout/group", lambda m: m.patch().add_section(".group", bytes(4), kind=SectionType.GROUP, flags=0).data)
    yield from _relocations()


def _with_target(maker: Maker, contents: bytes = bytes(16)) -> Patch:
    """Add a section to relocate, and symbols with known values."""
    patch = maker.patch().add_section("target", contents, flags=_W | _A)
    for name, value in (("small", 0x1234), ("large", 0x1_0000_0000), ("minus", 2**64 - 16), ("top", 0x8000_0000)):
        patch.add_symbol(name, section=_ABSOLUTE, value=value)
    return patch


def _relocations() -> Iterator[Case]:
    for kind in (0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 24, 41, 42, 43, 99, 0xFFFFFFFF):
        yield one(
            f"relocation/type {kind}",
            lambda maker, kind: _with_target(maker).add_relocation("target", kind, "small").data,
            given=(kind,),
        )
    for kind, symbol in (
        (10, "large"), (10, "minus"), (10, "top"), (11, "large"), (11, "minus"), (11, "top"), (1, "large"),
        (2, "large"), (4, "large"), (24, "large"), (1, "minus"), (2, "init_module"), (10, "init_module"),
        (11, "init_module"),
    ):  # fmt: skip
        yield one(
            f"relocation/type {kind} of {symbol}",
            lambda maker, kind, symbol: _with_target(maker).add_relocation("target", kind, symbol).data,
            given=(
                kind,
                symbol,
            ),
        )
    for kind in (1, 2, 4, 10, 11, 24, 0):
        yield one(
            f"relocation/type {kind} over what is there",
            lambda maker, kind: _with_target(maker, b"\x01" * 16).add_relocation("target", kind, "small").data,
            given=(kind,),
        )
    yield one(
        "relocation/an addend too many",
        lambda maker: _with_target(maker).add_relocation("target", 10, "small", addend=1 << 33).data,
    )
    yield one(
        "relocation/two bad ones",
        lambda m: (
            _with_target(m).add_relocation("target", 10, "large").add_relocation("target", 99, "small", offset=8).data
        ),
    )
    yield one(
        "relocation/bad in a section that is not loaded",
        lambda m: _with_target(m).section("target", "sh_flags", 0).add_relocation("target", 99, "small").data,
    )
    yield one(
        "relocation/after an unknown symbol",
        lambda m: _with_target(m).add_symbol("nobody").add_relocation("target", 99, "small").data,
    )
    yield one(
        "relocation/of a weak symbol that is missing",
        lambda m: _with_target(m).add_symbol("nobody", info=0x20).add_relocation("target", 1, "nobody").data,
    )
