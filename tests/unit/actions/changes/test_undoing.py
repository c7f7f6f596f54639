"""Undoing, undoing that again, and what stands in the way."""

from pathlib import Path

import pytest

from lkm.actions.changes.changes import MASK, Changes
from lkm.actions.changes.undoing import history, undo
from lkm.actions.session import Session, Target
from lkm.errors import Unreadable, UsageError
from lkm.formats.own_files import mark_for
from lkm.system.root import Root

OWN = "/etc/modprobe.d/lkm-x.conf"
MARK = mark_for("lkm test")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(Target(str(tmp_path)))


def _change(root: Path, text: bytes, path: str = OWN) -> int:
    changes = Changes(Root(str(root)))
    changes.add(path, MARK + text)
    number = changes.carry_out("lkm test")
    assert number is not None
    return number


def _undo(session: Session, number: int | None = None, *, force: bool = False) -> int | None:
    return undo(session, number, "lkm undo", force=force)[1].number


def _now(root: Path) -> bytes | None:
    path = root / OWN[1:]
    return path.read_bytes().removeprefix(MARK) if path.exists() else None


def test_undoing_goes_further_back_each_time(session: Session, tmp_path: Path) -> None:
    _change(tmp_path, b"1\n")
    _change(tmp_path, b"2\n")
    assert _undo(session) == 3
    assert _now(tmp_path) == b"1\n"
    assert _undo(session) == 4
    assert _now(tmp_path) is None
    with pytest.raises(UsageError, match="nothing to undo"):
        _undo(session)


def test_what_was_undone_can_be_made_again(session: Session, tmp_path: Path) -> None:
    _change(tmp_path, b"1\n")
    _undo(session)
    _undo(session, 2)
    assert _now(tmp_path) == b"1\n"
    assert [(entry.record.undoes, entry.undone_by) for entry in history(session).entries] == [
        (None, None),
        (1, 3),
        (2, None),
    ]
    _undo(session)
    assert _now(tmp_path) is None


def test_what_is_undone_is_not_undone_twice(session: Session, tmp_path: Path) -> None:
    _change(tmp_path, b"1\n")
    _undo(session)
    with pytest.raises(UsageError, match="undone already, by change 2") as caught:
        _undo(session, 1)
    assert caught.value.hint == "to make it again: lkm undo 2"


def test_a_later_change_stands_in_the_way(session: Session, tmp_path: Path) -> None:
    _change(tmp_path, b"1\n")
    _change(tmp_path, b"1 2\n")
    with pytest.raises(UsageError, match=r"changed again by change 2.*differs by: -1; \+1 2") as caught:
        _undo(session, 1)
    assert caught.value.hint is not None
    assert "lkm undo 2" in caught.value.hint
    _undo(session, 1, force=True)
    assert _now(tmp_path) is None


def test_what_came_since_in_other_lines_stays(session: Session, tmp_path: Path) -> None:
    _change(tmp_path, b"1\n")
    _change(tmp_path, b"1\n2\n")
    (tmp_path / OWN[1:]).write_bytes(MARK + b"1\n2\n# mine\n")
    assert _undo(session, 1) == 3
    assert _now(tmp_path) == b"2\n# mine\n"
    assert _undo(session, 2) == 4
    assert _now(tmp_path) == b"# mine\n"
    assert _undo(session, 4) == 5
    assert _now(tmp_path) == b"2\n# mine\n"


def test_an_editor_stands_in_the_way(session: Session, tmp_path: Path) -> None:
    _change(tmp_path, b"1\n")
    (tmp_path / OWN[1:]).write_bytes(MARK + b"mine\n")
    with pytest.raises(UsageError, match="by something else"):
        _undo(session)
    assert _now(tmp_path) == b"mine\n"
    _undo(session, force=True)
    _undo(session, 2)
    assert _now(tmp_path) == b"mine\n"  # what was given up can be had back


def test_a_file_whose_mark_was_taken_out_is_left_alone(session: Session, tmp_path: Path) -> None:
    _change(tmp_path, b"1\n")
    (tmp_path / OWN[1:]).write_bytes(b"1\n")
    with pytest.raises(UsageError, match="mark"):
        _undo(session, force=True)
    assert (tmp_path / OWN[1:]).read_bytes() == b"1\n"


def test_what_was_undone_by_hand_counts_as_undone(session: Session, tmp_path: Path) -> None:
    _change(tmp_path, b"1\n")
    _change(tmp_path, b"2\n", OWN.replace("-x", "-y"))
    (tmp_path / OWN.replace("-x", "-y")[1:]).unlink()
    record, outcome = undo(session, None, "lkm undo")
    assert (record.number, outcome.changes) == (2, False)
    assert _undo(session) == 4
    assert _now(tmp_path) is None


def test_a_change_that_was_cut_short_can_be_undone(session: Session, tmp_path: Path) -> None:
    """Killed between the journal and the second file."""
    changes = Changes(Root(str(tmp_path)))
    changes.add(OWN, MARK)
    changes.add("/etc/modules-load.d/cups.conf", MASK)
    changes.carry_out("lkm test")
    (tmp_path / "etc/modules-load.d/cups.conf").unlink()
    _undo(session)
    assert _now(tmp_path) is None


def test_dry_run(session: Session, tmp_path: Path) -> None:
    _change(tmp_path, b"1\n")
    _, outcome = undo(session, None, "lkm undo", dry_run=True)
    assert outcome.number is None
    assert "-1" in outcome.diff.splitlines()
    assert _now(tmp_path) == b"1\n"


def test_unknown_and_damaged_records(session: Session, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no change 7"):
        _undo(session, 7)
    _change(tmp_path, b"1\n")
    (tmp_path / "var/lib/lkm/changes/1.json").write_text("{}")
    with pytest.raises(Unreadable, match="damaged"):
        _undo(session, 1)
    with pytest.raises(UsageError, match="nothing to undo"):
        _undo(session)
    assert len(history(session).problems) == 1


def test_masks_come_and_go(session: Session, tmp_path: Path) -> None:
    changes = Changes(Root(str(tmp_path)))
    changes.add("/etc/modules-load.d/cups.conf", MASK)
    changes.carry_out("lkm test")
    mask = tmp_path / "etc/modules-load.d/cups.conf"
    assert str(mask.readlink()) == "/dev/null"
    _undo(session)
    assert not mask.is_symlink()
