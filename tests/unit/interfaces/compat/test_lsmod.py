"""lsmod."""

import pytest
from tests.support.front_ends import Run

from lkm.errors import ModuleSupportMissing
from lkm.formats.proc_modules import LoadedModule
from lkm.interfaces.compat.lsmod import table
from lkm.kernels.emulated import EmulatedKernel

HEADER = "Module                  Size  Used by\n"


def test_rows_have_kmods_columns() -> None:
    modules = (
        LoadedModule("vfat", 24576),
        LoadedModule("a_name_of_more_than_19_letters", 123456789, 3, ("virtual", "software", "faux")),
        LoadedModule("stays", 4096, 2, permanent=True),
        LoadedModule("uncounted", 1, None),
    )
    assert table(modules) == (
        f"{HEADER}"
        "vfat                   24576  0\n"
        "a_name_of_more_than_19_letters 123456789  3 software,virtual,faux\n"
        "stays                   4096  2\n"
        "uncounted                  1  -2\n"
    )


def test_it_lists_what_is_loaded(run: Run) -> None:
    assert run("lsmod").output == HEADER
    assert run("modprobe", "vfat").status == 0
    lines = run("lsmod").output.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["vfat", "fat"]
    assert lines[2].endswith("  1 vfat")


def test_it_takes_no_arguments(run: Run) -> None:
    outcome = run("lsmod", "-v")
    assert (outcome.status, outcome.output, outcome.errors) == (1, "", ["Usage: lsmod"])


def test_a_kernel_without_modules_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> tuple[LoadedModule, ...]:
        raise ModuleSupportMissing("no modules here", hint="boot another kernel")

    monkeypatch.setattr(EmulatedKernel, "loaded", refuse)
    outcome = run("lsmod")
    assert outcome.status == 1
    library = "libkmod: ERROR ../libkmod/libkmod-module.c:1725 kmod_module_new_from_loaded"
    assert outcome.errors == [
        f"{library}: could not open /proc/modules: No such file or directory",
        "Error: could not get list of modules: No such file or directory",
    ]
    assert outcome.hints == ["boot another kernel"]


def test_an_unknown_kernel_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKM_KERNEL", "nonsense")
    outcome = run("lsmod")
    assert outcome.status == 1
    assert "nonsense" in outcome.errors[0]
