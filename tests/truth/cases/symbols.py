"""Symbols: unknown, of another version, for GPL modules only, in namespaces, proprietary, weak, and odd ones."""

from collections.abc import Iterator, Sequence

from tests.truth.case import Case, Load, Step, one
from tests.truth.maker import NAME, Maker

from lkm.formats.ksymtab import Export
from lkm.formats.symbol_versions import Import

__all__ = ["cases"]

_OWNER = "lkm_owner"
_CRC = 0x77


def cases() -> Iterator[Case]:
    yield one("symbol/unknown", lambda maker: maker.module(imports=maker.needs("nobody_has_this")))
    yield one("symbol/two unknown", lambda maker: maker.module(imports=maker.needs("nobody", "nor_this")))
    yield one("symbol/unknown, flag 1", lambda maker: maker.module(imports=maker.needs("nobody")), flags=1)
    yield one("symbol/good", lambda maker: maker.module(imports=maker.needs(maker.printk, maker.free)))
    yield one("symbol/for GPL", lambda maker: maker.module(imports=maker.needs(maker.gpl_only)))
    yield one("symbol/for GPL, proprietary", lambda m: m.licensed("Bad", imports=m.needs(m.gpl_only)))
    yield one("symbol/for all, proprietary", lambda m: m.licensed("Bad", imports=m.needs(m.free)))
    yield one("symbol/for GPL, lve", lambda maker: maker.module("lve", imports=maker.needs(maker.gpl_only)))
    yield one("symbol/for GPL, ndiswrapper", lambda m: m.module("ndiswrapper", imports=m.needs(m.gpl_only)))
    yield one(
        "symbol/for GPL, weak and proprietary", lambda m: m.licensed("Bad", imports=m.needs(m.gpl_only, weak=True))
    )
    yield one("symbol/weak and unknown", lambda maker: maker.module(imports=maker.needs("nobody", weak=True)))
    yield one("symbol/weak and known", lambda maker: maker.module(imports=maker.needs(maker.printk, weak=True)))
    yield one("symbol/offset table", lambda maker: maker.module(imports=maker.needs("_GLOBAL_OFFSET_TABLE_")))
    yield one("symbol/__this_module undefined", lambda m: m.patch().symbol("__this_module", "st_shndx", 0).data)
    yield one("symbol/without a name", lambda maker: maker.patch().add_symbol("").data)
    yield one("symbol/not ASCII", lambda maker: maker.module(imports=maker.needs("\u00e9")))
    yield one("symbol/very long", lambda maker: maker.module(imports=maker.needs("s" * 600)))
    yield from _versions()
    yield from _extended()
    yield from _namespaces()
    yield from _owners()
    yield from _table()


def _versions() -> Iterator[Case]:
    yield one("version/wrong", lambda maker: maker.module(imports=maker.needs(maker.printk, crc=5)))
    yield one("version/wrong, flag 1", lambda maker: maker.module(imports=maker.needs(maker.printk, crc=5)), flags=1)
    yield one("version/wrong, flag 2", lambda maker: maker.module(imports=maker.needs(maker.printk, crc=5)), flags=2)
    yield one("version/weak and wrong", lambda m: m.module(imports=m.needs(m.printk, crc=5, weak=True)))
    yield one("version/missing", lambda m: m.module(imports=(Import(m.printk, weak=False, crc=None),)))
    yield one("version/none at all", lambda m: m.module(imports=m.needs(m.printk), with_versions=False))
    yield one(
        "version/none at all, flag 1", lambda m: m.module(imports=m.needs(m.printk), with_versions=False), flags=1
    )
    yield one("version/of module_layout wrong", lambda maker: maker.module(layout_crc=5, with_versions=True))
    yield one("version/of module_layout wrong, flag 1", lambda m: m.module(layout_crc=5, with_versions=True), flags=1)
    yield one("version/of module_layout missing", lambda maker: maker.module(layout_crc=None, with_versions=True))
    yield one(
        "version/unknown, wrong, unknown",
        lambda m: m.module(imports=(*m.needs("nobody"), *m.needs(m.printk, crc=5), *m.needs("nor_this"))),
    )
    yield one(
        "version/unknown, unknown, wrong",
        lambda m: m.module(imports=(*m.needs("nobody", "nor_this"), *m.needs(m.printk, crc=5))),
    )
    yield one("version/upper half of the word", lambda m: m.module(imports=m.needs(m.printk, crc=0x1_0000_0005)))
    yield one("version/of an unknown symbol wrong", lambda maker: maker.module(imports=maker.needs("nobody", crc=5)))


