"""What a module exports: duplicates, missing versions, flags, obsolete tables."""

from collections.abc import Iterator, Sequence

from tests.truth.case import Case, Load, Step, one
from tests.truth.maker import Maker

from lkm.formats.ksymtab import Export

__all__ = ["cases"]


def _export(name: str, crc: int | None = 0x77, *, gpl_only: bool = False, namespace: str | None = None) -> Export:
    return Export(name, crc, gpl_only, namespace)


def cases() -> Iterator[Case]:
    yield one("export/one", lambda maker: maker.module(exports=(_export("lkm_a"),)))
    yield one("export/for GPL", lambda maker: maker.module(exports=(_export("lkm_a", gpl_only=True),)))
    yield one("export/proprietary, for GPL", lambda m: m.licensed("Bad", exports=(_export("lkm_a", gpl_only=True),)))
    yield one("export/both kinds", lambda m: m.module(exports=(_export("lkm_a"), _export("lkm_b", gpl_only=True))))
    yield one("export/of the kernel", lambda maker: maker.module(exports=(_export(maker.printk),)))
    yield one("export/of the kernel, for GPL", lambda m: m.module(exports=(_export(m.gpl_only, gpl_only=True),)))
    yield one("export/in a namespace", lambda maker: maker.module(exports=(_export("lkm_a", namespace="LKM"),)))
    yield one("export/without versions", lambda maker: maker.module(exports=(_export("lkm_a", None),)))
    yield one("export/without versions, flag 1", lambda m: m.module(exports=(_export("lkm_a", None),)), flags=1)
    half = (_export("lkm_a", None), _export("lkm_b", gpl_only=True))
    yield one("export/half without versions", lambda maker: maker.module(exports=half))
    yield one("export/other layout", lambda m: m.module(exports=(_export("lkm_a"),), flag_table=not m.facts.flag_table))
    yield one("export/other layout, for GPL", lambda m: m.module(exports=half, flag_table=not m.facts.flag_table))
    yield one("export/flags that nobody knows", _odd_flags)
    for name in (
        "__ksymtab_gpl",
        "__kcrctab_gpl",
        "__ksymtab_unused",
        "__ksymtab_gpl_future",
        "__kcrctab",
        "__kflagstab",
    ):
        yield one(f"export/empty {name}", lambda maker, name: maker.patch().add_section(name, b"").data, given=(name,))
        yield one(
            f"export/{name} of zeros", lambda maker, name: maker.patch().add_section(name, bytes(4)).data, given=(name,)
        )
    for second in ("lkm_a", "lkm_b"):

        def again(maker: Maker, second: str = second) -> Sequence[Step]:
            owner = maker.module("lkm_owner", exports=(_export("lkm_a"),))
            return Load(owner), Load(maker.module(exports=(_export("lkm_a0"), _export(second))))

        yield Case(f"export/{second} after lkm_a", again)


def _odd_flags(maker: Maker) -> bytes:
    patch = maker.patch(exports=(_export("lkm_a"),))
    return patch.contents("__kflagstab", 0, "B", 0xFE).data if maker.facts.flag_table else patch.data
