"""rmmod."""

from pathlib import Path

import pytest
from tests.support.front_ends import Run

from lkm.actions.sample_tree import RELEASE
from lkm.kernels.emulated import EmulatedKernel
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root


def test_modules_go_one_after_the_other(run: Run) -> None:
    run("modprobe", "vfat")
    assert run("rmmod", "vfat", "fat").status == 0
    assert run("lsmod").output.count("\n") == 1


def test_it_goes_on_after_what_can_not_be_removed(run: Run) -> None:
    run("modprobe", "vfat")
    outcome = run("rmmod", "nosuch", "unix", "fat", "vfat")
    assert outcome.status == 1
    assert outcome.errors == [
        "rmmod: ERROR: Module nosuch is not currently loaded",
        "rmmod: ERROR: Module unix is builtin.",
        "rmmod: ERROR: Module fat is in use by: vfat",
    ]
    assert [line.split()[0] for line in run("lsmod").output.splitlines()[1:]] == ["fat"]


def test_open_files_keep_a_module_unless_forced(run: Run, sample: Path, environment: Path) -> None:
    run("modprobe", "fat")
    EmulatedKernel(ModuleTree(Root(str(sample)), RELEASE), str(environment)).hold("fat", 2)
    outcome = run("rmmod", "fat")
    assert outcome.errors == ["rmmod: ERROR: Module fat is in use"]
    assert run("rmmod", "--force", "fat").status == 0


def test_a_forced_removal_that_the_kernel_refuses(run: Run) -> None:
    outcome = run("rmmod", "-f", "nosuch")
    assert outcome.status == 1
    place = "../libkmod/libkmod-module.c:856 kmod_module_remove_module()"
    assert outcome.errors == [
        f"rmmod: ERROR: {place} could not remove 'nosuch': No such file or directory",
        "rmmod: ERROR: could not remove module nosuch: No such file or directory",
    ]


def test_a_file_stands_for_the_module_in_it(run: Run, sample: Path) -> None:
    path = sample / "home/you/hello.ko"
    run("insmod", str(path))
    assert run("rmmod", str(path)).status == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "rmmod: ERROR: missing module name."),
        (["-w"], "rmmod: ERROR: unexpected getopt_long() value 'w'."),
        (["--nope"], "rmmod: unrecognized option '--nope'"),
        ([""], "rmmod: ERROR: Module  is not currently loaded"),
        (["a/../b"], "rmmod: ERROR: Module a/ is not currently loaded"),
        (["a\0b"], r"rmmod: ERROR: Module a\x00b is not currently loaded"),
        (["x" * 10_000], f"rmmod: ERROR: Module {'x' * 10_000} is not currently loaded"),
    ],
)
def test_calls_that_name_nothing(run: Run, arguments: list[str], error: str) -> None:
    outcome = run("rmmod", *arguments)
    assert (outcome.status, outcome.output, outcome.errors) == (1, "", [error])
    forced = run("rmmod", "-f", *arguments)
    assert forced.status == 1


def test_version_and_help(run: Run) -> None:
    assert run("rmmod", "-V").output.startswith("kmod version 30 ")
    assert run("rmmod", "-h").output.startswith("Usage:")
