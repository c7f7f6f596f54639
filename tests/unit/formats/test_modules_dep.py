"""modules.dep as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats.modules_dep import Row, parse, parse_row

DATA = b"""\
kernel/fs/fat/fat.ko:
kernel/fs/fat/vfat.ko.xz: kernel/fs/fat/fat.ko
kernel/net/nf-nat.ko: kernel/c.ko\tkernel/b.ko  kernel/a.ko
/opt/extra.ko: kernel/fs/fat/fat.ko
"""


def test_rows_come_by_name_in_the_files_order() -> None:
    rows = parse(DATA)
    assert list(rows) == ["fat", "vfat", "nf_nat", "extra"]
    assert rows["fat"] == Row("kernel/fs/fat/fat.ko")
    assert rows["vfat"] == Row("kernel/fs/fat/vfat.ko.xz", ("kernel/fs/fat/fat.ko",))
    assert rows["nf_nat"].dependencies == ("kernel/c.ko", "kernel/b.ko", "kernel/a.ko")
    assert rows["extra"].path == "/opt/extra.ko"


def test_comments_and_empty_lines_are_no_rows() -> None:
    assert parse(b"# written by depmod\n\na.ko:\n") == {"a": Row("a.ko")}
    assert parse(b"") == {}


def test_of_two_rows_for_one_name_the_first_counts() -> None:
    assert parse(b"updates/a.ko: x.ko\nkernel/a.ko:\n") == {"a": Row("updates/a.ko", ("x.ko",))}


def test_a_row_without_a_colon_is_an_error_with_its_line() -> None:
    with pytest.raises(FormatError, match="line 2: is no row") as caught:
        parse(b"a.ko:\nb.ko\n")
    assert caught.value.hint is not None


@pytest.mark.parametrize("row", ["", "a.ko", ": a.ko", "\0"])
def test_one_row_needs_path_and_colon(row: str) -> None:
    with pytest.raises(FormatError, match=r"no row of modules\.dep"):
        parse_row(row)


def test_bytes_that_are_no_utf8_survive() -> None:
    assert parse_row("a\udcff.ko: b\udcfe.ko") == Row("a\udcff.ko", ("b\udcfe.ko",))
    assert list(parse(b"\xff.ko:\n")) == ["\udcff"]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        rows = parse(data)
    except FormatError:
        return
    assert all(row.path for row in rows.values())
