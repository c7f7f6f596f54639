"""depmod.d, from all its places."""

from pathlib import Path

import pytest

from lkm.system.depmod_configuration import read_depmod_d
from lkm.system.notices import Level, Notice
from lkm.system.root import Root


def write(root: Path, files: dict[str, str]) -> Root:
    for inside, text in files.items():
        path = root / inside.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Root(str(root))


def test_the_earlier_directory_wins_and_base_names_give_the_order(tmp_path: Path) -> None:
    files = {
        "/lib/depmod.d/b.conf": "search lib_b",
        "/usr/lib/depmod.d/b.conf": "search usr_b",
        "/usr/local/lib/depmod.d/d.conf": "search local_d",
        "/run/depmod.d/a.conf": "search run_a",
        "/etc/depmod.d/c.conf": "search etc_c",
        "/lib/depmod.d/c.conf": "search lib_c",
        "/etc/depmod.d/.e.conf": "search hidden",
        "/etc/depmod.d/f.txt": "search text",
    }
    notices: list[Notice] = []
    found = read_depmod_d(write(tmp_path, files), None, notices.append)
    assert found.search == ("run_a", "usr_b", "etc_c", "local_d")
    assert notices == []


@pytest.mark.parametrize("target", ["usr/lib", "/usr/lib"])
def test_nothing_is_read_twice_where_lib_is_a_link_to_usr_lib(tmp_path: Path, target: str) -> None:
    root = write(tmp_path, {"/usr/lib/depmod.d/a.conf": "search a\nwrong", "/usr/lib/depmod.d/d.conf/x": ""})
    (tmp_path / "lib").symlink_to(target)
    notices: list[Notice] = []
    assert read_depmod_d(root, None, notices.append).search == ("a",)
    assert [notice.text for notice in notices] == [
        f"Directories inside directories are not supported: {tmp_path}/lib/depmod.d/d.conf",
        f"{tmp_path}/lib/depmod.d/a.conf:2: ignoring bad line starting with 'wrong'",
    ]


def test_paths_take_the_place_of_the_directories(tmp_path: Path) -> None:
    root = write(tmp_path, {"/etc/depmod.d/a.conf": "search etc", "/x/one": "search one", "/y/b.conf": "exclude two"})
    found = read_depmod_d(root, ["/x/one", "/y", "/nosuch"], lambda _: None)
    assert (found.search, found.exclude) == (("one",), ("two",))


def test_what_can_not_be_read_is_said(tmp_path: Path) -> None:
    root = write(tmp_path, {"/etc/depmod.d/a.conf": "search a"})
    (tmp_path / "etc/depmod.d/b.conf").symlink_to("nowhere")
    notices: list[Notice] = []
    assert read_depmod_d(root, None, notices.append).search == ("a",)
    assert [(notice.level, notice.text) for notice in notices] == [
        (Level.ERROR, f"file parse {tmp_path}/etc/depmod.d/b.conf: no such file or directory")
    ]
