"""A kernel's profile: gathered, kept, saved, read back."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.made_up_kernel import KernelRecipe, bzimage, vmlinux

from lkm.actions import profile as profile_action
from lkm.actions.profile import profile_for, save
from lkm.actions.session import Session, Target
from lkm.errors import FormatError, Unreadable, UsageError
from lkm.formats.compression import Compression, compress
from lkm.formats.ksymtab import Export
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_gathering import gather
from lkm.system.root import Root

RELEASE = "6.1.0-sample"


@pytest.fixture
def session(own_sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Session(Target(root=str(own_sample)))


def _image(path: Path, release: str = RELEASE) -> str:
    recipe = KernelRecipe(release, exports=(Export("of_image", 5, gpl_only=False, namespace=None),))
    path.write_bytes(bzimage(compress(vmlinux(recipe), Compression.GZIP), release))
    return str(path)


def test_gathered(session: Session, own_sample: Path, tmp_path: Path) -> None:
    before = sorted(own_sample.rglob("*"))
    assert profile_for(session) == gather(session.tree)
    assert sorted(own_sample.rglob("*")) == before  # this root has no /var/cache, so nothing is kept
    assert not (tmp_path / "cache").exists()  # the user's cache is for the host's own kernels


def test_kept_in_the_roots_cache(session: Session, own_sample: Path) -> None:
    (own_sample / "var/cache").mkdir(parents=True)
    profile = profile_for(session)
    (kept,) = (own_sample / "var/cache/lkm/profile").iterdir()
    assert kept.name.endswith(f"lib%2Fmodules%2F{RELEASE}.json")
    kept.write_bytes(kept.read_bytes().replace(b'"command_line":""', b'"command_line":"as kept"'))
    assert profile_for(session) == replace(profile, command_line="as kept")
    (own_sample / f"boot/config-{RELEASE}").write_text("CONFIG_MODULES=y\n")
    assert profile_for(session).command_line == ""


def test_a_cache_that_can_not_be_written(session: Session, own_sample: Path) -> None:
    (own_sample / "var/cache").mkdir(parents=True)
    (own_sample / "var/cache/lkm").touch()  # a file, where a directory would be made
    assert profile_for(session) == profile_for(session)


def test_saved_and_read_back(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = profile_for(session)
    monkeypatch.chdir(tmp_path)
    assert save(profile, "kernel.profile") == (tmp_path / "kernel.profile").stat().st_size
    elsewhere = Session(Target(root=str(tmp_path)))
    assert profile_for(elsewhere, profile_file="kernel.profile") == profile


def test_files_that_are_no_profile(session: Session, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no such file") as missing:
        profile_for(session, profile_file=f"{tmp_path}/nothing")
    assert missing.value.where == f"{tmp_path}/nothing"
    (tmp_path / "text").write_text("text")
    with pytest.raises(FormatError, match="is no saved profile") as caught:
        profile_for(session, profile_file=f"{tmp_path}/text")
    assert (caught.value.where, bool(caught.value.hint)) == (f"{tmp_path}/text", True)
    with pytest.raises(Unreadable, match="can't be written") as unwritten:
        save(profile_for(session), f"{tmp_path}/missing/file")
    assert unwritten.value.where == f"{tmp_path}/missing/file"


def test_of_an_image(session: Session, tmp_path: Path) -> None:
    profile = profile_for(session, kernel_image=_image(tmp_path / "vmlinuz"))
    assert set(profile.exports) == {"of_image"}
    assert profile.struct_module_size == 0x380  # as the tree's modules tell
    other = profile_for(session, kernel_image=_image(tmp_path / "other", "6.2.0-other"))
    assert (other.release, other.module_exports) == ("6.2.0-other", {})


def test_words_that_contradict_each_other(session: Session, own_sample: Path, tmp_path: Path) -> None:
    image = _image(tmp_path / "other", "6.2.0-other")
    with pytest.raises(UsageError, match=r"of release 6\.2\.0-other, not 6\.1\.0-sample"):
        profile_for(Session(Target(root=str(own_sample), release=RELEASE)), kernel_image=image)
    with pytest.raises(UsageError, match="needs no kernel image"):
        profile_for(session, profile_file="x", kernel_image=image)
    (tmp_path / "text").write_text("text")
    with pytest.raises(FormatError, match="not a kernel image") as caught:
        profile_for(session, kernel_image=f"{tmp_path}/text")
    assert (caught.value.where, bool(caught.value.hint)) == (f"{tmp_path}/text", True)


def test_kernels_of_the_host_may_be_kept_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tree = ModuleTree(Root(), RELEASE)
    assert profile_action._places(tree)[-1] == f"{tmp_path}/lkm/profile/{tree.directory[1:].replace('/', '%2F')}.json"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the specification wants ignored
    assert not any("relative" in place for place in profile_action._places(tree))
