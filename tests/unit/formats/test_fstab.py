"""The file /etc/fstab."""

from hypothesis import given
from hypothesis import strategies as st

from lkm.formats.fstab import Mount, parse


def test_lines() -> None:
    disc = "/dev/sr0\t/media/a\\040b\tudf,iso9660 user,noauto"
    text = f"# comment\n\nUUID=1 / ext4 errors=remount-ro 0 1\n{disc}\nshort none\n"
    assert parse(text) == (
        Mount("UUID=1", "/", ("ext4",), ("errors=remount-ro",), 3),
        Mount("/dev/sr0", "/media/a b", ("udf", "iso9660"), ("user", "noauto"), 4),
    )


def test_only_blanks_and_tabs_part_fields() -> None:
    (mount,) = parse("/dev/sda1 \t/media/a\xa0b\x0bc  ext4")
    assert (mount.place, mount.types) == ("/media/a\xa0b\x0bc", ("ext4",))


def test_an_option() -> None:
    (mount,) = parse("x /y vfat codepage=437,iocharset=utf8")
    assert (mount.option("iocharset"), mount.option("uid")) == ("utf8", None)


@given(st.text())
def test_any_text(text: str) -> None:
    for mount in parse(text):
        assert mount.types
