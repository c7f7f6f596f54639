"""What is worked out from facts: order, preference, dependencies, cycles."""

import pytest

from lkm.formats.depmod_conf import DepmodConf, External, Override
from lkm.formats.index_writer import row_value
from lkm.formats.module_facts import ModuleSymbols
from lkm.rules.indexing.choice import Preference
from lkm.rules.indexing.name_hash import hash_of, in_bucket_order
from lkm.rules.indexing.order import listed_as, ordered
from lkm.rules.indexing.rows import alias_rows, builtin_alias_rows, devname_text, duplicates
from lkm.rules.indexing.tree import IndexedModule, IndexedTree
from lkm.system.module_walk import FoundFile

TREE = "/lib/modules/6.1"


def indexed(name: str, exports: str = "", needs: str = "") -> IndexedModule:
    facts = ModuleSymbols(exports.encode().split(), needs.encode().split(), [])
    return IndexedModule(name.encode(), f"{name}.ko".encode(), f"{TREE}/{name}.ko", facts)


def file(directory: str, name: str = "m") -> FoundFile:
    return FoundFile(f"{TREE}/{directory}", f"{name}.ko", name, "")


# --- order ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", range(1, 12))
def test_many_names_hash_as_one_does(length: int) -> None:
    names = [f"{number:0{length}d}"[-length:].encode() for number in range(7, 10**length, max(1, 10**length // 40))]
    buckets = 64
    expected = sorted(dict.fromkeys(names), key=lambda name: (hash_of(name) & (buckets - 1), name))
    assert in_bucket_order(dict.fromkeys(names), buckets) == expected


def test_listed_modules_come_first() -> None:
    lines = {b"a": b"k/a.ko", b"b": b"k/b.ko", b"c": None}
    assert ordered(lines, b"k/b.ko\nk/x.ko\nk/a.ko\n") == ([b"b", b"a", b"c"], None)


def test_a_list_that_is_cut_off_is_dropped() -> None:
    names, cut = ordered({b"a": b"a.ko", b"b": b"b.ko"}, b"b.ko\na.ko")
    assert cut == 2
    assert names == in_bucket_order([b"a", b"b"], 512)


def test_the_line_of_a_compressed_module_is_plain() -> None:
    assert listed_as(b"kernel/a-b.ko.xz", b"a_b") == b"kernel/a-b.ko"


# --- preference -------------------------------------------------------------------------------------------------------


def test_updates_win_without_a_search_line() -> None:
    preference = Preference(DepmodConf(), TREE)
    assert not preference.keeps(file("kernel"), file("updates"))
    assert preference.keeps(file("updates"), file("kernel"))
    assert preference.keeps(file("kernel"), file("extra"))


def test_an_override_wins_over_all() -> None:
    preference = Preference(DepmodConf(("updates",), (Override("m", "*", "extra"),)), TREE)
    assert preference.keeps(file("extra"), file("updates"))
    assert not preference.keeps(file("updates"), file("extra"))


def test_external_directories_have_the_place_that_search_gives_them() -> None:
    outside = FoundFile("/opt/m", "m.ko", "m", "")
    externals = (External("*", "/opt/m"),)
    assert not Preference(DepmodConf(("external", "built-in"), (), externals), TREE).keeps(file("kernel"), outside)
    assert Preference(DepmodConf(("built-in", "external"), (), externals), TREE).keeps(file("kernel"), outside)


# --- dependencies -----------------------------------------------------------------------------------------------------


def test_what_is_loaded_first_stands_last() -> None:
    tree = IndexedTree([indexed("a", "", "b1"), indexed("b", "b1", "c1"), indexed("c", "c1")])
    assert tree.is_sound
    assert tree.dependencies() == [[1, 2], [2], []]


def test_of_two_owners_the_last_counts() -> None:
    tree = IndexedTree([indexed("a", "s"), indexed("b", "s"), indexed("c", "", "s")])
    assert tree.dependencies()[2] == [1]


def test_a_leading_dot_does_not_count() -> None:
    assert IndexedTree([indexed("a", "s"), indexed("b", "", ".s")]).dependencies()[1] == [0]


def test_a_cycle_is_named_whole_with_its_symbols() -> None:
    tree = IndexedTree([indexed("a", "a1", "b1"), indexed("b", "b1", "a1 x"), indexed("c", "c1", "a1")])
    assert not tree.is_sound
    ((shown, needs),) = tree.cycles()
    assert shown == "a -> b -> a"
    assert [(one.user, one.needed, one.symbols) for one in needs] == [("a", "b", ("b1",)), ("b", "a", ("a1",))]
    assert tree.cyclic_count() == 2


def test_a_module_that_needs_itself_is_a_cycle() -> None:
    assert [shown for shown, _ in IndexedTree([indexed("a", "s", "s")]).cycles()] == ["a -> a"]


def test_two_cycles_on_which_kmod_never_ends_are_told() -> None:
    names = "abcd"
    tree = IndexedTree(
        [indexed("a", "a1", "b1 c1"), indexed("b", "b1", "a1"), indexed("c", "c1", "d1"), indexed("d", "d1", "c1")]
    )
    assert {shown for shown, _ in tree.cycles()} == {"a -> b -> a", "c -> d -> c"}
    assert tree.cyclic_count() == len(names)


# --- rows -------------------------------------------------------------------------------------------------------------


def test_aliases_that_no_index_can_hold_are_told() -> None:
    found, notices = alias_rows([b"m"], [[b"a-b", b"bad]", "ü".encode(), b"[a-b]-c"]])
    assert found[0] == [b"a_b", b"[a-b]_c"]
    assert [notice.text.split(" ")[0] for notice in notices] == ["Unmatched", "An"]


def test_a_device_node_needs_its_numbers() -> None:
    text, notices = devname_text([b"m", b"n"], [[b"char-major-10-200", b"devname:net/tun"], [b"devname:x"]])
    assert text.split(b"\n")[1] == b"m net/tun c10:200"
    assert "'n' has devname (x) but lacks" in notices[0].text


def test_aliases_of_built_in_modules_are_indexed() -> None:
    found, _ = builtin_alias_rows(b"unix.alias=net-pf-1\0unix.license=GPL\0")
    assert found == ([b"net_pf_1"], [row_value(b"unix", 0)])


def test_a_row_that_comes_twice_is_told() -> None:
    assert [
        notice.text for notice in duplicates("alias", ([b"k", b"k"], [row_value(b"m", 0), row_value(b"m", 1)]))
    ] == ["duplicate module alias:\nk m"]
