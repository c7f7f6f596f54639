"""Facts that are kept: they come back whole, or not at all."""

import os
from pathlib import Path
from struct import Struct

import pytest

from lkm.formats.module_facts import NOTHING, ModuleFacts, ModuleSymbols, ModuleTexts
from lkm.formats.module_facts_codec import FORMAT
from lkm.system.facts_cache import FactsCache
from lkm.system.root import Root

DIRECTORY = "/lib/modules/6.1"
FACTS = [ModuleFacts(ModuleTexts([b"a"], [], []), ModuleSymbols([b"x"], [b"y", b"x"], [])), NOTHING]
HEADER = Struct("=12sIIII")


def cache(root: Path) -> FactsCache:
    return FactsCache(Root(str(root)), DIRECTORY)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "var/cache").mkdir(parents=True)
    cache(tmp_path).store_facts([b"key 1", b"key 2"], FACTS)
    return tmp_path


def file(root: Path) -> Path:
    (path,) = (root / "var/cache/lkm/index").glob("*.facts")
    return path


def test_facts_come_back(root: Path) -> None:
    found = cache(root).facts
    assert found.places == {b"key 1": 0, b"key 2": 1}
    assert list(map(ModuleFacts, found.texts.unpack(), found.symbols.unpack())) == FACTS


def test_a_change_of_any_byte_drops_them(root: Path) -> None:
    path = file(root)
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        assert not cache(root).facts.places
    for size in range(len(data)):
        path.write_bytes(data[:size])
        assert not cache(root).facts.places


@pytest.mark.parametrize("version", [FORMAT - 1, FORMAT + 1, int.from_bytes(FORMAT.to_bytes(4), "little")])
def test_another_format_or_byte_order_drops_them(root: Path, version: int) -> None:
    path = file(root)
    magic, _, *rest = HEADER.unpack_from(path.read_bytes())
    path.write_bytes(HEADER.pack(magic, version, *rest) + path.read_bytes()[HEADER.size :])
    assert not cache(root).facts.places


def test_keys_that_are_not_as_many_as_facts_drop_them(root: Path) -> None:
    cache(root).store_facts([b"key 1"], FACTS)
    assert not cache(root).facts.places


def test_what_others_could_have_written_is_not_believed(root: Path) -> None:
    file(root).chmod(0o664)
    assert not cache(root).facts.places


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_user_has_written_is_not_believed(root: Path) -> None:
    os.chown(file(root), 12345, 12345)
    facts = cache(root).facts
    assert not facts.places


def test_a_root_without_a_place_for_caches_gets_none(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    cache(tmp_path).store_facts([b"key"], [NOTHING])
    assert not list((tmp_path / "var").iterdir())
    assert not cache(tmp_path).facts.places
