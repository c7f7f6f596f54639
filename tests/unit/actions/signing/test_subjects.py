"""Which files words and directories lead to."""

import os
from pathlib import Path

import pytest

from lkm.actions.sample_tree import RELEASE
from lkm.actions.session import Session, Target
from lkm.actions.signing.subjects import Subject, below, named
from lkm.errors import BuiltIn, ModuleNotFound, Unreadable, UsageError


@pytest.fixture
def session(own_sample: Path) -> Session:
    return Session(Target(root=str(own_sample), kernel="emulated"))


@pytest.fixture
def host() -> Session:
    return Session(Target(kernel="emulated"))


def test_files_each_once(host: Session, tmp_path: Path) -> None:
    real = tmp_path / "real.ko"
    real.write_bytes(b"12345")
    (tmp_path / "link.ko").symlink_to("real.ko")
    found = named(host, [f"{tmp_path}/link.ko", str(real), f"{tmp_path}/../{tmp_path.name}/real.ko"])
    assert found.files == (Subject(str(real), "real.ko", 5, 0),)
    assert found.failures == ()


def test_hard_links(host: Session, tmp_path: Path) -> None:
    for name in ("b.ko", "c.ko"):
        (tmp_path / "a.ko").touch()
        os.link(tmp_path / "a.ko", tmp_path / name)
    found = named(host, [f"{tmp_path}/a.ko", f"{tmp_path}/b.ko"])
    assert [subject.other_names for subject in found.files] == [1, 1]
    assert [subject.other_names for subject in below(host, str(tmp_path)).files] == [0, 0, 0]


def test_names_of_modules(session: Session) -> None:
    found = named(session, ["vfat", "fs-vfat"])
    assert [subject.relative for subject in found.files] == ["vfat.ko"]
    assert found.files[0].path == f"{session.root.path}/usr/lib/modules/{RELEASE}/kernel/fs/fat/vfat.ko"


def test_one_failure_is_no_harm_to_the_rest(session: Session, tmp_path: Path) -> None:
    found = named(session, ["nosuch", "vfat", f"{tmp_path}/none.ko", "", "a\0b.ko", "unix"])
    assert [subject.relative for subject in found.files] == ["vfat.ko"]
    assert [type(error) for error in found.failures] == [
        ModuleNotFound,
        ModuleNotFound,
        UsageError,
        BuiltIn,
        Unreadable,
    ]


def test_a_missing_tree_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    session = Session(Target(root=f"{tmp_path}/empty", release="9.9", kernel="emulated"))
    assert len(named(session, ["one", "two", "three"]).failures) == 1


def test_links_of_another_root_stay_inside(session: Session, tmp_path: Path) -> None:
    (tmp_path / "outside.ko").write_bytes(b"outside")
    directory = Path(session.root.path) / "srv"
    directory.mkdir()
    (directory / "inside.ko").write_bytes(b"inside")
    (directory / "absolute.ko").symlink_to("/srv/inside.ko")
    (directory / "out.ko").symlink_to(tmp_path / "outside.ko")
    found = below(session, str(directory))
    assert [subject.path for subject in found.files] == [f"{directory}/inside.ko"]
    assert named(session, [f"{directory}/absolute.ko"]).files == found.files
    assert named(session, [f"{directory}/out.ko"]).files == ()


def test_a_tree(session: Session, tmp_path: Path) -> None:
    tree = Path(f"{session.root.path}/usr/lib/modules/{RELEASE}")
    (tree / "dangling.ko").symlink_to("nowhere")
    (tree / "build").mkdir(exist_ok=True)
    (tree / "build/not.ko").touch()
    found = below(session, None)
    assert sorted(subject.path for subject in found.files) == sorted(
        str(path) for path in tree.rglob("*.ko*") if path.is_file() and path.parent.name != "build"
    )
    assert "kernel/fs/fat/vfat.ko" in {subject.relative for subject in found.files}
    assert (found.failures, len(found.notes)) == ((), 1)
    assert "dangling.ko" in found.notes[0]
    assert {subject.path for subject in below(session, str(tree)).files} == {subject.path for subject in found.files}


def test_no_trees(session: Session, host: Session, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for directory in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(Unreadable) as caught:
            below(host, str(directory))
        assert caught.value.where == str(directory)
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unreadable, match="holds no modules"):
        below(host, f"{tmp_path}/empty")
    with pytest.raises(UsageError):
        below(session, "")
