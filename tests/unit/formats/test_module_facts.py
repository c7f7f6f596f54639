"""The facts about modules: what is read of a file, and how it is kept."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.ksymtab import Export
from lkm.formats.module_facts import Damage, ModuleFacts, ModuleSymbols, ModuleTexts, damaged, read_facts
from lkm.formats.module_facts_codec import PackedSymbols, PackedTexts, encode_symbols, encode_texts
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.formats.symbol_versions import Import

NAMES = st.lists(st.binary(max_size=6).map(lambda name: name.replace(b"\0", b"")), max_size=4)
TEXTS = st.builds(ModuleTexts, NAMES, NAMES, NAMES)
SYMBOLS = st.builds(ModuleSymbols, NAMES, NAMES, NAMES, st.sampled_from([0, 8, 22]))


def facts(data: bytes) -> ModuleFacts:
    return read_facts(lambda offset, size: data[offset : offset + size], len(data))


def module(*, with_versions: bool = True) -> bytes:
    crc = 0x1234 if with_versions else None
    return write(
        ModuleRecipe(
            name="m",
            modinfo=(("alias", "a-b"), ("softdep", "pre: x"), ("alias", "c"), ("weakdep", "w"), ("license", "GPL")),
            exports=(Export("offered", crc, gpl_only=True, namespace=None),),
            imports=(Import("printk", weak=False, crc=crc), Import("maybe", weak=True, crc=crc)),
            layout_crc=7 if with_versions else None,
            with_versions=with_versions,
        )
    )


def test_a_module_tells_what_indexes_need() -> None:
    texts, found = facts(module())
    assert texts == ModuleTexts([b"a-b", b"c"], [b"pre: x"], [b"w"])
    assert found.exports == [b"offered"]
    assert sorted(found.needs) == [b"maybe", b"module_layout", b"printk"]
    assert found.needs[-1] == b"module_layout"
    assert found.weak == [b"maybe"]
    assert not found.damage


def test_exports_without_versions_are_read_from_their_names() -> None:
    assert facts(module(with_versions=False)).symbols.exports == [b"offered"]


@pytest.mark.parametrize("is_64bit", [False, True])
@pytest.mark.parametrize("little_endian", [False, True])
def test_every_word_size_and_byte_order_is_read(*, is_64bit: bool, little_endian: bool) -> None:
    writer = ObjectWriter(is_64bit=is_64bit, little_endian=little_endian)
    writer.add_section(".modinfo", 1, 2, b"alias=x\0")
    section = writer.add_section("__kcrctab", 1, 2, bytes(4))
    writer.add_symbol("__crc_offered", section=section)
    writer.add_symbol("wanted", binding=1)
    texts, found = facts(writer.to_bytes())
    assert (texts.aliases, found.exports, found.needs) == ([b"x"], [b"offered"], [b"wanted"])


@pytest.mark.parametrize(
    ("data", "damage"),
    [
        (b"no ELF file at all, but long enough", Damage.NO_ELF),
        (b"\x7fELF", Damage.NO_ELF),
        (b"\x7fELF\x07\x01" + bytes(100), Damage.INVALID),
        (b"\x7fELF\x02\x01" + bytes(20), Damage.INVALID),
    ],
)
def test_what_is_no_module_is_told_by_its_damage(data: bytes, damage: Damage) -> None:
    assert facts(data) == damaged(damage)


def test_half_a_module_is_damaged() -> None:
    data = module()
    assert facts(data[: len(data) // 2]).symbols.damage == Damage.INVALID


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_mutation_is_an_exception(data: st.DataObject) -> None:
    image = bytearray(module())
    for _ in range(data.draw(st.integers(1, 6))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    found = facts(bytes(image[: data.draw(st.integers(0, len(image)))]))
    assert found.symbols.damage in {0, 8, 22}


@given(st.lists(TEXTS, max_size=6), st.lists(SYMBOLS, max_size=6))
def test_what_is_kept_comes_back(texts: list[ModuleTexts], symbols: list[ModuleSymbols]) -> None:
    packed_texts, packed_symbols = PackedTexts(encode_texts(texts)), PackedSymbols(encode_symbols(symbols))
    assert (packed_texts.unpack(), packed_symbols.unpack()) == (texts, symbols)
    assert (len(packed_texts), len(packed_symbols)) == (len(texts), len(symbols))


def test_equal_names_are_one_object() -> None:
    modules = [ModuleSymbols([b"offered"], [], []), ModuleSymbols([], [b"offered"], [])]
    first, second = PackedSymbols(encode_symbols(modules)).unpack()
    assert first.exports[0] is second.needs[0]


@given(st.lists(TEXTS, max_size=3), st.lists(SYMBOLS, max_size=3), st.data())
def test_damaged_facts_are_an_error_or_facts(
    texts: list[ModuleTexts], symbols: list[ModuleSymbols], data: st.DataObject
) -> None:
    raw = bytearray(data.draw(st.sampled_from([encode_texts(texts), encode_symbols(symbols)])))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    for spoilt in (bytes(raw), data.draw(st.binary(max_size=60))):
        with suppress(FormatError):
            texts_left = PackedTexts(spoilt)
            assert len(texts_left.unpack()) == len(texts_left)
        with suppress(FormatError):
            symbols_left = PackedSymbols(spoilt)
            assert len(symbols_left.unpack()) == len(symbols_left)
