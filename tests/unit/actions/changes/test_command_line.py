"""A call of lkm as it can be typed again."""

import pytest

from lkm.actions.changes.command_line import command_line
from lkm.actions.session import Session, Target


@pytest.mark.parametrize(
    ("target", "words", "line"),
    [
        (Target(), ("block", "vfat"), "lkm block vfat"),
        (Target("/mnt/my image"), ("undo", "3"), "lkm --root '/mnt/my image' undo 3"),
        (
            Target("/mnt", "6.1", "emulated:/k"),
            ("param", "set", "a", "b=c d"),
            "lkm --root /mnt --release 6.1 --kernel emulated:/k param set a 'b=c d'",
        ),
    ],
)
def test_what_is_usual_is_left_out(target: Target, words: tuple[str, ...], line: str) -> None:
    assert command_line(Session(target), *words) == line
