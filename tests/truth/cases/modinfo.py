"""What a module says of itself: licence, vermagic, name, and the words that taint."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tests.truth.case import Case, Load, Step, one
from tests.truth.maker import NAME, Maker

from lkm.formats.module_writer import usual_modinfo, write

__all__ = ["cases"]

_LICENCES = (
    "GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL", "Proprietary", "BSD",
    "MIT", "GPLv2", "gpl", "GPL ", "", "GPL-2.0", "unspecified", "\u00e9",
)  # fmt: skip
_OTHER_MAGICS = (
    "5.10.0 SMP mod_unload modversions ", "", " ", "x", "SMP preempt mod_unload modversions ", "\u00e9 SMP ",
    "9.9.9-other SMP preempt mod_unload modversions aarch64",
)  # fmt: skip


def cases() -> Iterator[Case]:
    for licence in _LICENCES:
        yield one(f"licence/{licence!r}", lambda maker, licence: maker.licensed(licence), given=(licence,))
    yield one("licence/none", lambda maker: maker.saying(without=("license",)))
    yield one("licence/two, the good one first", lambda maker: maker.saying(("license", "GPL"), ("license", "Bad")))
    yield one("licence/two, the bad one first", lambda maker: maker.saying(("license", "Bad")))
    yield one("licence/out of tree", lambda maker: maker.module(modinfo=maker.info(licence="Bad", intree=False)))
    yield from _vermagic()
    yield from _words()
    yield from _names()


def _vermagic() -> Iterator[Case]:
    for magic in _OTHER_MAGICS:

        def with_magic(maker: Maker, magic: str = magic) -> bytes:
            return maker.module(modinfo=usual_modinfo(NAME, magic))

        yield one(f"vermagic/{magic!r}", with_magic)
        for flags in (1, 2, 3):
            yield one(f"vermagic/{magic!r}, flags {flags}", with_magic, flags=flags)

    def another_release(maker: Maker) -> bytes:
        release, _, rest = maker.profile.vermagic.partition(" ")
        return maker.module(modinfo=usual_modinfo(NAME, f"{release}x {rest}"))

    def another_flag(maker: Maker) -> bytes:
        return maker.module(modinfo=usual_modinfo(NAME, f"{maker.profile.vermagic}more "))

    for flags in (0, 1, 2, 3):
        yield one(f"vermagic/another release, flags {flags}", another_release, flags=flags)
    yield one("vermagic/one flag more", another_flag)
    yield one("vermagic/no trailing blank", lambda m: m.module(modinfo=usual_modinfo(NAME, m.profile.vermagic[:-1])))
    yield one("vermagic/none", lambda maker: maker.saying(without=("vermagic",)))
    yield one("vermagic/none, flag 1", lambda maker: maker.saying(without=("vermagic",)), flags=1)
    yield one("vermagic/none, flag 2", lambda maker: maker.saying(without=("vermagic",)), flags=2)
    yield one("vermagic/two", lambda maker: maker.saying(("vermagic", maker.profile.vermagic), ("vermagic", "x")))

    def release_without_versions(maker: Maker) -> bytes:
        release, _, rest = maker.profile.vermagic.partition(" ")
        return maker.module(modinfo=usual_modinfo(NAME, f"{release}x {rest}"), with_versions=False)

    yield one("vermagic/another release, no versions", release_without_versions)

    def only_extended(maker: Maker) -> bytes:
        release, _, rest = maker.profile.vermagic.partition(" ")
        info = usual_modinfo(NAME, f"{release}x {rest}")
        return maker.module(modinfo=info, with_versions=False, extended_versions=True)

    yield one("vermagic/another release, only extended versions", only_extended)


def _words() -> Iterator[Case]:
    yield one("words/out of tree", lambda maker: maker.saying(without=("intree",)))
    yield one("words/intree=N", lambda maker: maker.saying(("intree", "N"), without=("intree",)))
    yield one("words/intree empty", lambda maker: maker.saying(("intree", ""), without=("intree",)))
    for word in ("staging", "test", "livepatch"):
        yield one(f"words/{word}", lambda maker, word: maker.saying((word, "Y")), given=(word,))
        yield one(f"words/{word}=N", lambda maker, word: maker.saying((word, "N")), given=(word,))
    yield one("words/all of them", lambda m: m.saying(("staging", "Y"), ("test", "Y"), without=("intree", "retpoline")))
    yield one("words/no retpoline", lambda maker: maker.saying(without=("retpoline",)))
    yield one("words/nothing at all", lambda maker: maker.module(modinfo=()))
    yield one("words/only vermagic", lambda maker: maker.module(modinfo=(("vermagic", maker.profile.vermagic),)))
    yield one(
        "words/version and srcversion",
        lambda m: m.saying(("version", "1.0"), ("srcversion", "ABCDEF0123456789ABCDEF0")),
    )
    yield one("words/unknown ones", lambda maker: maker.saying(("colour", "blue"), ("supported", "external")))
    yield one("words/no equals sign", lambda m: m.patch().replaced(b"intree=Y", b"intree:Y").data)
    yield one("words/import_ns of nothing", lambda maker: maker.saying(("import_ns", "NOBODY")))
    yield one(
        "words/depends on what is missing", lambda maker: maker.saying(("depends", "nobody"), without=("depends",))
    )

    def all_taints_again(maker: Maker) -> Sequence[Step]:
        taints = (("staging", "Y"), ("test", "Y"))
        info = (*taints, *maker.info("lkm_first", licence="Bad", intree=False))
        again = (*taints, *maker.info(licence="Bad", intree=False))
        return Load(maker.module("lkm_first", modinfo=info)), Load(maker.module(modinfo=again))

    yield Case("words/taints come again", all_taints_again)


def _names() -> Iterator[Case]:
    yield one("name/not in modinfo", lambda maker: maker.saying(without=("name",)))
    yield one("name/empty in modinfo", lambda maker: maker.saying(("name", "")))
    yield one("name/another in modinfo", lambda maker: maker.saying(("name", "another")))
    yield one("name/another in modinfo, bad vermagic", lambda m: m.saying(("name", "another"), ("vermagic", "bad")))
    yield one("name/not in modinfo, bad vermagic", lambda m: m.saying(("vermagic", "bad"), without=("name",)))
    for name in (
        "lve",
        "driverloader",
        "ndiswrapper",
        "printk",
        "module",
        "kernel",
        "a-dashed",
        "a.b",
        "\u00e9",
        "a b",
    ):
        yield one(f"name/{name!r}", lambda maker, name: maker.module(name), given=(name,))
        if name in {"lve", "driverloader", "ndiswrapper"}:
            yield one(f"name/{name!r}, proprietary", lambda maker, name: maker.licensed("Bad", name), given=(name,))
    for name in ("lkm_blocked", "lkm-dashed", "lkm_dashed", "blocked_too"):
        yield one(f"blacklist/{name}", lambda maker, name: maker.module(name), given=(name,))
    yield one("blacklist/only in modinfo", lambda maker: maker.saying(("name", "lkm_blocked")))
    yield one(
        "blacklist/only in struct module", lambda m: write(replace(m.recipe("lkm_blocked"), modinfo=m.info("other")))
    )
    yield one("blacklist/no name in modinfo", lambda m: write(replace(m.recipe("lkm_blocked"), modinfo=m.info()[:-2])))
    yield one(
        "blacklist/and a bad vermagic", lambda m: m.module("lkm_blocked", modinfo=usual_modinfo("lkm_blocked", "x"))
    )
    yield one("blacklist/and stripped", lambda m: m.patch("lkm_blocked").section("symtab", "sh_type", 1).data)
    yield one("blacklist/flag 2", lambda maker: maker.module("lkm_blocked"), flags=2)
    yield from _duplicates()


def _duplicates() -> Iterator[Case]:
    def twice(second: str) -> Case:
        def steps(maker: Maker) -> Sequence[Step]:
            variants = {
                "the same": maker.module(),
                "another in modinfo": maker.saying(("name", "another")),
                "proprietary": maker.licensed("Bad"),
                "staging": maker.saying(("staging", "Y"), without=("intree",)),
                "bad vermagic": maker.saying(("vermagic", "bad")),
                "unknown symbol": maker.module(imports=maker.needs("nobody")),
                "WRITE and EXEC": maker.patch().section(".text", "sh_flags", 7).data,
                "a live patch": maker.saying(("livepatch", "Y")),
            }
            return Load(maker.module()), Load(variants[second])

        return Case(f"duplicate/{second}", steps)

    for second in (
        *("the same", "another in modinfo", "proprietary", "staging", "bad vermagic", "unknown symbol"),
        *("WRITE and EXEC", "a live patch"),
    ):
        yield twice(second)
    yield Case("duplicate/forced", lambda maker: (Load(maker.module()), Load(maker.module(), flags=3)))
    yield Case("duplicate/bad parameter", lambda m: (Load(m.with_parameters()), Load(m.with_parameters(), "a_int=x")))
    yield Case(
        "duplicate/after a refusal",
        lambda m: (Load(m.module(imports=m.needs("nobody"))), Load(m.module()), Load(m.module())),
    )
