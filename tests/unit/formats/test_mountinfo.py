"""What is mounted."""

from hypothesis import given
from hypothesis import strategies as st

from lkm.formats.mountinfo import Mounted, parse


def test_lines() -> None:
    text = (
        "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro\n"
        "23 22 0:21 / /media/a\\040b rw shared:2 master:1 - fuse.x none rw\n"
        "no mount\n"
    )
    assert parse(text) == (
        Mounted("8:2", "/", "ext4", "/dev/sda2"),
        Mounted("0:21", "/media/a b", "fuse.x", "none"),
    )


@given(st.text())
def test_any_text(text: str) -> None:
    parse(text)
