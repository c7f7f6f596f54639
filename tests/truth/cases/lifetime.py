"""What init returns, and removing modules."""

from collections.abc import Iterator, Sequence

from tests.truth.case import Case, Init, Load, Step, Unload, one
from tests.truth.maker import NAME, Maker

from lkm.formats.ksymtab import Export
from lkm.formats.symbol_versions import Import

__all__ = ["cases"]


def cases() -> Iterator[Case]:
    for result in (-1, -2, -17, -19, -22, -110, -4095, -4096, 1, 100):
        yield one(
            f"init/returns {result}",
            lambda maker, result: maker.module(init_result=result),
            init=Init.DECIDES,
            given=(result,),
        )
    yield one(
        "init/returns -19, out of tree", lambda m: m.saying(without=("intree",), init_result=-19), init=Init.DECIDES
    )
    yield one(
        "init/returns -19 with a bad parameter", lambda m: m.module(init_result=-19), "ghost=1", init=Init.DECIDES
    )
    yield Case("unload/plain", lambda maker: (Load(maker.module()), Unload(NAME), Load(maker.module()), Unload(NAME)))
    yield Case("unload/twice", lambda maker: (Load(maker.module()), Unload(NAME), Unload(NAME)))
    yield Case("unload/never loaded", lambda _: (Unload("nobody"),))
    yield Case("unload/forced, never loaded", lambda _: (Unload("nobody", force=True),))
    yield Case("unload/a built-in", lambda _: (Unload("printk"),))
    yield Case("unload/no name", lambda _: (Unload(""),))
    yield Case("unload/55 characters", lambda maker: (Load(maker.module("n" * 55)), Unload("n" * 55)))
    yield Case("unload/56 characters", lambda maker: (Load(maker.module("n" * 55)), Unload("n" * 56)))
    yield Case("unload/another spelling", lambda maker: (Load(maker.module()), Unload("lkm-case")))
    yield Case("unload/forced", lambda maker: (Load(maker.module()), Unload(NAME, force=True)))
    yield Case("unload/no exit", lambda maker: (Load(maker.module(exit_offset=None)), Unload(NAME)))
    yield Case("unload/no exit, forced", lambda m: (Load(m.module(exit_offset=None)), Unload(NAME, force=True)))
    yield Case(
        "unload/no exit, forced, tainted before",
        lambda m: (Load(m.licensed("Bad", exit_offset=None)), Unload(NAME, force=True)),
    )
    yield Case(
        "unload/neither init nor exit", lambda m: (Load(m.module(init_offset=None, exit_offset=None)), Unload(NAME))
    )
    yield Case("unload/no init", lambda maker: (Load(maker.module(init_offset=None)), Unload(NAME)))
    for force in (False, True):

        def held(maker: Maker, *, force: bool = force) -> Sequence[Step]:
            symbol = Export("lkm_shared", 0x77, gpl_only=False, namespace=None)
            owner = maker.module("lkm_owner", exports=(symbol,))
            user = maker.module(imports=(Import("lkm_shared", weak=False, crc=0x77),))
            ends = (Unload("lkm_owner", force=force), Unload(NAME), Unload("lkm_owner"))
            return (Load(owner), Load(user), *ends)

        yield Case(f"unload/held{', forced' if force else ''}", held)
