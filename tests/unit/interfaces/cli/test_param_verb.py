"""lkm param: what it prints, for people and for programs."""

import json
from pathlib import Path

import pytest
from tests.support.schema import check_schema
from tests.unit.interfaces.cli.conftest import Lkm


@pytest.fixture
def on_own(on_sample: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> Lkm:
    """Run ``lkm`` on a copy of the sample tree."""
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    monkeypatch.setenv("COLUMNS", "300")
    return on_sample


def test_list_and_get(on_own: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/a.conf").write_text("options dummy numdummies=3\noptions dummy numdummies=4\n")
    rows = on_own("param", "list", "dummy").out.splitlines()
    assert rows[0].split() == ["PARAMETER", "TYPE", "NOW", "DEFAULT", "CONFIGURED", "MEANING"]
    assert rows[1].split() == ["numdummies", "int", "-", "0", "4", "Number", "of", "devices", "to", "make"]
    assert len(on_own("param", "list", "dummy", "--configured").out.splitlines()) == 2
    found = on_own("param", "get", "dummy", "numdummies").out
    assert f"configured:   3   ({own_sample}/etc/modprobe.d/a.conf:1)   overridden by {own_sample}" in found
    assert on_own("param", "list", "vfat").out == "vfat has no parameters\n"


def test_the_value_alone_for_scripts(on_own: Lkm) -> None:
    missing = on_own("param", "get", "dummy", "numdummies", "--value")
    assert (missing.status, missing.out) == (1, "")
    assert "not loaded" in missing.err
    on_own("load", "dummy", "numdummies=5")
    found = on_own("param", "get", "dummy", "numdummies", "--value")
    assert (found.status, found.out) == (0, "5\n")


def test_set_persistently_and_unset(on_own: Lkm, own_sample: Path) -> None:
    done = on_own("param", "set", "dummy", "numdummies=010", "--persist")
    assert done.status == 0
    assert "numdummies of dummy: 010 at each load from now on" in done.out
    assert "the kernel reads 010 as 8" in done.out
    on_own("load", "dummy")
    assert on_own("param", "get", "dummy", "numdummies", "--value").out == "8\n"
    again = on_own("param", "set", "dummy", "numdummies=8", "--persist")
    assert "8 at each load already" in again.out
    assert "change" not in again.out
    kept = on_own("param", "set", "dummy", "numdummies=9", "--persist")
    assert (
        "the loaded module keeps its value; to load it again: lkm param set dummy numdummies=9 --persist --reload\n"
        in kept.out
    )
    loaded = on_own("param", "set", "dummy", "numdummies=9", "--persist", "--reload")
    assert "now 9 (was 8), loaded again" in loaded.out
    (own_sample / "etc/modprobe.d/a.conf").write_text("options dummy numdummies=3\n")
    unset = on_own("param", "unset", "dummy", "numdummies")
    assert "set by lkm's files no more" in unset.out
    assert "numdummies is still set to 3 by" in unset.out
    assert "nothing to do" in on_own("param", "unset", "dummy").out


def test_refusals(on_own: Lkm) -> None:
    for words, status, text in (
        (("set", "dummy", "numdummies=x", "--persist"), 2, "it takes a number of type int"),
        (("set", "dummy", "numdumies=1", "--persist"), 1, "did you mean numdummies?"),
        (("set", "dumy", "numdummies=1"), 1, "did you mean dummy?"),
        (("set", "dummy", "numdummies=1"), 1, "is not loaded"),
        (("get", "dummy", "numdummies=1"), 2, "lkm param set"),
        (("get", "dummy", "x"), 1, "it has: label, numdummies"),
        (("unset", "dummy", "x"), 1, "no parameter 'x'"),
        (("list", "no/such.ko"), 2, "no such file"),
        (("list", ""), 1, "no module"),
        (("set", "dummy", "numdummies=" + "9" * 5000, "--persist"), 2, "out of the range"),
    ):
        told = on_own("param", *words)
        assert (told.status, told.out) == (status, "")
        assert text in told.err


def test_dry_run(on_own: Lkm, own_sample: Path) -> None:
    shown = on_own("param", "set", "dummy", "label=a b", "--persist", "-n")
    assert '+options dummy label="a b"' in shown.out.splitlines()
    assert not (own_sample / "etc/modprobe.d/lkm-parameters.conf").exists()


def test_programs_get_what_people_get(on_own: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/z.conf").write_text("options dummy numdummies=3 odd\n")
    for words, schema in (
        (("list", "dummy"), "param-show"),
        (("set", "dummy", "numdummies=1", "--persist"), "param-set"),
        (("get", "dummy", "numdummies"), "param-show"),
        (("unset", "dummy"), "param-unset"),
        (("set", "dummy", "x=1"), "param-set"),
        (("get", "dummy", "x"), "param-show"),
        (("set", "dummy", "label=x", "--persist", "-n"), "param-set"),
    ):
        check_schema(json.loads(on_own("param", *words, "--json").out), schema)
