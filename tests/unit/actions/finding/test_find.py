"""Finding modules by what they claim, offer, are called, or are built by."""

from pathlib import Path

import pytest

from lkm.actions.finding.find import KINDS, find
from lkm.actions.session import Session, Target
from lkm.errors import Unreadable, UsageError


def _session(root: Path) -> Session:
    return Session(Target(root=str(root), kernel="emulated"))


def _found(root: Path, text: str, *kinds: str) -> list[tuple[str, str]]:
    return [(hit.module, hit.kind) for hit in find(_session(root), text, kinds)]


@pytest.mark.parametrize(
    ("text", "kinds", "expected"),
    [
        ("vfat", (), [("vfat", "name")]),
        ("*fat", ("name",), [("fat", "name"), ("vfat", "name")]),
        ("?fat", ("name",), [("vfat", "name")]),
        ("[uv]fat", ("name",), [("vfat", "name")]),
        ("unix", (), [("unix", "name")]),
        ("fs-vfat", (), [("vfat", "alias")]),
        ("rtnl-link-dummy", ("alias",), [("dummy", "alias")]),
        ("platform:pcspkr", (), [("pcspkr", "alias")]),
        ("fat_attach", (), [("fat", "symbol")]),
        ("symbol:fat_attach", ("symbol",), [("fat", "symbol")]),
        ("fat_*", ("symbol",), [("fat", "symbol"), ("fat", "symbol")]),
        ("vfat.ko", ("file",), [("vfat", "file")]),
        ("kernel/fs/fat/vfat.ko", ("file",), [("vfat", "file")]),
        ("kernel/fs/*", ("file",), [("fat", "file"), ("vfat", "file")]),
        ("nothing-like-it", (), []),
        ("vfat", ("alias", "symbol", "file"), []),
    ],
)
def test_kinds(sample: Path, text: str, kinds: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert sorted(_found(sample, text, *kinds)) == expected


@pytest.mark.parametrize("directory", ["/lib/modules", "/usr/lib/modules"])
def test_paths_of_the_host_and_of_the_root(sample: Path, directory: str) -> None:
    path = f"{directory}/6.1.0-sample/kernel/fs/fat/vfat.ko"
    assert _found(sample, path, "file") == _found(sample, f"{sample}{path}", "file") == [("vfat", "file")]


def test_evidence(sample: Path) -> None:
    (hit,) = find(_session(sample), "fs-vfat", ())
    assert (hit.evidence, hit.builtin) == ("it claims fs-vfat", False)
    (hit,) = find(_session(sample), "unix", ())
    assert hit.builtin
    hits = find(_session(sample), "fat_*", ("symbol",))
    assert {hit.evidence for hit in hits} == {"it exports fat_attach", "it exports fat_build_inode"}


@pytest.mark.parametrize("text", ["", "a\0b"])
@pytest.mark.parametrize("kinds", [(), ("config",), ("name",)])
def test_no_text(sample: Path, text: str, kinds: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        find(_session(sample), text, kinds)


@pytest.mark.parametrize("text", ["x" * 10_000, "[", "[a", "]", "*" * 100, "\udcff", "../..", "\n"])
def test_odd_texts_find_nothing_or_something(sample: Path, text: str) -> None:
    for kinds in ((), ("name",), ("alias",), ("symbol",), ("file",), ("config",)):
        found = _found(sample, text, *kinds)
        assert {kind for _, kind in found} <= set(KINDS)


# --- configuration ----------------------------------------------------------------------------------------------------


def test_by_the_sources_makefiles(own_sample: Path) -> None:
    source = own_sample / "usr/lib/modules/6.1.0-sample/build/fs/fat"
    source.mkdir(parents=True)
    (source / "Makefile").write_text("obj-$(CONFIG_FAT_FS) += fat.o\nobj-$(CONFIG_VFAT_FS) += vfat.o\n")
    hits = find(_session(own_sample), "CONFIG_VFAT_FS", ())
    assert [(hit.module, hit.kind) for hit in hits] == [("vfat", "config")]
    assert hits[0].evidence.endswith("fs/fat/Makefile builds it; CONFIG_VFAT_FS=m")


def test_by_the_name_where_there_is_no_source(sample: Path) -> None:
    (hit,) = find(_session(sample), "CONFIG_DUMMY", ())
    assert (hit.module, hit.kind) == ("dummy", "config")
    assert "by its name only" in hit.evidence
    assert _found(sample, "dummy", "config") == [("dummy", "config")]  # asked for, it need not be upper case
    assert ("dummy", "config") not in _found(sample, "dummy")
    assert _found(sample, "CONFIG_NO_SUCH_THING") == []


def test_without_a_configuration(own_sample: Path) -> None:
    (own_sample / "boot/config-6.1.0-sample").unlink()
    with pytest.raises(Unreadable, match="is nowhere") as caught:
        _found(own_sample, "DUMMY", "config")
    assert caught.value.where == f"{own_sample}/boot/config-6.1.0-sample"
    assert _found(own_sample, "DUMMY") == [("dummy", "config")]
