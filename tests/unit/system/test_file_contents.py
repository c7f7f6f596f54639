"""Files and links are read and written inside the root, and a last link is never followed."""

import os
from pathlib import Path

import pytest

from lkm.errors import LkmError, Unreadable
from lkm.system.file_contents import Link, put_contents, read_contents
from lkm.system.root import Root


def test_files_links_and_nothing(tmp_path: Path) -> None:
    root = Root(str(tmp_path))
    assert read_contents(root, "/etc/x.conf") is None
    put_contents(root, "/etc/x.conf", b"one\n")
    assert read_contents(root, "/etc/x.conf") == b"one\n"
    put_contents(root, "/etc/x.conf", Link("/dev/null"))
    assert read_contents(root, "/etc/x.conf") == Link("/dev/null")
    put_contents(root, "/etc/x.conf", b"two\n")  # takes the place of the link
    assert (tmp_path / "etc/x.conf").read_bytes() == b"two\n"
    put_contents(root, "/etc/x.conf", None)
    put_contents(root, "/etc/x.conf", None)
    assert os.listdir(tmp_path / "etc") == []  # noqa: PTH208  no temporary is left


def test_a_link_that_leads_out_is_replaced_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine\n")
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/x.conf").symlink_to(outside)
    put_contents(Root(str(tmp_path / "root")), "/etc/x.conf", b"new\n")
    assert outside.read_text() == "mine\n"


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    root = Root(str(tmp_path))
    (tmp_path / "etc/x.conf").mkdir(parents=True)
    with pytest.raises(Unreadable, match="no regular file"):
        read_contents(root, "/etc/x.conf")
    with pytest.raises(LkmError):
        put_contents(root, "/etc/..", b"")
