"""load, unload, links and demo: as text and as JSON, and what they leave behind."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Lkm = Callable[..., Any]


def _json(outcome: Any, verb: str) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(outcome.out)
    assert next(iter(plain)) == "schema"
    assert plain["schema"] == f"lkm.{verb}/1"
    return plain


def _loaded(lkm: Lkm) -> list[str]:
    return [module["name"] for module in _json(lkm("list", "--json"), "list")["modules"]]


# --- load -------------------------------------------------------------------------------------------------------------


def test_load(on_sample: Lkm) -> None:
    outcome = on_sample("load", "fs-vfat")
    assert (outcome.status, outcome.out, outcome.err) == (0, "vfat: loaded, after fat\n", "")
    assert on_sample("load", "vfat").out == "vfat: was loaded already\n"
    assert on_sample("load", "unix").out == "unix: is built in\n"
    assert _loaded(on_sample) == ["vfat", "fat"]


def test_load_verbosely(on_sample: Lkm, sample: Path) -> None:
    outcome = on_sample("load", "-v", f"{sample}/home/you/hello.ko")
    assert outcome.out.splitlines() == [
        f"insert {sample}/home/you/hello.ko",
        "kernel: hello: loading out-of-tree module taints kernel.",
        "kernel: hello: module verification failed: signature and/or required key missing - tainting kernel",
        "hello: loaded",
    ]


def test_load_dry(on_sample: Lkm, sample: Path) -> None:
    directory = f"{sample}/lib/modules/6.1.0-sample/kernel"
    outcome = on_sample("load", "-n", "vfat", "unix")
    assert outcome.out.splitlines() == [
        f"insert {directory}/fs/fat/fat.ko",
        f"insert {directory}/fs/fat/vfat.ko",
        "nothing to do for unix: it is built in",
    ]
    assert _loaded(on_sample) == []
    plain = _json(on_sample("load", "--dry-run", "vfat", "--json"), "load")
    assert plain["dry_run"] is True
    assert plain["results"][0]["loads"] is None
    assert len(plain["results"][0]["steps"]) == 2


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("numdummies=2",), {"numdummies": "2"}),
        (("numdummies=2", "label=a b"), {"numdummies": "2", "label": "a b"}),
        (('label="a b"',), {"label": "a b"}),
        (("label=a\tb",), {"label": "a\tb"}),
        (("label=",), {}),
        (("label=a=b",), {"label": "a=b"}),
        (("label='a b'",), {"label": "'a b'"}),
    ],
)
def test_parameters_reach_the_kernel(on_sample: Lkm, words: tuple[str, ...], values: dict[str, str]) -> None:
    assert on_sample("load", "dummy", *words).status == 0
    (shown,) = _json(on_sample("show", "dummy", "--json"), "show")["modules"]
    assert {found["name"]: found["value"] for found in shown["parameters"] if found["value"]} == values


def test_parameters_are_for_one_module(on_sample: Lkm) -> None:
    outcome = on_sample("load", "dummy", "fat", "a=1")
    assert (outcome.status, outcome.out) == (2, "")
    assert "parameters can be given to one module only" in outcome.err
    assert on_sample("load", "a=1").status == 2


def test_a_path_with_an_equals_sign_is_a_path(on_sample: Lkm, tmp_path: Path, sample: Path) -> None:
    path = tmp_path / "a=b.ko"
    path.write_bytes((sample / "home/you/hello.ko").read_bytes())
    assert on_sample("load", str(path)).out == "hello: loaded\n"


def test_load_refused(on_sample: Lkm, sample: Path) -> None:
    path = f"{sample}/home/you/old.ko"
    outcome = on_sample("load", path)
    assert (outcome.status, outcome.out) == (1, "")
    lines = [line.strip() for line in outcome.err.splitlines()]
    assert lines[0] == f"lkm: {path}: the kernel refused to load old: Exec format error (errno 8)"
    assert lines[1].startswith("kernel: old: version magic '5.10.0-8 ")
    assert [line.split(":")[0] for line in lines[2:]] == ["why", "try"]
    result = _json(on_sample("load", path, "--json"), "load")["results"][0]
    assert (result["loads"], result["error"]["errno"], result["error"]["module"]) == (False, errno.ENOEXEC, "old")
    assert result["error"]["causes"][0]["id"] == "vermagic"
    forced = on_sample("load", path, "--force-vermagic")
    assert forced.out == "old: loaded\n"


def test_force_modversion(on_sample: Lkm) -> None:
    assert on_sample("load", "fat", "--force-modversion").status == 0
    assert "fat" in on_sample("list", "--tainting").out


def test_first_time(on_sample: Lkm) -> None:
    assert on_sample("load", "--first-time", "vfat").status == 0
    outcome = on_sample("load", "--first-time", "vfat")
    assert outcome.status == 1
    assert "File exists" in outcome.err
    assert "lkm unload vfat" in outcome.err
    assert "unix is built into the kernel" in on_sample("load", "--first-time", "unix").err


def test_first_time_of_a_file(on_sample: Lkm, sample: Path) -> None:
    path = f"{sample}/home/you/hello.ko"
    assert on_sample("load", "--first-time", path).status == 0
    assert on_sample("load", "--first-time", path).status == 1


def test_install_commands(with_lines: Callable[[str], Lkm], tmp_path: Path) -> None:
    lkm = with_lines(f'install dummy echo "$MODPROBE_MODULE $CMDLINE_OPTS" > {tmp_path}/out\noptions dummy a=1\n')
    outcome = lkm("load", "dummy", "b=2", "-v")
    assert outcome.status == 0
    assert outcome.out.endswith("dummy: loaded\n")
    assert (tmp_path / "out").read_text() == "dummy a=1 b=2\n"
    assert lkm("load", "-i", "dummy", "-n").out.startswith("insert ")
    failing = with_lines("install dummy sh -c 'exit 7'\n")
    outcome = failing("load", "dummy", "--json")
    assert outcome.status == 1
    assert _json(outcome, "load")["results"][0]["error"]["type"] == "CommandFailed"


def test_forbidden(on_sample: Lkm, sample: Path) -> None:
    outcome = on_sample("load", "pcspkr")
    assert (outcome.status, outcome.out) == (1, "")
    assert f"{sample}/etc/modprobe.d/quiet.conf:2: modprobe.d forbids pcspkr" in outcome.err
    result = _json(on_sample("load", "pcspkr", "--json"), "load")["results"][0]
    assert (result["loads"], result["error"]["type"]) == (False, "Blocked")
    assert on_sample("load", "--ignore-install", "pcspkr").status == 0


def test_blacklisted(with_lines: Callable[[str], Lkm]) -> None:
    lkm = with_lines("blacklist vfat\n")
    outcome = lkm("load", "fs-vfat")
    assert outcome.status == 1
    assert "vfat (asked for as fs_vfat) is blacklisted" in outcome.err
    assert lkm("load", "-b", "vfat").status == 1
    assert lkm("load", "vfat").status == 0


def test_several_claim_one_alias(with_lines: Callable[[str], Lkm]) -> None:
    """One that fails keeps nobody else from being loaded, and is told."""
    lkm = with_lines("alias dev vfat\nalias dev pcspkr\nalias dev dummy\n")
    outcome = lkm("load", "dev")
    assert outcome.status == 1
    assert outcome.out == "vfat: loaded, after fat\ndummy: loaded\n"
    assert "modprobe.d forbids pcspkr" in outcome.err


def test_soft_dependencies_that_fail(with_lines: Callable[[str], Lkm], sample: Path) -> None:
    lkm = with_lines("softdep dummy pre: broken\ninstall broken exit 9\n")
    outcome = lkm("load", "dummy")
    assert outcome.status == 0
    assert "dummy: a soft dependency failed, which does not matter: " in outcome.out


def test_nothing_is_loaded_when_a_name_is_unknown(on_sample: Lkm) -> None:
    outcome = on_sample("load", "dummy", "nobody", "--json")
    assert outcome.status == 1
    assert _json(outcome, "load")["error"]["type"] == "ModuleNotFound"
    assert _loaded(on_sample) == []


# --- unload -----------------------------------------------------------------------------------------------------------


def test_unload(on_sample: Lkm) -> None:
    on_sample("load", "vfat", "dummy")
    outcome = on_sample("unload", "fat")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.splitlines() == [
        "lkm: fat is in use: used by vfat",
        "  hint: remove them with it: lkm unload --holders fat",
    ]
    assert on_sample("unload", "-v", "vfat").out.splitlines() == [
        "remove vfat",
        "remove fat   # nothing uses it any more",
        "vfat: removed vfat, fat",
    ]
    assert _loaded(on_sample) == ["dummy"]


def test_unload_with_holders(on_sample: Lkm) -> None:
    on_sample("load", "vfat")
    assert on_sample("unload", "--holders", "fat").out == "fat: removed vfat, fat\n"
    assert _loaded(on_sample) == []


def test_unload_dry_and_as_json(on_sample: Lkm) -> None:
    on_sample("load", "vfat")
    assert on_sample("unload", "-n", "vfat").out.splitlines()[0] == "remove vfat"
    assert on_sample("unload", "-n", "fat").out == "fail: fat is in use\n"
    assert len(_loaded(on_sample)) == 2
    outcome = on_sample("unload", "fat", "vfat", "nobody", "--json")
    plain = _json(outcome, "unload")
    assert outcome.status == 1
    assert [sorted(result) for result in plain["results"]] == [
        ["error", "module"],
        ["log", "module", "removed", "steps"],
        ["error", "module"],
    ]
    assert plain["results"][1]["removed"] == ["vfat", "fat"]


def test_unload_several(on_sample: Lkm) -> None:
    """One that fails keeps the others from nothing, and is told."""
    on_sample("load", "dummy", "vfat")
    outcome = on_sample("unload", "fat", "dummy")
    assert (outcome.status, outcome.out) == (1, "dummy: removed dummy\n")
    assert "fat is in use" in outcome.err


@pytest.mark.parametrize(("name", "words"), [("unix", "is built into the kernel"), ("dummy", "dummy is not loaded")])
def test_unload_what_can_not_go(on_sample: Lkm, name: str, words: str) -> None:
    outcome = on_sample("unload", name)
    assert outcome.status == 1
    assert words in outcome.err


def test_unload_by_force_and_by_command(with_lines: Callable[[str], Lkm], tmp_path: Path) -> None:
    lkm = with_lines(f"remove dummy touch {tmp_path}/removed\n")
    lkm("load", "dummy")
    assert lkm("unload", "dummy").status == 0
    assert (tmp_path / "removed").exists()
    assert _loaded(lkm) == ["dummy"]  # the command did not
    assert lkm("unload", "-i", "-f", "dummy").status == 0
    assert _loaded(lkm) == []


@pytest.mark.parametrize("seconds", ["nan", "-1", "x", "", "-inf"])
def test_waiting_for_nonsense(on_sample: Lkm, seconds: str) -> None:
    outcome = on_sample("unload", f"--wait={seconds}", "fat")
    assert outcome.status == 2
    assert "is no number of seconds" in outcome.err


def test_waiting(on_sample: Lkm) -> None:
    on_sample("load", "vfat")
    outcome = on_sample("unload", "--wait", "0.01", "fat")
    assert outcome.status == 1
    assert "Resource temporarily unavailable" in outcome.err
    assert on_sample("unload", "--wait=inf", "vfat").status == 0


# --- links ------------------------------------------------------------------------------------------------------------


def test_links(on_sample: Lkm, tmp_path: Path) -> None:
    outcome = on_sample("links", str(tmp_path / "bin"))
    assert outcome.status == 0
    assert f"{tmp_path}/bin/modprobe\n" in outcome.out
    assert (tmp_path / "bin/lsmod").is_symlink()
    plain = _json(on_sample("links", str(tmp_path / "bin"), "--json"), "links")
    assert f"{tmp_path}/bin/insmod" in plain["links"]
    (tmp_path / "bin/lsmod").unlink()
    (tmp_path / "bin/lsmod").write_text("mine")
    outcome = on_sample("links", str(tmp_path / "bin"))
    assert outcome.status == 2
    assert "hint: replace it with --force" in outcome.err
    assert on_sample("links", "--force", str(tmp_path / "bin")).status == 0


# --- demo -------------------------------------------------------------------------------------------------------------


def test_demo(lkm: Lkm, tmp_path: Path) -> None:
    outcome = lkm("demo", "--keep", str(tmp_path / "kept"))
    assert (outcome.status, outcome.err) == (0, "")
    assert "# That should have ended" not in outcome.out
    assert "$ lkm load -v vfat\n" in outcome.out
    assert "And this machine's own kernel" in outcome.out
    assert f"export LKM_ROOT={tmp_path}/kept/root LKM_KERNEL=emulated:{tmp_path}/kept/kernel" in outcome.out
    shown = lkm("list", "--root", f"{tmp_path}/kept/root", "--kernel", f"emulated:{tmp_path}/kept/kernel")
    assert "dummy" in shown.out


def test_demo_as_json(lkm: Lkm) -> None:
    outcome = lkm("demo", "--json")
    plain = _json(outcome, "demo")
    assert (outcome.status, outcome.err) == (0, "")
    assert len(plain["scenes"]) > 8
    assert all(scene["status"] == scene["expected"] for scene in plain["scenes"])