def _extended() -> Iterator[Case]:
    def ext(maker: Maker, **changes: object) -> bytes:
        return maker.module(imports=maker.needs(maker.printk), extended_versions=True, **changes)

    yield one("extended/both kinds", ext)
    yield one("extended/alone", lambda maker: ext(maker, with_versions=False))
    yield one("extended/alone, flag 1", lambda maker: ext(maker, with_versions=False), flags=1)

    def wrong(maker: Maker, **changes: object) -> bytes:
        return maker.module(imports=maker.needs(maker.printk, crc=5), extended_versions=True, **changes)

    yield one("extended/wrong", wrong)
    yield one("extended/wrong, alone", lambda maker: wrong(maker, with_versions=False))
    yield one(
        "extended/one missing",
        lambda m: m.module(imports=(Import(m.printk, weak=False, crc=None),), extended_versions=True),
    )
    yield one(
        "extended/two missing",
        lambda m: m.module(
            imports=tuple(Import(name, weak=False, crc=None) for name in (m.printk, m.free)), extended_versions=True
        ),
    )
    yield one("extended/names missing", lambda m: m.patch(with_versions=True).add_section("__version_ext_crcs").data)
    yield one("extended/CRCs missing", lambda m: m.patch(with_versions=True).add_section("__version_ext_names").data)

    def lists(crcs: bytes, names: bytes) -> Case:
        def make(maker: Maker) -> bytes:
            patch = maker.patch(with_versions=True, imports=maker.needs(maker.printk))
            return patch.add_section("__version_ext_crcs", crcs).add_section("__version_ext_names", names).data

        return one(f"extended/{len(crcs)} bytes of CRCs, names {names!r}", make)

    yield lists(bytes(8), b"module_layout\0")
    yield lists(bytes(4), b"module_layout\0_printk\0")
    yield lists(bytes(8), b"module_layout\0_printk")
    yield lists(bytes(7), b"module_layout\0_printk\0")
    yield lists(b"", b"")
    yield lists(bytes(4), b"\0")


def _namespaces() -> Iterator[Case]:
    def using(maker: Maker, *imported: str, of_modules: bool = False) -> bytes:
        export = maker.spaced(of_modules=of_modules)
        name = export.name if export else "nobody"
        entries = tuple(("import_ns", (export.namespace or "") if export and ns == "*" else ns) for ns in imported)
        return maker.saying(*entries, imports=maker.needs(name))

    yield one("namespace/not imported", using)
    yield one("namespace/imported", lambda maker: using(maker, "*"))
    yield one("namespace/another imported", lambda maker: using(maker, "OTHER"))
    yield one("namespace/two imported", lambda maker: using(maker, "OTHER", "*"))
    yield one(
        "namespace/a part of it imported",
        lambda maker: using(maker, ((maker.spaced() or _none()).namespace or "")[:-1]),
    )
    yield one("namespace/a module's, not imported", lambda maker: using(maker, of_modules=True))
    yield one("namespace/a module's, imported", lambda maker: using(maker, "*", of_modules=True))
    yield one("namespace/module: imported, unused", lambda maker: maker.saying(("import_ns", "module:x")))
    yield one("namespace/module alone imported", lambda maker: maker.saying(("import_ns", "module")))

    def of_owner(namespace: str, user: str = NAME, *imported: str) -> Case:
        def steps(maker: Maker) -> Sequence[Step]:
            symbol = Export("lkm_spaced", _CRC, gpl_only=False, namespace=namespace)
            owner = maker.module(_OWNER, exports=(symbol,))
            info = (*(("import_ns", entry) for entry in imported), *maker.info(user))
            imports = (Import("lkm_spaced", weak=False, crc=_CRC),)
            return Load(owner), Load(maker.module(user, modinfo=info, imports=imports))

        return Case(f"namespace/{namespace} used by {user}, imports {','.join(imported)}", steps)

    yield of_owner("LKM")
    yield of_owner("LKM", NAME, "LKM")
    for pattern in (
        "module:lkm_case",
        "module:lkm-case",
        "module:lkm_*",
        "module:other",
        "module:a,lkm_case",
        "module:*",
    ):
        yield of_owner(pattern)
    yield of_owner("module:lkm_case", "lkm-case")
    yield of_owner("module:lkm_case", "lkm_case_too")
    yield of_owner("module:lkm_case", NAME, "module:lkm_case")


