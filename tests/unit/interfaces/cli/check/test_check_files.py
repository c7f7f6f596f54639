"""``lkm check FILE``: what a file needs, and the answer in words."""

from collections.abc import Callable
from typing import Any

from tests.support.checked_modules import MAGIC_LINE, needing, offering, own_module

from lkm.actions.sample_tree import RELEASE
from lkm.formats.symbol_versions import Import

Lkm = Callable[..., Any]
Make = Callable[..., str]


def test_a_file_finds_what_it_needs(ask: Lkm, say: Lkm, make: Make) -> None:
    symbol = Import("fat_attach", weak=False, crc=0x1B1F5E3C)
    listed = make("mod.ko", own_module(depends=("fat",), imports=(symbol,)))
    by_symbol = make("mod.ko", own_module(imports=(symbol,)))
    for path in (listed, by_symbol):
        assert ask(path)["loads"]
        assert "  first:       fat is loaded" in say(path).out
        assert not ask(path, "--raw")["loads"]


def test_a_file_needs_what_is_nowhere(say: Lkm, make: Make) -> None:
    path = make("mod.ko", own_module(depends=("helper",), imports=needing("help")))
    assert "lkm check --loaded /path/to/helper.ko" in say(path).out
    helper = make("helper.ko", own_module("helper", exports=offering("help")))
    assert f"lkm check --loaded {helper} {path}" in say(path).out
    assert say("--loaded", helper, path).status == 0


def test_the_file_of_a_module_that_is_loaded(say: Lkm, make: Make) -> None:
    path = make("mod.ko", own_module())
    told = say("--loaded", path, path)
    assert told.status == 1
    assert "once the mod that is loaded has been removed, this one loads" in told.out
    other = make("other.ko", own_module(licence="Proprietary", vermagic="6.6.0 "))
    assert say("--loaded", path, other).status == 1


def test_loaded_though_it_would_be_refused(say: Lkm, make: Make) -> None:
    path = make("mod.ko", own_module())
    told = say("--loaded", make("old.ko", own_module("old", vermagic="6.6.0 ")), path)
    assert told.status == 0
    assert "is taken as loaded, though this kernel would refuse it" in told.out


def test_words_for_people(say: Lkm, make: Make) -> None:
    path = make("mod.ko", own_module(vermagic="6.6.0 "))
    told = say(path)
    assert told.status == 1
    assert told.err == ""
    first, *more = told.out.splitlines()
    assert first.startswith(f"{path}: does not load on {RELEASE}: mod was built for")
    assert more[0] == (
        "  answer:      ENOEXEC, exec format error (errno 8), when it compares the version magic, the short description"
        " of the kernel that a module is built for"
    )
    assert more[1] == f"  kernel log:  {MAGIC_LINE}"
    assert any(line.startswith("  try: ") for line in more)


def test_taints_that_a_refused_module_leaves(say: Lkm, make: Make) -> None:
    path = make("mod.ko", own_module(intree=False, imports=(Import("nothing", weak=False, crc=1),)))
    assert "  taint:       the kernel is left tainted all the same: O (" in say(path).out
