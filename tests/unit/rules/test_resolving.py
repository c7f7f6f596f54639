"""From names to modules, in kmod's order: the first place that answers ends the search."""

from pathlib import Path

import pytest
from tests.support.planning import candidate, resolver

from lkm.rules.resolving import Candidate, Resolver

MODULES = "mod:\nother: mod\nthird:\n"


def _found(names: Resolver, name: str) -> list[tuple[str, str | None]]:
    return [(found.name, found.alias) for found in names.lookup(name)]


def test_each_place_in_its_turn(tmp_path: Path) -> None:
    """One name that every place knows, and the places taken away one by one."""
    everywhere = {
        "modules": "name:\nmod:\n",
        "conf": "alias name mod\ninstall name /bin/true\n",
        "aliases": (("name", "mod"), ("name2", "mod")),
        "builtins": "name",
        "builtin_aliases": (("name", "mod"), ("only_builtin", "mod")),
    }

    def lookup(step: int, name: str = "name", **less: object) -> tuple[Candidate, ...]:
        return resolver(tmp_path / str(step), **{**everywhere, **less}).lookup(name)  # type: ignore[arg-type]

    from_alias = lookup(1)
    assert [(found.name, found.alias) for found in from_alias] == [("mod", "name")]
    conf = {"conf": "install name /bin/true\n"}
    (by_name,) = lookup(2, **conf)
    assert (by_name.name, by_name.alias, by_name.by_command) == ("name", None, None)
    modules = {"modules": "mod:\n"}
    (by_command,) = lookup(3, **conf, **modules)
    assert (by_command.name, by_command.by_command) == ("name", "name")
    (by_index,) = lookup(4, conf="", **modules)
    assert (by_index.name, by_index.alias, by_index.builtin) == ("mod", "name", False)
    (builtin,) = lookup(5, conf="", aliases=(), **modules)
    assert (builtin.name, builtin.alias, builtin.builtin) == ("name", None, True)
    (by_builtin_alias,) = lookup(6, name="only_builtin", conf="", **modules)
    assert (by_builtin_alias.name, by_builtin_alias.builtin) == ("mod", True)
    assert lookup(7, name="nobody") == ()


def test_symbols_come_before_commands_and_aliases(tmp_path: Path) -> None:
    names = resolver(
        tmp_path, MODULES, symbols=(("sym", "mod"),), aliases=(("symbol:sym", "third"), ("symbol:free", "third"))
    )
    assert _found(names, "symbol:sym") == [("mod", "symbol:sym")]
    assert _found(names, "symbol:free") == [("third", "symbol:free")]
    assert names.lookup("sym") == ()


@pytest.mark.parametrize("name", ["snd-hda", "snd_hda"])
def test_dashes(tmp_path: Path, name: str) -> None:
    names = resolver(tmp_path, "snd-hda:\n", "alias my-alias snd-hda\n", aliases=(("dev_x", "snd-hda"),))
    assert _found(names, name) == [("snd_hda", None)]
    assert _found(names, "my_alias") == [("snd_hda", "my_alias")]
    assert _found(names, "my-alias") == [("snd_hda", "my_alias")]
    assert _found(names, "dev-x") == [("snd_hda", "dev_x")]


def test_dashes_in_brackets_stay(tmp_path: Path) -> None:
    names = resolver(tmp_path, MODULES, "alias x[a-c]y mod\n")
    assert _found(names, "xby") == [("mod", "x[a-c]y")]
    assert names.lookup("x[a-cy") == ()
    assert names.lookup("xa-c]y") == ()


def test_wildcards_are_in_the_configuration_and_not_in_the_name(tmp_path: Path) -> None:
    names = resolver(tmp_path, MODULES, "alias usb:v0001* mod\nalias usb:*p0002* third\n")
    assert _found(names, "usb:v0001p0002d") == [("mod", "usb:v0001*"), ("third", "usb:*p0002*")]
    assert names.lookup("mo?") == ()
    assert names.lookup("*") == ()


def test_an_alias_may_name_what_is_not_there(tmp_path: Path) -> None:
    names = resolver(tmp_path, MODULES, "alias ghost nowhere\n")
    found = candidate(names, "ghost")
    assert (found.name, found.alias) == ("nowhere", "ghost")
    assert names.module_file(found) is None


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 4096, "x" * 10_000, "[", "]", "[a", "a]b"])
def test_names_that_can_be_none(tmp_path: Path, name: str) -> None:
    names = resolver(tmp_path, MODULES, "alias * mod\n")
    assert names.lookup(name) == ()


@pytest.mark.parametrize("name", ["../mod", "/etc/passwd", "mod.ko", "\udcff", "é", " ", "\n", "x" * 4095])
def test_hostile_names_lead_nowhere(tmp_path: Path, name: str) -> None:
    assert resolver(tmp_path, MODULES).lookup(name) == ()


def test_files_and_dependencies(tmp_path: Path) -> None:
    names = resolver(tmp_path, "c: b a\nb: a\na:\n", builtins="a")
    top = candidate(names, "c")
    file = names.module_file(top)
    assert file is not None
    assert file.path == "/lib/modules/1.0/c.ko"
    assert [(found.name, found.builtin) for found in names.dependencies(top)] == [("a", True), ("b", False)]
    assert names.dependencies(candidate(names, "a")) == ()


def test_candidates_are_kept_apart_by_alias_alone() -> None:
    assert Candidate("a") == Candidate("a", builtin=True, by_command="x")
    assert Candidate("a") != Candidate("a", "alias")


def test_commands_of_the_exact_name_go_before_patterns(tmp_path: Path) -> None:
    conf = "install * /bin/any\ninstall named /bin/own\nremove * /bin/gone\nremove named /bin/ungone\n"
    names = resolver(tmp_path, MODULES, conf)
    found = candidate(names, "named")
    install = names.install_command(found)
    assert install is not None
    assert (install.command, install.line) == ("/bin/own", 2)
    by_pattern = names.install_command(candidate(names, "mod"))
    assert by_pattern is not None
    assert by_pattern.command == "/bin/any"
    removal = names.remove_command(candidate(names, "mod"))
    assert removal is not None
    assert removal.command == "/bin/gone"
