"""Single fields of the ELF header, the section headers and the string tables."""

from collections.abc import Iterator

from tests.truth.case import Case, one
from tests.truth.maker import Maker

__all__ = ["cases"]

_HUGE = 2**64 - 1
_HEADER = (
    ("class", 1), ("class", 0), ("data", 2), ("version", 9), ("osabi", 9), ("e_type", 0), ("e_type", 2), ("e_type", 3),
    ("e_machine", 3), ("e_machine", 183), ("e_version", 0), ("e_entry", 5), ("e_phoff", 64), ("e_flags", 1),
    ("e_ehsize", 0), ("e_phnum", 3), ("e_shentsize", 0), ("e_shentsize", 40), ("e_shentsize", 65), ("e_shoff", _HUGE),
    ("e_shoff", 1 << 40), ("e_shoff", 0), ("e_shoff", 1), ("e_shnum", 0), ("e_shnum", 1), ("e_shnum", 2),
    ("e_shnum", 0xFFFF), ("e_shnum", 0xFF00), ("e_shstrndx", 0), ("e_shstrndx", 1), ("e_shstrndx", 0xFFFF),
    ("e_shstrndx", 0xFF00),
)  # fmt: skip
_SECTIONS = (
    (0, "sh_type", 1), (0, "sh_type", 0xFFFFFFFF), (0, "sh_size", 1), (0, "sh_addr", 1), (0, "sh_offset", 1),
    (0, "sh_flags", 2), (0, "sh_name", 1),
    ("shstrtab", "sh_size", 1 << 40), ("shstrtab", "sh_size", 0), ("shstrtab", "sh_size", 1),
    ("shstrtab", "sh_offset", _HUGE), ("shstrtab", "sh_type", 1), ("shstrtab", "sh_type", 8),
    ("shstrtab", "sh_type", 0),
    ("strtab", "sh_size", 0), ("strtab", "sh_size", 1), ("strtab", "sh_size", 1 << 40), ("strtab", "sh_type", 1),
    ("strtab", "sh_type", 8), ("strtab", "sh_offset", _HUGE), ("strtab", "sh_flags", 2),
    ("symtab", "sh_link", 0), ("symtab", "sh_link", 1), ("symtab", "sh_link", 0x80000000), ("symtab", "sh_type", 1),
    ("symtab", "sh_size", 0), ("symtab", "sh_size", 24), ("symtab", "sh_size", 25), ("symtab", "sh_size", 1 << 40),
    ("symtab", "sh_entsize", 1), ("symtab", "sh_info", 0), ("symtab", "sh_flags", 2),
    (".text", "sh_size", 1 << 40), (".text", "sh_size", 0), (".text", "sh_name", 10_000), (".text", "sh_flags", 7),
    (".text", "sh_flags", 3), (".text", "sh_flags", 0), (".text", "sh_addralign", 0), (".text", "sh_type", 8),
    (".text", "sh_type", 0), (".text", "sh_offset", 1 << 40), (".text", "sh_addr", 4096), (".text", "sh_entsize", 9),
    (".modinfo", "sh_flags", 0), (".modinfo", "sh_size", 0), (".modinfo", "sh_size", 3), (".modinfo", "sh_type", 8),
    (".modinfo", "sh_type", 0), (".modinfo", "sh_name", 0), (".modinfo", "sh_offset", 1 << 40),
    ("__versions", "sh_flags", 0), ("__versions", "sh_size", 0), ("__versions", "sh_size", 63),
    ("__versions", "sh_type", 8), ("__versions", "sh_name", 0),
    (".gnu.linkonce.this_module", "sh_flags", 0), (".gnu.linkonce.this_module", "sh_flags", 2),
    (".gnu.linkonce.this_module", "sh_type", 8), (".gnu.linkonce.this_module", "sh_type", 7),
    (".gnu.linkonce.this_module", "sh_type", 0), (".gnu.linkonce.this_module", "sh_size", 0),
    (".gnu.linkonce.this_module", "sh_name", 0), (".gnu.linkonce.this_module", "sh_addralign", 1),
    (".rela.gnu.linkonce.this_module", "sh_info", 0), (".rela.gnu.linkonce.this_module", "sh_info", 1),
    (".rela.gnu.linkonce.this_module", "sh_info", 500), (".rela.gnu.linkonce.this_module", "sh_type", 9),
    (".rela.gnu.linkonce.this_module", "sh_type", 8), (".rela.gnu.linkonce.this_module", "sh_link", 0),
    (".rela.gnu.linkonce.this_module", "sh_flags", 0x42), (".rela.gnu.linkonce.this_module", "sh_size", 1 << 40),
)  # fmt: skip


