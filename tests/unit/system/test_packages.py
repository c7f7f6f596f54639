"""Which package has a file."""

from pathlib import Path

import pytest
from tests.support.require import require_tool

from lkm.system.packages import owner_of
from lkm.system.root import Root


@pytest.mark.peer
def test_a_file_of_a_package(tmp_path: Path) -> None:
    require_tool("dpkg-query")
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    (info.parent / "status").write_text("Package: mine\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n")
    (info / "format").write_text("1\n")
    (info / "mine.list").write_text("/.\n/usr\n/usr/lib\n/usr/lib/x.ko\n/lib\n/lib/y.ko\n")
    root = Root(str(tmp_path))
    assert owner_of(root, "/usr/lib/x.ko") == "mine"
    assert owner_of(root, "/lib/x.ko") == "mine"
    assert owner_of(root, "/usr/lib/y.ko") == "mine"
    assert owner_of(root, "/lib/z.ko") is None


def test_a_root_without_packages(tmp_path: Path) -> None:
    assert owner_of(Root(str(tmp_path)), "/lib/x.ko") is None
