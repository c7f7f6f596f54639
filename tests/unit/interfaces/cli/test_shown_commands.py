"""Calls that people are shown: only as long as they must be."""

import pytest

from lkm.actions.session import Session, Target
from lkm.interfaces.cli.shown_commands import shortened, shown_command


@pytest.mark.parametrize(
    ("root", "kernel", "shown"),
    [
        ("/image", "emulated", "lkm undo 3"),
        ("/image", "live", "lkm --kernel live undo 3"),
        ("/other", "emulated", "lkm --root /other undo 3"),
        ("/", "emulated", "lkm --root / undo 3"),
    ],
)
def test_only_what_the_environment_does_not_say(
    root: str, kernel: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LKM_ROOT", "/image")
    monkeypatch.setenv("LKM_KERNEL", "emulated")
    assert shown_command(Session(Target(root, kernel=kernel)), "undo", "3") == shown


@pytest.mark.parametrize(
    ("command", "short"),
    [
        ("lkm --root /an' 'image --kernel emulated block x", "lkm --kernel emulated block x"),
        ("lkm explain x --root '/an image'", "lkm explain x"),
        ("lkm --root /image block x", "lkm --root /image block x"),
        ("sudo lkm --root '/an image' load x", "sudo lkm --root '/an image' load x"),
        ("lkm block 'x", "lkm block 'x"),
        ("lkm block --root", "lkm block --root"),
        ("", ""),
    ],
)
def test_commands_are_shortened(command: str, short: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKM_ROOT", "/an image")
    monkeypatch.delenv("LKM_KERNEL", raising=False)
    monkeypatch.delenv("LKM_RELEASE", raising=False)
    assert shortened(command) == short
