"""insmod."""

import errno
from pathlib import Path

import pytest
from tests.support.front_ends import Run

from lkm.actions.sample_tree import RELEASE
from lkm.errors import Unreadable
from lkm.system.root import Root

TREE = f"usr/lib/modules/{RELEASE}/kernel"


def loaded(run: Run) -> list[str]:
    return [line.split()[0] for line in run("lsmod").output.splitlines()[1:]]


def test_a_file_is_loaded_with_its_parameters(run: Run, sample: Path) -> None:
    path = sample / TREE / "drivers/net/dummy.ko"
    assert run("insmod", str(path), "numdummies=3", "label=x").status == 0
    assert loaded(run) == ["dummy"]


@pytest.mark.parametrize(
    ("file", "parameters", "text"),
    [
        ("drivers/net/dummy.ko", ["numdummies=many"], "Invalid parameters"),
        ("fs/fat/vfat.ko", [], "Unknown symbol in module"),
    ],
)
def test_a_refusal_has_insmods_words_and_a_cause(
    run: Run, sample: Path, file: str, parameters: list[str], text: str
) -> None:
    path = sample / TREE / file
    outcome = run("insmod", str(path), *parameters)
    assert outcome.status == 1
    assert outcome.errors == [f"insmod: ERROR: could not insert module {path}: {text}"]
    assert outcome.hints


def test_a_module_for_another_kernel_can_be_forced(run: Run, sample: Path) -> None:
    path = sample / "home/you/old.ko"
    outcome = run("insmod", str(path))
    assert outcome.errors == [f"insmod: ERROR: could not insert module {path}: Invalid module format"]
    assert "5.10.0-8" in outcome.hints[0]
    assert run("insmod", "-f", str(path)).status == 0
    assert loaded(run) == ["old"]


def test_what_is_loaded_is_not_loaded_again(run: Run, sample: Path) -> None:
    path = sample / "home/you/hello.ko"
    assert run("insmod", str(path)).status == 0
    outcome = run("insmod", str(path))
    assert outcome.errors == [f"insmod: ERROR: could not insert module {path}: File exists"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "insmod: ERROR: missing filename."),
        (["-"], "insmod: ERROR: this tool does not support loading from stdin!"),
        (["-x"], "insmod: invalid option -- 'x'"),
        ([""], "insmod: ERROR: could not load module : No such file or directory"),
        (["nosuch.ko"], "insmod: ERROR: could not load module nosuch.ko: No such file or directory"),
        (["a\0b"], r"insmod: ERROR: could not load module a\x00b: No such file or directory"),
        (["/etc"], "insmod: ERROR: could not insert module /etc: Is a directory"),
    ],
)
def test_calls_that_name_no_module(run: Run, arguments: list[str], error: str) -> None:
    outcome = run("insmod", *arguments)
    assert (outcome.status, outcome.output, outcome.errors) == (1, "", [error])


def test_a_name_that_is_too_long(run: Run) -> None:
    outcome = run("insmod", "x" * 10_000)
    assert outcome.status == 1
    assert outcome.errors[0].endswith(": File name too long")


@pytest.mark.parametrize(
    "contents", [b"", b"\x7fELF", b"\xfd7zXZ\0 and no more", b"\x28\xb5\x2f\xfd", b"hello, world\n" * 9]
)
def test_a_file_that_is_no_module(run: Run, tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "x.ko"
    path.write_bytes(contents)
    outcome = run("insmod", str(path))
    assert outcome.status == 1
    assert outcome.errors[0].startswith(f"insmod: ERROR: could not insert module {path}: ")


def test_a_file_that_may_not_be_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.ko"
    path.write_bytes(b"x" * 100)

    def refuse(root: Root, inside: str) -> int:
        raise Unreadable("permission denied") from PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Root, "open_fd", refuse)
    outcome = run("insmod", str(path))
    assert outcome.errors == [f"insmod: ERROR: could not insert module {path}: Permission denied"]


def test_version_and_help(run: Run) -> None:
    version = run("insmod", "-V", "-x")
    assert version.status == 0
    assert version.output.split()[:3] == ["kmod", "version", "30"]
    assert run("insmod", "--hel").output.startswith("Usage:")
