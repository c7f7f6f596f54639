"""list, show, deps and find: as text and as JSON."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.schema import check_schema

Lkm = Callable[..., Any]


def _json(outcome: Any, verb: str) -> dict[str, Any]:
    assert outcome.err == ""
    plain: dict[str, Any] = json.loads(outcome.out)
    assert next(iter(plain)) == "schema"
    assert plain["schema"] == f"lkm.{verb}/1"
    return plain


# --- list -------------------------------------------------------------------------------------------------------------


def test_list(on_sample: Lkm, sample: Path) -> None:
    assert on_sample("list").out == "MODULE  SIZE  USES  TAINT  USED BY\n"
    assert on_sample("load", "vfat", f"{sample}/home/you/hello.ko").status == 0
    outcome = on_sample("list")
    assert (outcome.status, outcome.err) == (0, "")
    rows = [line.split() for line in outcome.out.splitlines()]
    assert [row[0] for row in rows] == ["MODULE", "hello", "vfat", "fat"]
    assert rows[1][3:] == ["0", "OE"]
    assert rows[3][3:] == ["1", "-", "vfat"]
    assert on_sample("list", "--tainting").out.splitlines()[1].startswith("hello")
    assert len(on_sample("list", "--tainting").out.splitlines()) == 2


def test_list_as_json(on_sample: Lkm) -> None:
    on_sample("load", "vfat")
    plain = _json(on_sample("list", "--json"), "list")
    assert plain["release"] == "6.1.0-sample"
    assert plain["modules"][1] == {
        "name": "fat",
        "size": plain["modules"][1]["size"],
        "refcount": 1,
        "used_by": ["vfat"],
        "state": "Live",
        "taints": "",
        "permanent": False,
    }
    assert _json(on_sample("--json", "list", "--tainting"), "list")["modules"] == []


# --- show -------------------------------------------------------------------------------------------------------------


def test_show(on_sample: Lkm, sample: Path) -> None:
    on_sample("load", "vfat")
    outcome = on_sample("show", "fs-vfat", "unix", f"{sample}/home/you/hello.ko", "pcspkr")
    assert (outcome.status, outcome.err) == (0, "")
    vfat, unix, hello, pcspkr = outcome.out.split("\n\n")
    assert "module:       vfat   (for fs_vfat)\n" in vfat
    assert f"file:         {sample}/lib/modules/6.1.0-sample/kernel/fs/fat/vfat.ko\n" in vfat
    assert "depends:      fat\n" in vfat
    assert "alias:        fs-vfat\n" in vfat
    assert "state:        live, reference count 0" in vfat
    assert "file:         none: it is built into the kernel\n" in unix
    assert "state:        always there" in unix
    assert "origin:       out of tree: loading it taints the kernel\n" in hello
    assert "depends:      on no other module\n" in hello
    assert f"configured:   install pcspkr /bin/false   ({sample}/etc/modprobe.d/quiet.conf:2)" in pcspkr


def test_show_a_loaded_one(on_sample: Lkm, sample: Path) -> None:
    on_sample("load", "vfat", f"{sample}/home/you/hello.ko")
    assert "state:        live, reference count 1, used by vfat\n" in on_sample("show", "fat").out
    hello = on_sample("show", f"{sample}/home/you/hello.ko").out
    assert "state:        live, reference count 0, taints OE\n" in hello


def test_show_parameters(on_sample: Lkm) -> None:
    on_sample("load", "dummy", "numdummies=2")
    assert on_sample("show", "-p", "dummy", "fat").out == (
        "PARAMETER   TYPE   VALUE  MEANING\n"
        "numdummies  int    2      Number of devices to make\n"
        "label       charp  -      Name of the first device\n"
        "\n"
        "fat has no parameters\n"
    )
    assert "\nPARAMETER   TYPE   VALUE  MEANING\n" in on_sample("show", "dummy").out


def test_show_as_json(on_sample: Lkm, sample: Path) -> None:
    on_sample("load", "dummy", "numdummies=2")
    plain = _json(on_sample("show", "dummy", "unix", "pcspkr", "--json"), "show")
    dummy, unix, pcspkr = plain["modules"]
    assert dummy["file"].endswith("/kernel/drivers/net/dummy.ko")
    assert dummy["parameters"][0] == {
        "name": "numdummies",
        "type": "int",
        "description": "Number of devices to make",
        "permissions": 0o444,
        "value": "2",
    }
    assert dummy["loaded"]["state"] == "Live"
    assert {"key": "license", "value": "GPL"} in dummy["modinfo"]
    assert (unix["builtin"], unix["file"], unix["loaded"]) == (True, None, None)
    assert pcspkr["configuration"] == [
        {"line": "install pcspkr /bin/false", "where": f"{sample}/etc/modprobe.d/quiet.conf:2"}
    ]


def test_many_aliases_are_cut_for_people(on_sample: Lkm, tmp_path: Path) -> None:
    from lkm.actions.sample_tree import VERMAGIC  # noqa: PLC0415
    from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write  # noqa: PLC0415

    aliases = tuple(("alias", f"dev:{number}") for number in range(20))
    recipe = ModuleRecipe("many", (*aliases, *usual_modinfo("many", VERMAGIC)))
    (tmp_path / "many.ko").write_bytes(write(recipe))
    shown = on_sample("show", f"{tmp_path}/many.ko").out
    assert shown.count("alias:  ") == 9
    assert "... and 12 more (--json lists all)" in shown


def test_show_nothing(on_sample: Lkm) -> None:
    outcome = on_sample("show", "vfatt")
    assert (outcome.status, outcome.out) == (1, "")
    assert "hint: did you mean vfat or fat?" in outcome.err


# --- deps -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def chained(lkm: Lkm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lkm:
    """A tree in which more needs more: c needs b and a, b needs a; and soft dependencies."""
    directory = tmp_path / "root/lib/modules/1.0"
    directory.mkdir(parents=True)
    (directory / "modules.dep").write_text("c.ko: b.ko a.ko\nb.ko: a.ko\na.ko:\ns.ko:\n")
    (tmp_path / "root/etc/modprobe.d").mkdir(parents=True)
    (tmp_path / "root/etc/modprobe.d/a.conf").write_text("softdep b pre: s\nsoftdep s post: c\n")
    monkeypatch.setenv("LKM_ROOT", str(tmp_path / "root"))
    monkeypatch.setenv("LKM_KERNEL", "emulated")
    return lkm


def test_deps_as_a_tree(chained: Lkm) -> None:
    outcome = chained("deps", "c")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == ("c\n├── b\n│   ├── a\n│   └── s (pre)\n│       └── c (post) (shown above)\n└── a\n")
    assert chained("deps", "--reverse", "a").out == "a\n├── c\n└── b\n    └── c\n"


def test_deps_as_a_graph(chained: Lkm) -> None:
    lines = chained("deps", "--dot", "b").out.splitlines()
    assert (lines[0], lines[-1]) == ("digraph modules {", "}")
    assert '  "b" -> "a";' in lines
    assert '  "b" -> "s" [style=dashed, label="pre"];' in lines
    assert len(lines) == len(set(lines))


def test_deps_as_json(chained: Lkm) -> None:
    plain = _json(chained("deps", "b", "a", "--json"), "deps")
    assert (plain["release"], plain["reverse"]) == ("1.0", False)
    assert [module["name"] for module in plain["modules"]] == ["b", "a"]
    assert {"user": "b", "needs": "s", "kind": "pre"} in plain["modules"][0]["edges"]
    assert plain["modules"][1]["edges"] == []


def test_deps_of_nothing(chained: Lkm) -> None:
    assert chained("deps", "nobody").status == 1


def test_names_in_a_graph_are_quoted(lkm: Lkm, tmp_path: Path) -> None:
    directory = tmp_path / "lib/modules/1.0"
    directory.mkdir(parents=True)
    (directory / "modules.dep").write_text('a.ko: x"y\\.ko\nx"y\\.ko:\n')
    outcome = lkm("deps", "--dot", "a", "--root", str(tmp_path), "--kernel", "emulated")
    assert '  "a" -> "x\\"y\\\\";' in outcome.out


# --- find -------------------------------------------------------------------------------------------------------------


def test_find(on_sample: Lkm) -> None:
    outcome = on_sample("find", "fs-vfat")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == "MODULE  BY     BECAUSE\nvfat    alias  it claims fs-vfat\n"
    assert "it is called so (built in)" in on_sample("find", "unix").out
    assert on_sample("find", "--symbol", "--name", "vfat").out.splitlines()[1].split()[:2] == ["vfat", "name"]


def test_find_nothing_is_no(on_sample: Lkm, sample: Path) -> None:
    outcome = on_sample("find", "nobody")
    assert (outcome.status, outcome.err) == (1, "")
    assert outcome.out == f"nothing in {sample}/lib/modules/6.1.0-sample answers to nobody\n"
    plain = _json(on_sample("find", "nobody", "--json"), "find")
    assert (plain["found"], plain["hints"]) == ([], [])
    outcome = on_sample("find", "vfta")
    assert (outcome.status, outcome.err) == (1, "")
    assert outcome.out.splitlines()[1:] == ["  hint: did you mean vfat?"]
    assert _json(on_sample("find", "vfta", "--json"), "find")["hints"] == ["did you mean vfat?"]


def test_find_as_json(on_sample: Lkm) -> None:
    plain = _json(on_sample("find", "fat_attach", "--json"), "find")
    check_schema(plain, "find")
    assert plain == {
        "schema": "lkm.find/1",
        "release": "6.1.0-sample",
        "text": "fat_attach",
        "hints": [],
        "found": [{"module": "fat", "kind": "symbol", "evidence": "it exports fat_attach", "builtin": False}],
    }


# --- what could steer a terminal --------------------------------------------------------------------------------------


def test_names_of_files_are_escaped(lkm: Lkm, tmp_path: Path) -> None:
    directory = tmp_path / "root/lib/modules/1.0"
    directory.mkdir(parents=True)
    name = b"ev\x1b(0il\xff"
    (directory / "modules.dep").write_bytes(name + b".ko: other.ko\nother.ko:\n")
    settings = ("--root", str(tmp_path / "root"), "--kernel", "emulated")
    text = os.fsdecode(name)
    for words in (
        ("find", "ev*"),
        ("deps", text),
        ("deps", "-r", "other"),
        ("deps", "--dot", text),
        ("load", "-n", text),
    ):
        outcome = lkm(*words, *settings)
        assert outcome.status == 0, words
        assert "\x1b" not in outcome.out
        assert "ev\\x1b(0il\\xff" in outcome.out
        as_json = lkm(*words, *settings, "--json")
        assert json.dumps(text)[1:-1] in as_json.out
