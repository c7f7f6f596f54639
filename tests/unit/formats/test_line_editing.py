"""Lines go and come, and the others stay as they are, to the byte."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.formats.line_editing import edited

_FILE = b"# mark\noptions a x=1 \\\n  y=2\n\n# a comment \xff\noptions b z=3"


def test_lines_go_with_what_is_joined_to_them() -> None:
    assert edited(_FILE, dropped=[2]) == b"# mark\n\n# a comment \xff\noptions b z=3\n"


def test_lines_come_behind_the_last_one() -> None:
    assert edited(_FILE, dropped=[6], appended=["options b z=4"]).endswith(b"# a comment \xff\noptions b z=4\n")
    assert edited(b"", appended=["x"]) == b"x\n"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.sets(st.integers(0, 9)))
def test_nothing_is_made_up(contents: bytes, dropped: set[int]) -> None:
    before = contents.split(b"\n")
    assert all(line in {*before, b""} for line in edited(contents, dropped=dropped).split(b"\n"))
    whole = contents if contents.endswith(b"\n") or not contents else contents + b"\n"
    assert edited(contents) == whole


def test_a_last_joint_takes_no_new_line_in() -> None:
    assert edited(b"options a x=1 \\\n", appended=["options b y=2"]) == b"options a x=1 \\\n\noptions b y=2\n"
    assert edited(b"a\\\nb\n", dropped=[1], joined=False) == b"b\n"


def test_a_line_takes_the_place_of_another() -> None:
    assert edited(_FILE, replaced={2: "options a x=2"}).startswith(b"# mark\noptions a x=2\n\n# a comment")