def cases() -> Iterator[Case]:
    for field, value in _HEADER:

        def changed(maker: Maker, field: str = field, value: int = value) -> bytes:
            return maker.patch().header(field, value).data

        yield one(f"header/{field}={value:#x}", changed)
    for which, field, value in _SECTIONS:

        def damaged(maker: Maker, which: str | int = which, field: str = field, value: int = value) -> bytes:
            imports = maker.needs(maker.printk)
            return maker.patch(imports=imports, with_versions=True).section(which, field, value).data

        yield one(f"section/{which} {field}={value:#x}", damaged)
    yield from _strings()
    yield from _this_module()


def _strings() -> Iterator[Case]:
    def last(maker: Maker, which: str) -> int:
        return maker.patch().find(which).size - 1

    for which in ("shstrtab", "strtab"):
        yield one(
            f"strings/{which} does not end with NUL",
            lambda maker, which: maker.patch().contents(which, last(maker, which), "B", 65).data,
            given=(which,),
        )
        yield one(
            f"strings/{which} does not begin with NUL",
            lambda maker, which: maker.patch().contents(which, 0, "B", 65).data,
            given=(which,),
        )
    yield one("strings/symbol name out of bounds", lambda maker: maker.patch().symbol(1, "st_name", 1 << 20).data)
    yield one(
        "strings/symbol name at the end", lambda maker: maker.patch().symbol(1, "st_name", last(maker, "strtab")).data
    )
    yield one(
        "strings/section name at the end", lambda m: m.patch().section(".text", "sh_name", last(m, "shstrtab")).data
    )
    yield one(
        "strings/section name past the end",
        lambda m: m.patch().section(".text", "sh_name", last(m, "shstrtab") + 1).data,
    )


def _this_module() -> Iterator[Case]:
    this, that = b".gnu.linkonce.this_module\0", b".gnu.linkonce.that_module\0"
    yield one("struct module/none", lambda maker: maker.patch().replaced(this, that).data)
    yield one(
        "struct module/two", lambda maker: maker.patch().add_section(this[:-1].decode(), bytes(1280), flags=3).data
    )
    yield one("struct module/small", lambda m: m.module(struct_module_size=(m.profile.struct_module_size or 0) - 8))
    yield one("struct module/large", lambda m: m.module(struct_module_size=(m.profile.struct_module_size or 0) + 64))
    yield one("struct module/no name", lambda maker: maker.patch("").data)
    yield one("struct module/55 characters", lambda maker: maker.module("n" * 55))
    yield one("struct module/state not zero", lambda m: m.patch().contents(this[:-1].decode(), 0, "I", 3).data)
    yield one("struct module/refers to itself", lambda m: m.patch().contents(this[:-1].decode(), 8, "Q", 3).data)
    yield one("modinfo/two sections", lambda maker: maker.patch().add_section(".modinfo", b"license=Other\0").data)
    yield one(
        "modinfo/two sections, the second is not loaded",
        lambda maker: maker.patch().add_section(".modinfo", b"license=Other\0", flags=0).data,
    )
    yield one("symtab/two", lambda maker: maker.patch().add_section("more", bytes(24), kind=2, flags=0, link=1).data)
