"""Somebody at the keyboard of a machine that asks, before it boots, whether a key shall be enrolled."""

import os
import re
import select
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lkm.kernels.vm import accelerator, processes, qemu
from lkm.kernels.vm.boot_disk import add_boot_loaders
from lkm.kernels.vm.firmware import CODE

__all__ = ["SCREENS", "enrol"]

SCREENS = (
    *("Press any key to perform MOK management", "Perform MOK management", "Enroll MOK", "View key 0"),
    *("Enroll the key(s)?", "Password:", "Reboot"),
)
"""What MokManager shows, one after the other."""


_ESCAPES = re.compile(rb"\x1b\[[0-9;=?]*[A-Za-z]")
_ENTER, _DOWN = b"\r", b"\x1b[B"
_CHOOSE_NEXT = (_DOWN, _ENTER)
_KEYS: tuple[tuple[bytes, ...], ...] = ((_ENTER,), (), _CHOOSE_NEXT, _CHOOSE_NEXT, _CHOOSE_NEXT, (), (_ENTER,))
_PASSWORD_QUESTION = "Password:"  # noqa: S105  a question
_SECONDS = 150.0
_QUIET_SECONDS = 0.5  # MokManager forgets what is pressed while it draws
_AGAIN_SECONDS = 10.0
_MOST_TRIES = 5


def enrol(variables: Path, password: str) -> str:
    """Start a machine up to MokManager, enrol the keys that were asked for, and let it restart, which ends it.

    :param variables: the memory of its firmware, which is changed
    :param password: the one that was given with the request
    :returns: all that was on the screen, without colours
    """
    with _console(variables) as console:
        for question, keys in zip(SCREENS, _KEYS, strict=True):
            console.wait_for(question)
            for key in keys:
                console.press(key)
            if question == _PASSWORD_QUESTION:
                console.type_unseen(password.encode() + _ENTER)
        console.wait_for_end()
        return console.screen.decode("utf-8", "replace")


@contextmanager
def _console(variables: Path) -> Iterator["_Console"]:
    # Pipes: a socket is full after some hundred writes of one byte, and then the serial line loses characters.
    (keys, keyboard), (screen, output) = os.pipe(), os.pipe()
    with (
        os.fdopen(keyboard, "wb", buffering=0) as pressed,
        os.fdopen(screen, "rb", buffering=0) as shown,
        tempfile.TemporaryDirectory() as disk,
    ):
        with os.fdopen(keys), os.fdopen(output):
            process = processes.start(_command(variables, Path(disk)), source=keys, output=output)
        try:
            yield _Console(pressed, shown)
        finally:
            processes.stop(process)


def _command(variables: Path, disk: Path) -> list[str]:
    add_boot_loaders(disk)
    program = processes.find_qemu()
    return [
        *(program, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-M", "q35", "-accel", accelerator.choose(program), "-cpu", "max", "-m", "512"),
        *qemu.firmware_words(qemu.Flash(str(CODE), str(variables), str(disk))),
        *("-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"),
    ]


class _Console:
    """The serial line."""

    def __init__(self, keyboard: IO[bytes], screen: IO[bytes]) -> None:
        self.screen = b""
        self._keyboard = keyboard
        self._shown = screen
        self._raw = b""
        self._read_to = 0
        self._deadline = time.monotonic() + _SECONDS

    def wait_for(self, text: str) -> None:
        """Wait until a text appears that was not there at the last question."""
        while (place := self.screen.find(text.encode(), self._read_to)) < 0:
            assert self._receive(self._left()), f"the machine ended before it showed {text!r}: {self.screen[-2000:]!r}"
        self._read_to = place + len(text)

    def wait_for_end(self) -> None:
        while self._receive(self._left()):
            pass

    def press(self, key: bytes) -> None:
        """Press a key when all is drawn, and again where nothing comes of it."""
        for _ in range(_MOST_TRIES):
            self._wait_until_drawn()
            self._keyboard.write(key)
            if self._has_more(_AGAIN_SECONDS):
                return

    def type_unseen(self, text: bytes) -> None:
        self._wait_until_drawn()
        self._keyboard.write(text)

    def _wait_until_drawn(self) -> None:
        while self._has_more(_QUIET_SECONDS):
            assert self._receive(self._left()), f"the machine ended: {self.screen[-2000:]!r}"

    def _has_more(self, seconds: float) -> bool:
        return bool(select.select([self._shown], [], [], seconds)[0])

    def _left(self) -> float:
        return max(0.1, self._deadline - time.monotonic())

    def _receive(self, seconds: float) -> bool:
        """Read what the machine shows next; False when it has ended."""
        if not self._has_more(seconds):
            raise AssertionError(f"the machine shows nothing more: {self.screen[-2000:]!r}")
        data = os.read(self._shown.fileno(), 1 << 16)
        self._raw += data
        self.screen = _ESCAPES.sub(b"", self._raw)
        return bool(data)