def _none() -> Export:
    return Export("nobody", None, gpl_only=False, namespace="NOBODY")


def _owners() -> Iterator[Case]:
    def pair(
        what: str,
        *,
        owner: str = "GPL",
        user: str = "GPL",
        gpl_only: bool = False,
        crc: int | None = _CRC,
        also_gpl: bool = False,
        weak: bool = False,
    ) -> Case:
        def steps(maker: Maker) -> Sequence[Step]:
            symbol = Export("lkm_shared", _CRC, gpl_only, None)
            first = maker.licensed(owner, _OWNER, exports=(symbol,))
            others = maker.needs(maker.gpl_only) if also_gpl else ()
            imports = (Import("lkm_shared", weak, crc), *others)
            return Load(first), Load(maker.licensed(user, imports=imports))

        return Case(f"owner/{what}", steps)

    yield pair("plain")
    yield pair("wrong version", crc=5)
    yield pair("no version", crc=None)
    yield pair("for GPL", gpl_only=True)
    yield pair("for GPL, proprietary user", gpl_only=True, user="Bad")
    yield pair("proprietary, inherited", owner="Bad")
    yield pair("proprietary, user needs GPL-only too", owner="Bad", also_gpl=True)
    yield pair("proprietary both", owner="Bad", user="Bad")
    yield pair("proprietary, exports for GPL", owner="Bad", gpl_only=True)
    yield pair("weak", weak=True)
    yield pair("weak and wrong version", weak=True, crc=5)

    def gpl_first(maker: Maker) -> Sequence[Step]:
        symbol = Export("lkm_shared", _CRC, gpl_only=False, namespace=None)
        imports = (*maker.needs(maker.gpl_only), Import("lkm_shared", weak=False, crc=_CRC))
        return Load(maker.licensed("Bad", _OWNER, exports=(symbol,))), Load(maker.module(imports=imports))

    yield Case("owner/proprietary, user needs GPL-only first", gpl_first)

    def chain(maker: Maker) -> Sequence[Step]:
        first, second = (Export(f"lkm_{name}", _CRC, gpl_only=False, namespace=None) for name in ("one", "two"))
        middle = maker.module("lkm_middle", imports=(Import("lkm_one", weak=False, crc=_CRC),), exports=(second,))
        last = (*maker.needs(maker.gpl_only), Import("lkm_two", weak=False, crc=_CRC))
        return (
            Load(maker.licensed("Bad", _OWNER, exports=(first,))),
            Load(middle),
            Load(maker.module(imports=last)),
        )

    yield Case("owner/inherited by a chain", chain)

    def refused_owner(maker: Maker) -> Sequence[Step]:
        symbol = Export("lkm_shared", _CRC, gpl_only=False, namespace=None)
        owner = maker.module(_OWNER, exports=(symbol,), imports=maker.needs("nobody"))
        return Load(owner), Load(maker.module(imports=(Import("lkm_shared", weak=False, crc=_CRC),)))

    yield Case("owner/was refused", refused_owner)


def _table() -> Iterator[Case]:
    yield one("table/common", lambda maker: maker.patch().add_symbol("lkm_common", section=0xFFF2, size=8).data)
    yield one(
        "table/common of LTO", lambda maker: maker.patch().add_symbol("__gnu_lto_v1", section=0xFFF2, size=1).data
    )
    yield one("table/absolute", lambda maker: maker.patch().add_symbol("lkm_absolute", section=0xFFF1, value=9).data)
    yield one("table/live patch symbol", lambda maker: maker.patch().add_symbol("lkm_live", section=0xFF20).data)
    yield one("table/section too high", lambda maker: maker.patch().add_symbol("lkm_high", section=500).data)
    yield one("table/extended index", lambda maker: maker.patch().add_symbol("lkm_extended", section=0xFFFF).data)
    yield one("table/local undefined", lambda maker: maker.patch().add_symbol("nobody", info=0).data)
    yield one("table/undefined of an odd binding", lambda maker: maker.patch().add_symbol("nobody", info=0xA0).data)
    yield one("table/init moved to no section", lambda maker: maker.patch().symbol("init_module", "st_shndx", 0).data)
    yield one(
        "table/value beyond its section", lambda m: m.patch().add_symbol("lkm_far", section=1, value=1 << 40).data
    )
