"""Changes are all or none, of lkm's own files only, and never over what somebody else wrote meanwhile."""

import os
from pathlib import Path

import pytest

from lkm.actions.changes.applying import apply
from lkm.actions.changes.changes import MASK, Changes, Link
from lkm.actions.session import Session, Target
from lkm.errors import ChangedMeanwhile, LkmError, PrivilegeMissing, ReadOnlyFiles, Unreadable, UsageError
from lkm.formats.own_files import mark_for
from lkm.system.journal import Journal
from lkm.system.root import Root

OWN = "/etc/modprobe.d/lkm-x.conf"
OTHER = "/etc/modules-load.d/lkm-y.conf"
MARK = mark_for("lkm test")


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(str(tmp_path))


def test_files_are_written_and_missing_directories_made(root: Root, tmp_path: Path) -> None:
    changes = Changes(root)
    changes.add(OWN, MARK + b"options a b=1\n")
    changes.add(OTHER, MARK + b"vfat\n")
    assert changes.carry_out("lkm test") == 1
    assert (tmp_path / OWN[1:]).read_bytes() == MARK + b"options a b=1\n"
    assert (tmp_path / OWN[1:]).stat().st_mode & 0o777 == 0o644
    assert [file.path for file in Journal(root).record(1).files] == [OWN, OTHER]


def test_a_file_that_only_root_may_read(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Unreadable("permission denied", where=OWN) from PermissionError()

    monkeypatch.setattr("lkm.actions.changes.changes.read_contents", refuse)
    with pytest.raises(PrivilegeMissing, match=r"can't be read \(permission denied\)") as raised:
        Changes(root).read(OWN)
    assert raised.value.where == OWN
    assert "sudo" in (raised.value.hint or "")


def test_without_a_change_nothing_is_written(root: Root, tmp_path: Path) -> None:
    changes = Changes(root)
    changes.add(OWN, None)
    assert not changes
    assert changes.carry_out("lkm test") is None
    assert os.listdir(tmp_path) == []  # noqa: PTH208  no journal either


def test_the_diff(root: Root, tmp_path: Path) -> None:
    first = Changes(root)
    first.add(OWN, MARK + b"options a b=1\n")
    first.carry_out("lkm test")
    changes = Changes(root)
    changes.add(OWN, MARK + b"options a b=2")
    changes.add("/etc/modules-load.d/cups.conf", MASK)
    changes.add(OTHER, MARK)
    name = str(tmp_path / OWN[1:])
    lines = changes.diff().splitlines()
    assert lines[:2] == [f"--- {name}", f"+++ {name}"]
    assert "-options a b=1" in lines
    assert lines[lines.index("+options a b=2") + 1] == "\\ No newline at end of file"
    assert "+(a link to /dev/null)" in lines
    assert lines.count("--- /dev/null") == 2


def test_files_of_others_are_never_touched(root: Root, tmp_path: Path) -> None:
    (tmp_path / "etc/modprobe.d").mkdir(parents=True)
    (tmp_path / "etc/modprobe.d/lkm-x.conf").write_text("options mine a=1\n")
    (tmp_path / "etc/modprobe.d/vendor.conf").write_text("options theirs a=1\n")
    for path, after in (
        (OWN, MARK),
        (OWN, None),
        (OWN, MASK),
        ("/etc/modprobe.d/vendor.conf", MASK),
        ("/etc/modprobe.d/vendor.conf", None),
        ("/etc/modprobe.d/new.conf", MARK),
        ("/etc/passwd", None),
        ("/etc/modprobe.d/lkm-z.conf", b"no mark\n"),
        ("/etc/modprobe.d/lkm-z.conf", Link("/etc/passwd")),
    ):
        with pytest.raises(UsageError):
            Changes(root).add(path, after)


def test_a_file_that_changed_meanwhile_is_left_alone(root: Root, tmp_path: Path) -> None:
    changes = Changes(root)
    changes.add(OTHER, MARK)
    changes.add(OWN, MARK)
    (tmp_path / "etc/modprobe.d").mkdir(parents=True)
    (tmp_path / OWN[1:]).write_text("somebody else's\n")
    with pytest.raises(ChangedMeanwhile):
        changes.carry_out("lkm test")
    assert (tmp_path / OWN[1:]).read_text() == "somebody else's\n"
    assert not (tmp_path / OTHER[1:]).exists()
    assert Journal(root).numbers() == ()


def test_it_is_all_or_none(root: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = Changes(root)
    changes.add(OTHER, MARK)
    changes.add(OWN, MARK)
    replace = os.replace

    def full(source: str, target: str) -> None:
        if target.endswith("lkm-x.conf"):
            raise OSError(28, "No space left on device", target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(LkmError, match="no space left on device; nothing was changed"):
        changes.carry_out("lkm test")
    assert not (tmp_path / OTHER[1:]).exists()
    assert not (tmp_path / OWN[1:]).exists()
    assert Journal(root).numbers() == ()


@pytest.mark.parametrize(("number", "kind"), [(13, PrivilegeMissing), (1, PrivilegeMissing), (30, ReadOnlyFiles)])
def test_what_would_have_been_done_is_said(
    root: Root, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[PrivilegeMissing | ReadOnlyFiles]
) -> None:
    changes = Changes(root)
    changes.add(OWN, MARK + b"blacklist a\n")

    def refused(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "/etc/modprobe.d/lkm-x.conf")

    monkeypatch.setattr("lkm.system.journal.write_atomically", refused)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(kind, match="nothing was changed") as caught:
        changes.carry_out("lkm test")
    assert isinstance(caught.value, PrivilegeMissing | ReadOnlyFiles)
    assert "+blacklist a" in caught.value.planned
    if kind is PrivilegeMissing:
        assert caught.value.hint == "do it with privilege: sudo lkm test"


def test_two_at_once_both_get_their_way(root: Root, tmp_path: Path) -> None:
    """Another comes in between planning and writing: the plan is made anew."""
    rounds: list[int] = []

    def add(line: bytes, changes: Changes) -> None:
        changes.add(OWN, (changes.read_own(OWN) or MARK) + line)

    def plan(changes: Changes) -> None:
        add(b"one\n", changes)
        rounds.append(1)
        if len(rounds) == 1:
            other = Changes(root)
            add(b"two\n", other)
            other.carry_out("lkm other")

    outcome = apply(Session(Target(str(tmp_path))), plan, "lkm test")
    assert outcome.number == 2
    assert (tmp_path / OWN[1:]).read_bytes() == MARK + b"two\none\n"
